"""DigitalMicrograph's files (DM3, DM4), read here: RosettaSciIO takes a second to be imported, and
longer over files with many tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import FileError
from stemzoo.io.datasets import Dataset
from stemzoo.io.dm_metadata import hyperspy_tree
from stemzoo.io.dm_tags import Pixels, Tree, read_tags
from stemzoo.io.image import judged
from stemzoo.io.units import calibration

_DTYPES: dict[object, str] = {
    **{1: "i2", 2: "f4", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8", 14: "?"},
    **{3: "c8", 13: "c16"},
}
_PACKED = (5, 27, 28)  # half of a Fourier transform
_COLOUR = (8, 23)
_BGRA = [(name, "u1") for name in "BGRA"]


def read(path: Path) -> list[Dataset]:
    """Every image but the thumbnails."""
    tree, order = read_tags(path)
    groups = enumerate(_groups(tree.get("ImageList")))
    thumbnails = {each.get("ImageIndex") for each in _groups(tree.get("Thumbnails"))}
    images = [image for number, image in groups if number not in thumbnails]
    if not images:
        raise FileError(f"{path} holds no image")
    common = {name: value for name, value in tree.items() if name != "ImageList"}
    return [_dataset(path, image, order, common) for image in images]


def _dataset(path: Path, image: Tree, order: str, common: Tree) -> Dataset:
    told = _group(image, "ImageData")
    data, problem = judged(_without_single_frames(_pixels(path, told, order)))
    x, y = [*_groups(_group(told, "Calibrations").get("Dimension")), {}, {}][:2]
    pixel_size, unit = calibration(
        _number(y.get("Scale")),
        _number(x.get("Scale")),
        _text(y.get("Units")),
        _text(x.get("Units")),
    )
    title = _text(image.get("Name"))
    described = {name: value for name, value in told.items() if name != "Data"}
    original = {**common, "ImageList": {"TagGroup0": {**image, "ImageData": described}}}
    problem = problem or _spectral(image)
    return Dataset(
        data if problem else np.array(data),  # apart from the file
        title,
        pixel_size,
        unit,
        {**hyperspy_tree(title, _group(image, "ImageTags")), "original": original},
        problem,
    )


def _pixels(path: Path, told: Tree, order: str) -> NDArray[Any]:
    """The array, in the file still."""
    sizes = list(_group(told, "Dimensions").values())
    if not sizes or not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise FileError(f"{path} is damaged: an image in it has the dimensions {sizes}")
    shape, kind, held = tuple(reversed(sizes)), told.get("DataType"), told.get("Data")
    if kind in _PACKED:
        return np.broadcast_to(np.complex64(), shape)  # which nobody needs the values of
    dtype = _dtype(kind, order)
    if dtype is None:
        raise FileError(
            f"{path} has pixels of type {kind}, which stemzoo does not know; "
            "save the image as TIFF or .npy"
        )
    needed = dtype.itemsize
    for size in sizes:
        needed *= size
    if not isinstance(held, Pixels) or held.size != needed:
        raise FileError(
            f"{path} is damaged: an image in it holds {getattr(held, 'size', 'no')} bytes of "
            f"pixels, and its dimensions {sizes} ask for {needed}"
        )
    if not needed:
        return np.empty(shape, dtype)
    return np.memmap(path, dtype, "r", held.offset, shape)


def _dtype(kind: object, order: str) -> np.dtype[Any] | None:
    if kind in _COLOUR:
        return np.dtype(_BGRA)
    return np.dtype(order + _DTYPES[kind]) if kind in _DTYPES else None


def _without_single_frames(data: NDArray[Any]) -> NDArray[Any]:
    """A stack of one frame is an image."""
    while data.ndim > 2 and data.shape[0] == 1:
        data = data[0]
    return data


def _spectral(image: Tree) -> str | None:
    """Why this is a spectrum or a map of spectra; a cube of them looks just like a stack."""
    tags = _group(image, "ImageTags")
    dimensions = _groups(_group(_group(image, "ImageData"), "Calibrations").get("Dimension"))
    energies = {_text(each.get("Units")).lower() for each in dimensions} & {"ev", "kev", "mev"}
    form = _text(_group(tags, "Meta Data").get("Format"))
    if energies or form.startswith("Spectrum") or "spim" in tags:
        return "it is a spectrum or a map of spectra, not an image"
    return None


def _group(tree: Tree, name: str) -> Tree:
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def _groups(tree: object) -> list[Tree]:
    values = tree.values() if isinstance(tree, dict) else ()
    return [value for value in values if isinstance(value, dict)]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
