"""Does a PNG or JPEG hold as many rows as its header says? Pillow fills up what is missing.

The rows of a PNG are counted. Those of a JPEG cannot be, short of decoding it; but where its pixels
are complete, what else stands before the end marker changes nothing.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stemzoo.common.errors import FileError

if TYPE_CHECKING:
    from PIL.Image import Image

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by PNG's colour type
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = (  # first column and row of each pass, and how far apart they are
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_PIECE = 1 << 20  # bytes unpacked at once
_END = b"\xff\xd9"
_MORE = bytes(range(1, 255)) * 4


def check(picture: Image, path: Path) -> None:
    """FileError where the picture lacks pixels; anything but PNG and JPEG passes."""
    if picture.format == "PNG":
        found, expected = _unpacked(path), _announced(path)
        if found < expected:
            raise _incomplete(path, f"it holds {found} of the {expected} bytes of its rows")
    elif picture.format == "JPEG":
        content = path.read_bytes()
        at = content.rfind(_END)
        if at >= 0 and not _same(content, content[:at] + _MORE + content[at:]):
            raise _incomplete(path, "its pixels end before its last row")


def _announced(path: Path) -> int:
    with open(path, "rb") as file:
        width, height, depth, colour, _, _, interlaced = struct.unpack(
            ">IIBBBBB", file.read(29)[16:]
        )
    total = 0
    for column, row, across, down in _ADAM7 if interlaced else _WHOLE:
        columns, rows = -((column - width) // across), -((row - height) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * _CHANNELS[colour] * depth + 7) // 8)
    return total


def _unpacked(path: Path) -> int:
    stream, total = zlib.decompressobj(), 0
    for data in _image_data(path):
        while data and not stream.eof:
            total += len(stream.decompress(data, _PIECE))
            data = stream.unconsumed_tail
    return total + len(stream.flush())


def _image_data(path: Path) -> Iterator[bytes]:
    """The parts of a PNG that its pixels are in."""
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"IDAT":
                yield file.read(length)
                file.seek(4, io.SEEK_CUR)
            else:
                file.seek(length + 4, io.SEEK_CUR)


def _same(one: bytes, other: bytes) -> bool:
    from PIL import Image

    with Image.open(io.BytesIO(one)) as first, Image.open(io.BytesIO(other)) as second:
        return np.array_equal(np.asarray(first), np.asarray(second))


def _incomplete(path: Path, reason: str) -> FileError:
    return FileError(
        f"{path} is incomplete or damaged: {reason}; copy it again from where it was recorded"
    )
