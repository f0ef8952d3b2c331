"""Is a TIA series (.ser) whole? RosettaSciIO leaves unread elements uninitialised.

Layout after C. Boothroyd's description of the format: a header, an array of offsets, and at each
offset an element of 50 bytes and its pixels.
"""

from __future__ import annotations

import glob
import struct
from pathlib import Path

from stemzoo.common.errors import FileError
from stemzoo.io.bounds import require_plausible

_MAGIC = (0x4949, 0x0197)
_IMAGES = 0x4122
_WIDE_OFFSETS_ABOVE = 0x0210
_ITEM_BYTES = {1: 1, 2: 2, 3: 4, 4: 1, 5: 2, 6: 4, 7: 4, 8: 8, 9: 8, 10: 16}


def check_all(path: Path) -> None:
    """`check` for a series, or for every series that an .emi file describes."""
    if path.suffix.lower() == ".ser":
        return check(path)
    series = sorted(path.parent.glob(f"{glob.escape(path.stem)}_[0-9].ser"))
    if not series:
        raise FileError(
            f"{path} holds no image itself: TIA puts them into {path.stem}_1.ser and so on, and "
            "there is no such file beside it; copy them together"
        )
    for one in series:
        check(one)


def check(path: Path) -> None:
    """Raise FileError unless every valid element of `path` is inside it."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(34)
        if len(head) < 34 or struct.unpack("<HH", head[:4]) != _MAGIC:
            raise FileError(f"{path} is not a TIA series (.ser), whatever its name says")
        version, kind, _, total, valid = struct.unpack("<HIIII", head[4:22])
        wide = version > _WIDE_OFFSETS_ABOVE
        start = struct.unpack("<Q" if wide else "<I", head[22 : 30 if wide else 26])[0]
        pointer = struct.Struct("<Q" if wide else "<I")
        if valid > total or start + 2 * total * pointer.size > size:
            raise _cut(path)
        if kind != _IMAGES:
            return
        file.seek(start)
        offsets = pointer.iter_unpack(file.read(valid * pointer.size))
        announced = 0
        for (offset,) in list(offsets):
            file.seek(offset + 40)
            shape = file.read(10)
            if len(shape) < 10:
                raise _cut(path)
            dtype, columns, rows = struct.unpack("<HII", shape)
            held = columns * rows * _ITEM_BYTES.get(dtype, 0)
            if offset + 50 + held > size:
                raise _cut(path)
            announced += held
    require_plausible(announced, path)


def _cut(path: Path) -> FileError:
    return FileError(
        f"{path} is incomplete: elements that it announces lie beyond its end; "
        "copy it again from where it was recorded"
    )
