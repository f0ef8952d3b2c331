"""Signals of HyperSpy: signals in, signals out, with their axes and metadata; lazy stays lazy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from stemzoo.common.arrays import Call


def run(call: Call) -> Any:
    """The images of the result are signals with the axes of the first signal among the images."""
    first = next(image for image in call.images() if _is_signal(image))
    result = call.changed(_pixels).result()
    return call.closed(result, lambda image: _closed(image, first))


def _is_signal(image: Any) -> bool:
    from hyperspy.signal import BaseSignal

    return isinstance(image, BaseSignal)


def _pixels(image: Any) -> Any:
    """An image, or a stack of all images that the signal holds."""
    if not _is_signal(image):
        return image
    if image.axes_manager.signal_dimension != 2:
        raise ValueError(
            f"{image} has signal dimension {image.axes_manager.signal_dimension}; expected images, "
            "whose signal axes are x and y: signal.transpose(signal_axes=2), or "
            "signal.as_signal2D((x, y))"
        )
    shape = image.data.shape
    if len(shape) <= 3:
        return image.data
    return image.data.reshape(math.prod(shape[:-2]), *shape[-2:])


def _closed(image: Any, like: Any) -> Any:
    """With the axes of the signal `like`: all of them for a series, those of one image else."""
    several = like.axes_manager.navigation_dimension
    held = like if image.ndim == 3 or not several else like.inav[(0,) * several]
    frames = like.data.shape[:-2] if image.ndim == 3 else ()
    data = _array(image, lazy=like._lazy).reshape(*frames, *image.shape[-2:])
    if data.shape != held.data.shape:
        return _surface(data, held)
    signal = held._deepcopy_with_new_data(data)
    return signal if like._lazy or isinstance(data, np.ndarray) else signal.as_lazy()


def _array(image: Any, *, lazy: bool) -> Any:
    """NumPy's, or Dask's where the signal is lazy or images are computed as they are asked for."""
    from stemzoo.integrations.blocks import as_dask

    is_here = isinstance(image, np.ndarray)
    return image if is_here and not lazy else as_dask(image)


def _surface(data: Any, like: Any) -> Any:
    """A signal over shifts, with zero in the middle, in the units of the axes of `like`."""
    axes = [axis.get_axis_dictionary() for axis in like.axes_manager._axes]
    for axis, size in zip(axes[-2:], data.shape[-2:], strict=True):
        axis |= {"size": size, "offset": -(size // 2) * axis["scale"]}
    signal = type(like)(data, axes=axes)
    signal.metadata.General.title = like.metadata.General.title
    return signal
