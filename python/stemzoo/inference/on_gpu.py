"""Images through a network without leaving the GPU: the core normalises and blends them there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.common.arrays import image_or_stack
from stemzoo.common.devices import as_given, on_gpu, stream_of, tensor_of
from stemzoo.common.errors import ModelError
from stemzoo.common.progress import Progress
from stemzoo.inference.session import Session

Normalised = tuple[float, float, tuple[float, float] | None]  # mean, std, range but for hot pixels


@dataclass(frozen=True)
class GpuResult:
    image: Any  # of the caller's kind
    normalised: list[Normalised]  # of each frame
    pixels: NDArray[Any] | None  # what was given, if it came from the host
    mask: NDArray[np.bool_] | None


class GpuRuns:
    """Of one session. Images take turns: they share the memory that is bound to the network."""

    def __init__(self, session: Session, path: object) -> None:
        self._session, self._path = session, path
        self._turn = threading.Lock()

    def takes(self, image: Any) -> bool:
        """Whether an image goes this way: it is on a GPU, or the network is, and the core too."""
        there = on_gpu(image)
        if not there and self._session.gpu is None:
            return False
        devices, reason, emulated = _core.cuda_devices()
        if not there:
            return bool(devices)
        if not devices:
            raise ValueError(f"image lies on a GPU, which the core cannot use: {reason}")
        if self._session.gpu is None and not emulated:
            raise ValueError(
                f"image lies on a GPU and the network runs on {self._session.provider}; load the "
                "model with device='cuda', or give an array of the host"
            )
        return True

    def run(
        self,
        image: Any,
        plan: Callable[[tuple[int, int]], _core.Tiling],
        normalisation: tuple[float, float] | None,
        stream: Any,
        progress: Progress | None,
    ) -> GpuResult:
        """An image, or a stack frame by frame; arrays of the host come back to it."""
        pixels, mask = (None, None) if on_gpu(image) else image_or_stack(image, "image")
        given: Any = tensor_of(image, stream) if pixels is None else _filled(pixels, mask)
        frames = _frames(given)
        gpu: int = (self._session.gpu or 0) if pixels is not None else given.device
        out = _core.DeviceTensor.empty(gpu, given.shape)
        single = given.ndim == 2
        tiling, handle = plan(frames[0].shape), stream_of(stream, image)
        normalised = []
        for index, frame in enumerate(frames):
            to = out if single else out.frame(index)
            follow = progress if single else None
            with self._turn:
                _, mean, std, limits = _core.run_network_on_device(
                    frame, tiling, self._answer, normalisation, to, handle, follow
                )
            normalised.append((mean, std, limits))
            if progress and not single:
                progress(index + 1, len(frames))
        result = as_given(out, image) if pixels is None else out.to_host()
        return GpuResult(result, normalised, pixels, mask)

    def _answer(self, batch: _core.DeviceTensor) -> _core.DeviceTensor:
        answer = self._session.run_bound(batch)
        if not answer.finite():
            raise ModelError(
                f"{self._path} gave NaN or infinity for pixels that are numbers; the network is "
                "broken: use another model or version"
            )
        return answer


def _frames(given: Any) -> list[Any]:
    """The image, or the frames of a stack, where they lie."""
    if given.ndim == 2 and 0 not in given.shape:
        return [given]
    if given.ndim != 3 or 0 in given.shape:
        raise ValueError(
            f"image has shape {given.shape}; expected a 2-D image (rows, columns) or a 3-D stack "
            "(frames, rows, columns) with pixels"
        )
    on_host = isinstance(given, np.ndarray)
    return [given[i] if on_host else given.frame(i) for i in range(given.shape[0])]


def _filled(pixels: NDArray[Any], mask: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Masked pixels given the mean of the others in their frame, as fill_masked.hpp does."""
    if mask is None or not mask.any():
        return pixels
    values = pixels.astype(np.float64)
    frames = zip(
        values[None] if values.ndim == 2 else values,
        mask[None] if mask.ndim == 2 else mask,
        strict=True,
    )
    for frame, hidden in frames:
        frame[hidden] = 0.0 if hidden.all() else frame[~hidden].mean()
    return values
