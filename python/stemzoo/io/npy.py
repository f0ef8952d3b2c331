"""NumPy's own format, with a JSON side-car for what it has no place for.

`result.npy` holds the array, `result.npy.json` its calibration, metadata and provenance. An
array without a side-car is read all the same; a side-car of another array is an error.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError
from stemzoo.io.datasets import Dataset
from stemzoo.io.image import judged
from stemzoo.io.integers import restored
from stemzoo.io.jsonable import dumps
from stemzoo.io.micrograph import Micrograph
from stemzoo.io.units import normalise

# Above this, the array stays on disk and only the pages that are used come to memory.
_MAP_ABOVE = 1 << 30


def side_car(path: Path) -> Path:
    """Where the calibration and provenance of the array at `path` are."""
    return path.with_name(path.name + ".json")


def read(path: Path) -> list[Dataset]:
    held = _array(path)
    known = known_of(path, held)
    data, problem = judged(held)
    metadata = known.get("metadata") or {}
    return [
        Dataset(
            restored(data, metadata),
            pixel_size=_pixel_size(known),
            unit=normalise(known.get("unit")),
            metadata=metadata,
            problem=problem,
        )
    ]


def write(path: Path, micrograph: Micrograph, metadata: dict[str, Any]) -> None:
    data = np.ascontiguousarray(micrograph.data)
    known = dumps(
        {
            "shape": data.shape,
            "dtype": data.dtype.str,
            "pixel_size": micrograph.pixel_size,
            "unit": normalise(micrograph.unit),
            "metadata": metadata,
        }
    )
    # Both are complete on disk before either takes its place.
    with replacing(side_car(path)) as text, replacing(path) as array:
        np.lib.format.write_array(array, data, allow_pickle=False)
        text.write(known.encode() + b"\n")


def _array(path: Path) -> NDArray[Any]:
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise FileError(f"{path} is not an .npy file: it does not begin as one")
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    expected, found = int(mapped.offset) + int(mapped.nbytes), path.stat().st_size
    if mapped.size and expected != found:
        raise FileError(
            f"{path} has {found} bytes where its header announces {expected}: it was cut off, "
            "or several arrays were saved into it; save one array"
        )
    if mapped.nbytes > _MAP_ABOVE:
        data: NDArray[Any] = mapped
        return data
    return np.array(mapped)


def known_of(path: Path, data: NDArray[Any]) -> dict[str, Any]:
    about = side_car(path)
    if not about.exists():
        return {}
    known = json.loads(about.read_bytes())
    if not isinstance(known, dict):
        raise FileError(f"{about} is not a side-car of {path}; move or delete it")
    if [list(data.shape), data.dtype.str] != [known.get("shape"), known.get("dtype")]:
        raise FileError(
            f"{about} describes another array (shape {known.get('shape')}, {known.get('dtype')}) "
            f"than {path} holds (shape {list(data.shape)}, {data.dtype.str}); move or delete it"
        )
    return known


def _pixel_size(known: dict[str, Any]) -> tuple[float, float] | None:
    if not known.get("pixel_size"):
        return None
    y, x = known["pixel_size"]
    return float(y), float(x)
