"""Arrays wherever they are: in memory, in a file, in a signal of HyperSpy, lazily in Dask.

Told by what they can do, so that neither HyperSpy nor Dask is imported for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

Wrap = Callable[[Any, int], Any]  # of new data, with so many pixels more on every side


def opened(given: Any, dropped: int = 0) -> tuple[Any, Wrap]:
    """The array in what is given, and what puts another one in its place.

    The first `dropped` axes are not in the other one.
    """
    if hasattr(given, "axes_manager"):
        return given.data, lambda data, border: _signal(given, data, border, dropped)
    if dataclasses.is_dataclass(given) and hasattr(given, "pixel_size"):
        micrograph: Any = given
        return micrograph.data, lambda data, border: dataclasses.replace(micrograph, data=data)
    readable = all(hasattr(given, name) for name in ("shape", "dtype", "__getitem__"))
    return (given if readable else np.asarray(given)), lambda data, border: data


def image_shape(given: Any) -> tuple[int, int]:
    """Rows and columns of an image of any kind."""
    shape = opened(given)[0].shape
    return int(shape[-2]), int(shape[-1])


def is_lazy(array: Any) -> bool:
    """Whether Dask computes it."""
    return hasattr(array, "dask") and hasattr(array, "chunks")


def _signal(given: Any, data: Any, border: int, dropped: int) -> Any:
    """A signal like the one given, its axes those of the new data."""
    if dropped:
        given = given.inav[(..., *[0] * dropped)]
    made = given._deepcopy_with_new_data(data)
    manager = made.axes_manager
    axes = sorted(
        [*manager.navigation_axes, *manager.signal_axes], key=lambda axis: axis.index_in_array
    )
    for axis, size in zip(axes, data.shape, strict=True):
        axis.size = size
    for axis in axes[:2]:
        axis.offset -= border * axis.scale
    return made
