"""A scan with each of its lines put where it was recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import native_image
from stemzoo.common.settings import thread_count
from stemzoo.registration.correction.recording import Axis, Floats

Image = NDArray[np.float32]


def straighten(
    image: ArrayLike, displacements: ArrayLike, *, fast_axis: Axis = "x", threads: int | None = None
) -> Image:
    """The image with each row put where it was recorded.

    `displacements` are the rows' (dy, dx) in pixels, as `find_rows` gives them: (H, 2), or (W, 2)
    for the columns of a scan whose fast axis is y. Pixels that are NaN stay so where they land.
    Raises ValueError if the displacements do not fit the image or are not finite.
    """
    workers = thread_count(threads)
    pixels = native_image(image, "image")
    offset = typical(pixels)
    places = np.asarray(displacements, np.float64)
    lines = pixels.shape[_lines(fast_axis)]
    if places.shape != (lines, 2):
        raise ValueError(
            f"displacements have shape {places.shape}; expected ({lines}, 2): "
            f"(dy, dx) of each {'row' if fast_axis == 'x' else 'column'} of the image"
        )
    ordered = places if fast_axis == "x" else np.ascontiguousarray(places[:, ::-1])
    return restored(oriented(pixels, offset, fast_axis), ordered, offset, fast_axis, workers)


def typical(image: NDArray[Any]) -> float:
    """Median of some pixels: float32 keeps the contrast of what is left without it."""
    some = image[:: 1 + image.shape[0] // 64, :: 1 + image.shape[1] // 64].astype(np.float64)
    known = some[np.isfinite(some)]
    return float(np.median(known)) if known.size else 0.0


def oriented(image: NDArray[Any], offset: float, axis: Axis) -> Image:
    """float32 without the offset, its rows along the fast axis."""
    if axis not in ("x", "y"):
        raise ValueError(f"fast_axis is {axis!r}; expected 'x' or 'y'")
    centred = np.subtract(image, offset, dtype=np.float64).astype(np.float32)
    return np.ascontiguousarray(centred if axis == "x" else centred.T)


def turned(image: NDArray[Any], axis: Axis) -> NDArray[Any]:
    return image if axis == "x" else np.ascontiguousarray(image.T)


def restored(pixels: Image, places: Floats, offset: float, axis: Axis, threads: int) -> Image:
    moved = turned(_core.resample_rows(pixels, places, threads), axis)
    result: Image = np.add(moved, offset, dtype=np.float64).astype(np.float32)
    return result


def _lines(axis: Axis) -> int:
    return 0 if axis == "x" else 1
