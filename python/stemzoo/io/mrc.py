"""MRC images and stacks, read here rather than through RosettaSciIO.

RosettaSciIO 0.15 takes a big-endian file for a little-endian one, and the format is one header
of fixed size (MRC2014, doi:10.1016/j.jsb.2015.04.002). Rows come in the order they are stored.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import FileError
from stemzoo.io.datasets import Dataset
from stemzoo.io.image import judged
from stemzoo.io.units import calibration

_HEADER = 1024
_FEI_HEADER = 131072  # 1024 records of 128 bytes, the pixel size in metres in each
_RGB = [("R", "u1"), ("G", "u1"), ("B", "u1")]
_DTYPES: dict[int, Any] = {0: "i1", 1: "i2", 2: "f4", 3: "i2", 4: "c8", 6: "u2", 12: "f2", 16: _RGB}
_FIELDS = [
    ("size", "i4", 3),  # columns, rows, sections
    ("mode", "i4"),
    ("start", "i4", 3),
    ("grid", "i4", 3),
    ("cell", "f4", 3),  # in ångström
    ("angles", "f4", 3),
    ("axes", "i4", 3),
    ("minimum", "f4"),
    ("maximum", "f4"),
    ("mean", "f4"),
    ("space_group", "i4"),
    ("extended", "i4"),
    ("extra", "V8"),
    ("extended_type", "S4"),
    ("version", "i4"),
    ("extra2", "V40"),
    ("imod_stamp", "i4"),
    ("imod_flags", "i4"),
]


def read(path: Path) -> list[Dataset]:
    with open(path, "rb") as file:
        raw = file.read(2 * _HEADER)
    header = _header(raw, path)
    data, problem = judged(_data(path, header))
    pixel_size, unit = _pixel_size(raw, header)
    names = (str(name) for name, *_ in _FIELDS)
    known = {name: header[name] for name in names if not name.startswith("extra")}
    return [Dataset(data, "", pixel_size, unit, {"mrc": known}, _problem(header) or problem)]


def _header(raw: bytes, path: Path) -> np.void:
    """The header in the one byte order in which it makes sense."""
    if len(raw) < _HEADER:
        raise FileError(f"{path} is not an MRC file: {len(raw)} bytes are less than its header")
    for dtype in (np.dtype(_FIELDS).newbyteorder("<"), np.dtype(_FIELDS).newbyteorder(">")):
        header: np.void = np.frombuffer(raw, dtype, count=1)[0]
        if _sensible(header):
            return header
    raise FileError(
        f"{path} is not an MRC file stemzoo can read: its size, mode and axis order make sense "
        "in neither byte order"
    )


def _sensible(header: np.void) -> bool:
    axes = sorted(int(axis) for axis in header["axes"])
    return (
        int(header["mode"]) in {*_DTYPES, 101}
        and all(0 < int(size) < 1 << 24 for size in header["size"])
        and axes in ([1, 2, 3], [0, 0, 0])
        and int(header["extended"]) >= 0
    )


def _data(path: Path, header: np.void) -> NDArray[Any]:
    mode = int(header["mode"])
    if mode == 101:
        raise FileError(f"{path} packs two pixels into a byte (MRC mode 101); save it as 16-bit")
    dtype = np.dtype(_DTYPES[mode]).newbyteorder(header.dtype["mode"].byteorder)
    if mode == 0 and not _signed(header):
        dtype = np.dtype("u1")
    columns, rows, sections = (int(size) for size in header["size"])
    start = _HEADER + int(header["extended"])
    count = columns * rows * sections * (2 if mode == 3 else 1)
    found, announced = path.stat().st_size, start + count * dtype.itemsize
    if found < announced:
        raise FileError(
            f"{path} is cut off: it has {found} bytes, and its header announces {announced}; "
            "copy it again from where it was recorded"
        )
    data = np.fromfile(path, dtype, count, offset=start).reshape(sections, rows, -1)
    return data[0] if sections == 1 else data


def _signed(header: np.void) -> bool:
    """Whether bytes are signed: MRC2014 says so, older programs and RosettaSciIO deny it."""
    if int(header["imod_stamp"]) == 1146047817:
        return bool(int(header["imod_flags"]) & 1)
    if header["minimum"] <= header["maximum"] and header["maximum"] > 127:
        return False
    return bool(header["minimum"] < 0) or int(header["version"]) >= 20140


def _problem(header: np.void) -> str | None:
    mode, axes = int(header["mode"]), [int(axis) for axis in header["axes"]]
    if mode == 3:
        return "its values are complex; save its real part, magnitude or phase instead"
    if axes not in ([1, 2, 3], [0, 0, 0]):
        return f"its axes are stored in the order {axes}; save it with columns, rows, sections"
    return None


def _pixel_size(raw: bytes, header: np.void) -> tuple[tuple[float, float] | None, str | None]:
    if int(header["extended"]) == _FEI_HEADER and not header["extended_type"].strip(b"\0 "):
        order = header.dtype["mode"].byteorder
        metres = float(np.frombuffer(raw, np.dtype("f4").newbyteorder(order), 1, _HEADER + 44)[0])
        if 0 < metres < 1e-3:
            return calibration(metres * 1e9, metres * 1e9, "nm", "nm")
    x, y = (
        float(cell) / int(grid) if grid else math.nan
        for cell, grid in zip(header["cell"][:2], header["grid"][:2], strict=True)
    )
    return calibration(y, x, "Å", "Å")
