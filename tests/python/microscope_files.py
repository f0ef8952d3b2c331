"""Small but valid files of microscope formats, written by hand from the formats' descriptions."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

_DM_TYPES = {"i2": 1, "f4": 2, "c8": 3, "u1": 6, "i4": 7, "i1": 9, "u2": 10, "u4": 11, "f8": 12}
_DM_RGB = 23
_DM_ELEMENTS = {"i2": 2, "i4": 3, "u2": 4, "u4": 5, "f4": 6, "f8": 7, "u1": 10, "i1": 9, "c8": 7}


def write_dm(
    path: Path,
    images: list[np.ndarray],
    *,
    version: int = 3,
    order: str = "<",
    scale: tuple[float, float] = (0.02, 0.01),
    unit: str = "nm",
    titles: tuple[str, ...] = ("HAADF", "BF"),
    colour: bool = False,
    tags: dict[str, Any] | None = None,
) -> None:
    """A DigitalMicrograph 3 or 4 file; `order` is the byte order of the values in it."""
    dm = _Dm(version, order)
    listed = []
    for image, title in zip(images, titles, strict=False):
        steps = [scale[1], scale[0], *[1.0] * (image.ndim - 2)][: image.ndim]
        names = [unit, unit, *[""] * (image.ndim - 2)][: image.ndim]
        axes = [
            ("", {"Origin": 0.0, "Scale": step, "Units": name})
            for step, name in zip(steps, names, strict=True)
        ]
        data = {
            "Calibrations": {
                "Brightness": {"Origin": 0.0, "Scale": 1.0, "Units": ""},
                "Dimension": axes,
            },
            "Data": image,
            "DataType": _DM_RGB if colour else _DM_TYPES[image.dtype.str[1:]],
            "Dimensions": [("", size) for size in reversed(image.shape)],
        }
        listed.append(("", {"ImageData": data, "ImageTags": tags or {}, "Name": title}))
    body = dm.group({"ImageList": listed})
    length = struct.pack(">q" if version == 4 else ">i", len(body))
    head = struct.pack(">i", version) + length + struct.pack(">i", order == "<")
    path.write_bytes(head + body + bytes(8))


class _Dm:
    def __init__(self, version: int, order: str) -> None:
        self.wide, self.order = version == 4, order
        self.number = ">q" if self.wide else ">i"

    def group(self, tags: Any) -> bytes:
        pairs = list(tags.items()) if isinstance(tags, dict) else tags
        head = b"\1\0" + struct.pack(self.number, len(pairs))
        return head + b"".join(self.tag(name, value) for name, value in pairs)

    def tag(self, name: str, value: Any) -> bytes:
        is_group = isinstance(value, dict | list)
        content = self.group(value) if is_group else self.value(value)
        head = struct.pack(">bh", 20 if is_group else 21, len(name)) + name.encode()
        return head + (struct.pack(">q", len(content)) if self.wide else b"") + content

    def value(self, value: Any) -> bytes:
        if isinstance(value, str):
            text = value.encode("utf-16-le" if self.order == "<" else "utf-16-be")
            return self.info(20, 4, len(value)) + text
        if isinstance(value, np.ndarray):
            kind = value.dtype.str[1:]
            values = value.astype(value.dtype.newbyteorder(self.order))
            return self.info(20, _DM_ELEMENTS[kind], value.size) + values.tobytes()
        if isinstance(value, float):
            return self.info(6) + struct.pack(self.order + "f", value)
        return self.info(5) + struct.pack(self.order + "I", value)

    def info(self, *numbers: int) -> bytes:
        parts = (len(numbers), *numbers)
        return b"%%%%" + b"".join(struct.pack(self.number, part) for part in parts)


_SER_TYPES = {"u1": 1, "u2": 2, "u4": 3, "i1": 4, "i2": 5, "i4": 6, "f4": 7, "f8": 8}


def write_ser(path: Path, frames: np.ndarray, *, metres: float, version: int = 0x0210) -> None:
    """A TIA series of images; rows go from the bottom up, as TIA stores them."""
    pointer = "<I" if version <= 0x0210 else "<Q"
    count, rows, columns = frames.shape
    text = b"Number"
    dimension = struct.pack("<IddII", count, 0.0, 1.0, 0, len(text)) + text + struct.pack("<I", 0)
    start = 22 + struct.calcsize(pointer) + 4 + len(dimension)
    elements, offsets, tags = b"", [], []
    for frame in frames:
        offsets.append(start + len(elements))
        kind = _SER_TYPES[frame.dtype.str[1:]]
        elements += struct.pack("<ddIddIHII", 0.0, metres, 0, 0.0, metres, 0, kind, columns, rows)
        elements += frame[::-1].astype(frame.dtype.newbyteorder("<")).tobytes()
        tags.append(start + len(elements))
        elements += struct.pack("<HHI", 0x4152, 0, 0)
    head = struct.pack("<HHHIIII", 0x4949, 0x0197, version, 0x4122, 0x4152, count, count)
    head += struct.pack(pointer, start + len(elements)) + struct.pack("<I", 1) + dimension
    table = b"".join(struct.pack(pointer, offset) for offset in offsets + tags)
    path.write_bytes(head + elements + table)


_MRC_MODES = {"i1": 0, "u1": 0, "i2": 1, "f4": 2, "c8": 4, "u2": 6, "f2": 12}


def write_mrc(
    path: Path,
    data: np.ndarray,
    *,
    order: str = "<",
    angstrom: tuple[float, float] = (0.2, 0.1),
    extended: bytes = b"",
    version: int = 20140,
    statistics: tuple[float, float] = (0.0, -1.0),
    mode: int | None = None,
) -> None:
    """An MRC2014 image or stack; `statistics` are its minimum and maximum, (0, -1) for unknown."""
    sections, rows, columns = (1,) * (3 - data.ndim) + data.shape
    kind = _MRC_MODES[data.dtype.str[1:]] if mode is None else mode
    cell = (columns * angstrom[1], rows * angstrom[0], float(sections))
    numbers = [columns, rows, sections, kind, 0, 0, 0, columns, rows, sections]
    header = struct.pack(order + "10i", *numbers) + struct.pack(order + "6f", *cell, 90, 90, 90)
    header += struct.pack(order + "3i", 1, 2, 3) + struct.pack(order + "3f", *statistics, 0.0)
    header += struct.pack(order + "2i", 1, len(extended)) + bytes(12)
    header += struct.pack(order + "i", version)
    header = header.ljust(208, b"\0") + b"MAP " + (b"DD\0\0" if order == "<" else b"\x11\x11\0\0")
    values = data.astype(data.dtype.newbyteorder(order)).tobytes()
    path.write_bytes(header.ljust(1024, b"\0") + extended + values)
