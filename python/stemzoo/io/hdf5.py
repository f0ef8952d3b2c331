"""HDF5 files: whose they are, how much they announce, and the plain ones among them.

The suffix .h5 says nothing. Programs that RosettaSciIO knows leave marks by which their files are
told; of any other file, every array of two or three axes is an image or a stack. Nion Swift's
description of an array, which stands beside it, says what a pixel measures.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.common.errors import FileError
from stemzoo.io.bounds import require_plausible
from stemzoo.io.datasets import Dataset
from stemzoo.io.hdf5_heaps import opened
from stemzoo.io.image import judged
from stemzoo.io.own_record import OWN
from stemzoo.io.units import calibration

PLAIN = ""  # written by no program that RosettaSciIO knows

_MARKS: dict[str, Callable[[Any], bool]] = {
    "hspy": lambda file: file.attrs.get("file_format") == "HyperSpy" or "Experiments" in file,
    "emd": lambda file: (
        "version_major" in file.attrs or bool({"Data", "Info"} <= set(file) and "Version" in file)
    ),
    "usid": lambda file: any(name.startswith("Measurement_") for name in file),
    "delmic": lambda file: "Acquisition0" in file or "Acquisition1" in file,
    "tofwerk": lambda file: "TofDAQ Version" in file.attrs or "FullSpectra" in file,
    "nexus": lambda file: any("NX_class" in item.attrs for item in _members(file)),
}


def check(path: Path) -> None:
    """FileError where its datasets are more than a file of its size can hold, or strings of it have
    no end."""
    with opened(path) as file:
        arrays = _arrays(file)
        require_plausible(sum(item.nbytes for _, item in arrays), path)
        _read_strings(file, path)
        file.visititems(lambda _, item: _read_strings(item, path))


def maker(path: Path) -> str:
    """The plugin of RosettaSciIO that reads this file, or PLAIN."""
    with opened(path) as file:
        return next((name for name, marked in _MARKS.items() if marked(file)), PLAIN)


def read(path: Path) -> list[Dataset]:
    """Every array of numbers that could be an image, by its name in the file."""
    check(path)
    with opened(path) as file:
        found = [
            _dataset(item, name)
            for name, item in _arrays(file)
            if item.ndim >= 2 and item.dtype.kind in "biufc"
        ]
    if not found:
        raise FileError(f"{path} holds no array of two or three axes, so no image")
    return found


def own_text(path: Path) -> str:
    """What stemzoo has written beside the data of an EMD file, "" where it did not."""
    import h5py

    with opened(path) as file:
        item = file.get(OWN)
        return bytes(item[()]).decode() if isinstance(item, h5py.Dataset) else ""


def _dataset(item: Any, name: str) -> Dataset:
    kept = [size for n, size in enumerate(item.shape) if size != 1 or n >= item.ndim - 2]
    if item.shape[-1:] == (1,) and item.ndim > 3:
        kept = kept[:-1]
    # What cannot be an image is listed, and no memory is held for it.
    usable = len(kept) in (2, 3) and item.dtype.kind != "c"
    values = item[()].reshape(kept) if usable else np.broadcast_to(item.dtype.type(0), item.shape)
    data, problem = judged(values)
    about = _properties(item)
    pixel_size, unit = _calibration(about, item)
    title = str(about.get("title") or name.strip("/"))
    return Dataset(data, title, pixel_size, unit, {"nion": about} if about else {}, problem)


def _properties(item: Any) -> dict[str, Any]:
    """What Nion Swift says of an array; {} of any other."""
    try:
        said = json.loads(item.attrs["properties"])
    except (KeyError, TypeError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _calibration(about: dict[str, Any], item: Any) -> tuple[tuple[float, float] | None, str | None]:
    axes = about.get("dimensional_calibrations") or about.get("spatial_calibrations")
    if not isinstance(axes, list) or len(axes) != item.ndim or item.ndim < 2:
        return None, None
    y, x = (axis if isinstance(axis, dict) else {} for axis in axes[-2:])
    return calibration(y.get("scale"), x.get("scale"), y.get("units"), x.get("units"))


def _arrays(file: Any) -> list[tuple[str, Any]]:
    """Name and dataset of every array in an open file."""
    import h5py

    found: list[tuple[str, Any]] = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            found.append((name, item))

    file.visititems(note)
    return found


def _read_strings(item: Any, path: Path) -> None:
    """All that HDF5 keeps in heaps, for what is wrong with them to come out."""
    if getattr(getattr(item, "dtype", None), "hasobject", False):
        item[()]
    for name in item.attrs:
        try:
            item.attrs[name]
        except FileError:
            raise
        except Exception as error:
            if "heap" in str(error):  # HDF5 would have no end where it is asked a second time
                raise FileError(
                    f"{path} is damaged: its attribute {name} cannot be read ({error}); copy it "
                    "again from where it was recorded"
                ) from error


def _members(file: Any) -> list[Any]:
    return [item for name in file if (item := file.get(name)) is not None]
