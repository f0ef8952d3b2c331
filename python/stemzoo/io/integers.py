"""Values as integers, and the scale that makes them values again: value = offset + scale * integer.

Whole numbers that fit are stored as they are. Everything else is spread over all integers there
are, so that no value is off by more than half a step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import FileError

VALUES = "values"  # where metadata hold the scale
HOLDS_SCALE = (".tif", ".tiff", ".npy", ".png")
NEEDS_INTEGERS = (".png",)
_DTYPES = ("uint8", "uint16")


def as_integers(
    data: NDArray[Any], dtype: str | None, path: Path
) -> tuple[NDArray[Any], dict[str, Any]]:
    """`data` as integers, with the metadata that hold their scale: {} where it is one."""
    if dtype is None and data.dtype.name in _DTYPES:
        return data, {}
    if dtype not in (None, *_DTYPES):
        raise ValueError(f"dtype is {dtype!r}; expected one of {', '.join(_DTYPES)}")
    target = np.dtype(dtype or "uint16")
    values = data.astype(np.float64)
    if not np.isfinite(values).all():
        raise FileError(
            f"{path} cannot be written as integers: the image has pixels that are not known (NaN) "
            "or infinite; write .tif or .npy without a dtype"
        )
    low, high = float(values.min()), float(values.max())
    most = int(np.iinfo(target).max)
    if low >= 0 and high <= most and np.array_equal(values, np.rint(values)):
        return values.astype(target), {}
    scale = (high - low) / most or 1.0
    whole = np.rint((values - low) / scale).astype(target)
    return whole, {VALUES: {"offset": low, "scale": scale}}


def restored(data: NDArray[Any], metadata: dict[str, Any]) -> NDArray[Any]:
    """The values that integers of ours stand for; the scale leaves `metadata`."""
    held = metadata.pop(VALUES, None)
    if not isinstance(held, dict):
        return data
    return scaled(data, float(held["offset"]), float(held["scale"]))


def scaled(data: NDArray[Any], offset: float, scale: float) -> NDArray[np.float32]:
    return (data * np.float64(scale) + offset).astype(np.float32)
