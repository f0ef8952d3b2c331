"""Which files stemzoo has written, told without reading their pixels.

A result carries the record of how it was made (`stemzoo.inference.record`), a picture the name of
the program that drew it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.io.hdf5_heaps import opened
from stemzoo.io.npy import side_car
from stemzoo.io.own_record import OWN
from stemzoo.io.tiff_calibration import ome_elements

_PNG = b"\x89PNG\r\n\x1a\n"  # how every such file begins


def record_of(path: Path) -> dict[str, Any] | None:
    """The record of a result; None of any other file, of none and of a damaged one."""
    reader = _METADATA.get(path.suffix.lower())
    try:
        record = reader(path).get("provenance") if reader else None
    except Exception:  # readers raise whatever they stumble over; what they cannot read is not ours
        return None
    return record if isinstance(record, dict) else None


def is_picture(path: Path) -> bool:
    """Whether stemzoo has drawn this PNG."""
    try:
        _require_file(path)
        with path.open("rb") as file:
            if file.read(len(_PNG)) != _PNG:
                return False
        from PIL import Image

        from stemzoo.plotting.pictures import DRAWN_BY

        with Image.open(path, formats=["PNG"]) as picture:
            return bool(picture.info.get("Software") == DRAWN_BY)
    except Exception:  # as above
        return False


def _tiff_metadata(path: Path) -> dict[str, Any]:
    import tifffile

    _require_file(path)
    with tifffile.TiffFile(path) as file:
        if file.is_ome:
            (text, *_) = (each.text for each in ome_elements(file.ome_metadata, "Description"))
        else:
            text = (file.imagej_metadata or {})["Info"]
    found: dict[str, Any] = json.loads(str(text))[OWN]
    return found


def _npy_metadata(path: Path) -> dict[str, Any]:
    """From the side-car, if it is that of the array. It may be there without its array."""
    _require_file(side_car(path))
    known = json.loads(side_car(path).read_bytes())
    if path.exists():
        _require_file(path)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if [known["shape"], known["dtype"]] != [list(array.shape), array.dtype.str]:
            raise ValueError("it describes another array")
    found: dict[str, Any] = known["metadata"]
    return found


def _png_metadata(path: Path) -> dict[str, Any]:
    from PIL import Image

    _require_file(path)
    with Image.open(path, formats=["PNG"]) as picture:
        found: dict[str, Any] = json.loads(picture.info[OWN])["metadata"]
    return found


def _hdf5_metadata(path: Path) -> dict[str, Any]:
    """Of an EMD file, or of one of HyperSpy's, where it hangs in the tree of the first signal."""
    _require_file(path)
    with opened(path) as file:
        if OWN in file:
            return dict(json.loads(file[OWN][()]))
        (signal, *_) = file["Experiments"].values()
        return dict(json.loads(signal[f"metadata/{OWN}"].attrs["metadata"]))


def _zspy_metadata(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        (name, *_) = (
            each for each in archive.namelist() if each.endswith(f"/metadata/{OWN}/.zattrs")
        )
        return dict(json.loads(json.loads(archive.read(name))["metadata"]))


def _require_file(path: Path) -> None:
    """A pipe would keep its reader waiting."""
    if not path.is_file():
        raise FileNotFoundError(path)


_METADATA: dict[str, Callable[[Path], dict[str, Any]]] = {
    ".tif": _tiff_metadata,
    ".tiff": _tiff_metadata,
    ".npy": _npy_metadata,
    ".png": _png_metadata,
    ".hspy": _hdf5_metadata,
    ".emd": _hdf5_metadata,
    ".zspy": _zspy_metadata,
}
