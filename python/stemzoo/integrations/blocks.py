"""Dask arrays: frames as blocks, large images as overlapping windows, a result that is lazy.

Every task knows what it makes (`meta`), so nothing is run to find out. Where the result is numbers,
such as drifts, they are computed at once, by the scheduler of the moment.
"""

from __future__ import annotations

import inspect
import traceback
from typing import Any

import dask
import dask.array as da
import numpy as np
from dask.array.core import apply_infer_dtype
from dask.array.utils import compute_meta

from stemzoo.alignment.denoise import denoise
from stemzoo.common.arrays import Call, native_image
from stemzoo.inference.model import Model, model_for
from stemzoo.inference.normalisation import normalisation_of
from stemzoo.integrations.mosaic import in_windows
from stemzoo.integrations.sent import Sent
from stemzoo.scan.restoration import fast_axis_of, restore

PROBES = (compute_meta.__code__, apply_infer_dtype.__code__)  # Dask's, of what a function gives


def run(call: Call) -> Any:
    """A lazy array of `denoise` and `restore`; of anything else, what it gives of the arrays."""
    if not any(isinstance(image, da.Array) for image in call.images()):
        return _of_a_pixel(call)
    ways = {"denoise": _denoised, "restore": _restored, "align": _aligned}
    return ways.get(call.function.__name__, _at_once)(call)


def as_dask(images: Any) -> da.Array:
    """Images that are at hand, or computed as they are asked for, frame by frame."""
    if isinstance(images, da.Array):
        return images
    if isinstance(images, np.ndarray):
        return da.from_array(images)
    frames = [dask.delayed(images.__getitem__)(index) for index in range(len(images))]
    return da.stack([da.from_delayed(each, images.shape[1:], images.dtype) for each in frames])


def _mapped(function: Any, image: da.Array, model: Model, **settings: Any) -> da.Array:
    """A function of images and a model on each block."""
    mapped: da.Array = da.map_blocks(
        _block,
        image,
        function,
        Sent.of(model),
        dtype=np.float32,
        meta=image._meta.astype(np.float32),
        **settings,
    )
    return mapped


def _block(frames: Any, function: Any, sent: Sent, **settings: Any) -> Any:
    return function(frames, sent.opened(), **settings)


def _of_a_pixel(call: Call) -> Any:
    """What an image of one pixel or none gives: its kind, where `dask.array.map_blocks` wants to
    know that before there are pixels; else the error."""
    asked = any(frame.f_code in PROBES for frame, _ in traceback.walk_stack(None))
    if asked and call.function.__name__ in ("denoise", "restore"):
        return np.empty_like(call.images()[0], np.float32)
    return inspect.unwrap(call.function)(**call.arguments)


def _denoised(call: Call) -> da.Array:
    image, model = _checked(call, "image"), model_for("denoise", call.arguments["model"])
    settings = _normalisation(call)
    if call.arguments["series"]:
        return _mapped(denoise, image.rechunk(-1), model, series=True, **settings)
    if image.ndim == 2:
        return in_windows(image, model, **settings)
    return _mapped(denoise, image.rechunk({1: -1, 2: -1}), model, **settings)


def _restored(call: Call) -> Any:
    image, model = _checked(call, "image"), model_for("restore", call.arguments["model"])
    if call.arguments["details"]:
        return _at_once(call)
    settings, axis = _normalisation(call), call.arguments["fast_axis"]
    finds_rows = bool(model.contract.denoiser)
    if image.ndim == 2 and not finds_rows:
        return in_windows(image, model, **settings)
    if image.ndim == 2:  # rows are judged as a whole
        return _mapped(restore, image.rechunk(-1), model, fast_axis=axis, **settings)
    if finds_rows and axis is None:
        first = image[0].rechunk(-1).to_delayed().item()
        axis = dask.delayed(_fast_axis, pure=True)(first, Sent.of(model), **settings)
    return _mapped(restore, image.rechunk({1: -1, 2: -1}), model, fast_axis=axis, **settings)


def _fast_axis(frame: Any, sent: Sent, **settings: Any) -> str:
    return fast_axis_of(frame, sent.opened(), **settings)


def _aligned(call: Call) -> Any:
    from stemzoo.integrations.series import align_blocks

    return align_blocks(**call.arguments | {"stack": _checked(call, "stack", 3)})


def _at_once(call: Call) -> Any:
    """The function on whole arrays, where the scheduler runs it."""
    opened = call.changed(lambda image: image.rechunk(-1) if isinstance(image, da.Array) else image)
    given = {name: value for name, value in opened.arguments.items() if name != "progress"}
    return dask.delayed(call.function)(**given).compute()


def _normalisation(call: Call) -> dict[str, Any]:
    """Refused before any work where it makes no sense."""
    given = {name: call.arguments[name] for name in ("mean", "std")}
    normalisation_of(**given)
    return given


def _checked(call: Call, name: str, ndim: int | None = None) -> da.Array:
    """The image in the same words as an array in memory, before anything is computed."""
    image: da.Array = call.arguments[name]
    if any(not isinstance(size, int) for size in image.shape):
        raise ValueError(
            f"{name} is a Dask array of shape {image.shape}, of which sizes are unknown; compute "
            f"them first: {name}.compute_chunk_sizes()"
        )
    like = np.broadcast_to(np.zeros((), image.dtype), image.shape)
    native_image(like, name, ndim or (3 if image.ndim == 3 else 2))
    return image
