"""Pictures for people: an 8-bit PNG, made with the standard library alone."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo._arrays import native_image
from stemzoo.io.atomic import replacing

_GREY, _RGB = 0, 2
_PERCENTILES = (0.1, 99.9)


def write_png(
    path: str | os.PathLike[str],
    image2d: ArrayLike,
    *,
    low: float | None = None,
    high: float | None = None,
) -> None:
    """Write a picture of `image2d`: `low` is black, `high` is white, NaN is black.

    Left out, they are the 0.1 and 99.9 percentiles of the finite pixels. An array of shape
    (rows, columns, 3) and dtype uint8 is written as it is, in colour.
    """
    array = np.asarray(image2d)
    if array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8 and array.size:
        if low is not None or high is not None:
            raise ValueError("a colour picture is written as it is; leave low and high out")
        pixels, colour = array, _RGB
    else:
        pixels, colour = _grey(native_image(image2d, "image2d"), low, high), _GREY
    with replacing(Path(path)) as file:
        file.write(_encode(pixels, colour))


def _grey(image: NDArray[Any], low: float | None, high: float | None) -> NDArray[np.uint8]:
    finite = np.isfinite(image)
    known = image[finite] if finite.any() else np.zeros(1)
    bottom, top = np.percentile(known, _PERCENTILES)
    bottom = float(bottom if low is None else low)
    top = float(top if high is None else high)
    # A constant image has no contrast to stretch: it comes out black, not as noise.
    scale = 255.0 / (top - bottom) if top > bottom else 0.0
    values = (np.where(np.isnan(image), bottom, image).astype(np.float64) - bottom) * scale
    return np.rint(np.clip(np.nan_to_num(values), 0.0, 255.0)).astype(np.uint8)


def _encode(pixels: NDArray[np.uint8], colour: int) -> bytes:
    rows, columns = pixels.shape[:2]
    # Every row of a PNG begins with the number of its filter; 0 is none.
    lines = np.zeros((rows, 1 + pixels.size // rows), np.uint8)
    lines[:, 1:] = pixels.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, colour, 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 6)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", body)
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum
