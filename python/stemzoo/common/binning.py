"""Pixels added up N by N, as a detector bins them: the counts of a larger pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def binned(data: NDArray[Any], factor: int) -> NDArray[Any]:
    """Sums over `factor` x `factor` pixels; rows and columns that fill no pixel are left out."""
    if factor < 1:
        raise ValueError(f"bin is {factor}; expected how many pixels become one, such as 2")
    if factor == 1:
        return data
    rows, columns = (size // factor for size in data.shape[-2:])
    if not rows or not columns:
        raise ValueError(
            f"bin is {factor}, more than an image of shape {data.shape} has rows or columns"
        )
    whole = data[..., : rows * factor, : columns * factor]
    parts = whole.reshape(*data.shape[:-2], rows, factor, columns, factor)
    wide = np.float64 if data.dtype == np.float64 else np.float32
    sums: NDArray[Any] = parts.sum(axis=(-3, -1), dtype=np.float64).astype(wide)
    return sums
