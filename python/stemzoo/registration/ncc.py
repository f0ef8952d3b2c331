"""Normalised cross-correlation surfaces, computed by the core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import any_kind, native, native_image
from stemzoo.common.devices import (
    as_given,
    device_name,
    given_to,
    gpu_for,
    on_gpu,
    stream_of,
)
from stemzoo.common.settings import thread_count
from stemzoo.common.travel import Remade

Surface = NDArray[np.float32]

# Of a GPU for frames at a time: what passes between steps stays in its cache.
WORKING_BYTES = 48 << 20
MASKED_BYTES = 512 << 20  # in float64, and of six correlations for each


@any_kind("reference", "moving")
def ncc(
    reference: ArrayLike,
    moving: ArrayLike,
    max_shift: int | tuple[int, int] = 32,
    *,
    min_overlap: float = 0.25,
    threads: int | None = None,
    device: str | None = None,
    stream: Any = None,
) -> Surface:
    """How alike two images are at every shift up to `max_shift`, zero shift in the middle.

    `surface[m + dy, m + dx]` is Pearson's correlation of `reference(r)` and `moving(r + d)` over
    the pixels both have at that shift, each with its own mean and variance: in [-1, 1]. The peak is
    at `d` where `moving(r) = reference(r - d)`. Where nothing can be said it is 0: an overlap that
    is constant in either image, of one pixel, or of less than `min_overlap` of the image.

    Masked arrays are correlated over the pixels valid in both. Hot pixels count like any other, so
    mask them. A stack of moving frames gives a stack of surfaces.

    `device="cuda"` (or "cuda:1") does it on a GPU, as do arrays that lie on one, whose kind the
    result has; `stream` is the CUDA stream that they are ready on.
    """
    workers = thread_count(threads)
    if np.ndim(moving) == 3 or gpu_for(device, reference, moving) is not None:
        prepared = NccReference(
            reference,
            max_shift,
            min_overlap=min_overlap,
            threads=threads,
            device=device_name(gpu_for(device, reference, moving)),
            stream=stream,
        )
        return prepared(moving, stream=stream)
    still, still_mask = _masked(reference, "reference", ndim=2)
    image, mask = _masked(moving, "moving", ndim=2)
    shifts = _shift_pair(max_shift, still.shape)
    return _core.ncc(still, image, shifts, min_overlap, still_mask, mask, workers)


class NccReference(Remade):
    """A reference that keeps its Fourier transform and sums, for frame after frame against it.

    It pickles as what it was made of, and is transformed anew where it arrives. `device` and
    `stream` are as in `ncc`: on a GPU, stacks are correlated some frames at a time, and frames of
    the host are copied there meanwhile. Where images are masked, surfaces are arrays of the host.
    """

    def __init__(
        self,
        reference: ArrayLike,
        max_shift: int | tuple[int, int] = 32,
        *,
        min_overlap: float = 0.25,
        threads: int | None = None,
        device: str | None = None,
        stream: Any = None,
    ) -> None:
        self.threads = thread_count(threads)
        self._min_overlap = min_overlap
        self._gpu = gpu_for(device, reference)
        self._reference: Any
        if self._gpu is not None:
            self._keep_on_gpu(self._gpu, reference, max_shift, stream)
            return
        image, mask = _masked(reference, "reference", ndim=2)
        self._max_shift = _shift_pair(max_shift, image.shape)
        # A copy, so that it pickles as what it is whatever becomes of the caller's array.
        self._reference = (
            image.copy() if mask is None else np.ma.MaskedArray(image, mask == 0, copy=True)
        )
        self._core = _core.NccReference(image, self._max_shift, min_overlap, mask, self.threads)

    def _keep_on_gpu(
        self, gpu: int, reference: Any, max_shift: int | tuple[int, int], stream: Any
    ) -> None:
        self._masked: _core.DeviceMaskedCorrelator | None = None
        self._correlator: _core.DeviceCorrelator | None = None
        if np.ma.is_masked(reference):
            image, mask = _masked(reference, "reference", ndim=2)
            self._max_shift = _shift_pair(max_shift, image.shape)
            self._reference = np.ma.MaskedArray(image, mask == 0, copy=True)
            self._masked = self._masked_correlator(gpu, image, mask, stream)
            return
        image = _unmasked(gpu, reference, "reference", 2, stream)
        self._max_shift = _shift_pair(max_shift, image.shape)
        self._kept = image  # for frames with masks
        self._reference = None if on_gpu(reference) else image.copy()
        self._correlator = _core.DeviceCorrelator(
            image,
            self._max_shift,
            self._min_overlap,
            WORKING_BYTES,
            gpu,
            stream_of(stream, reference),
        )

    def _masked_correlator(
        self, gpu: int, image: NDArray[Any], mask: NDArray[np.uint8] | None, stream: Any
    ) -> _core.DeviceMaskedCorrelator:
        return _core.DeviceMaskedCorrelator(
            image,
            mask,
            self._max_shift,
            self._min_overlap,
            MASKED_BYTES,
            gpu,
            stream_of(stream),
            self.threads,
        )

    def _on_gpu(self, gpu: int, moving: Any, ndim: int, stream: Any) -> Any:
        if self._correlator is not None and not np.ma.is_masked(moving):
            frames = _unmasked(gpu, moving, "moving", ndim, stream)
            return as_given(self._correlator.correlate(frames, stream_of(stream, moving)), moving)
        if self._masked is None:
            self._masked = self._masked_correlator(
                gpu, native(self._kept, "reference"), None, stream
            )
        images, masks = _masked(moving, "moving", ndim)
        return self._masked.correlate(images, masks, stream_of(stream))

    @property
    def device_bytes(self) -> int:
        """Memory of the GPU that it holds now; 0 on the CPU."""
        if self._gpu is None:
            return 0
        return sum(each.bytes for each in (self._correlator, self._masked) if each is not None)

    def _made_of(self) -> dict[str, Any]:
        if self._reference is None:
            raise TypeError(
                "an NccReference made of an array on a GPU does not travel to another process; "
                "make one there, or make it of an array of the host"
            )
        return {
            "reference": self._reference,
            "max_shift": self._max_shift,
            "min_overlap": self._min_overlap,
            "threads": self.threads or None,
            "device": device_name(self._gpu),
        }

    def __call__(self, moving: ArrayLike, *, stream: Any = None) -> Surface:
        ndim = 3 if np.ndim(moving) == 3 else 2
        if self._gpu is not None:
            result: Surface = self._on_gpu(self._gpu, moving, ndim, stream)
            return result
        frames, masks = _masked(moving, "moving", ndim)
        return self._core.correlate(frames, masks, self.threads)


def _unmasked(gpu: int, image: Any, name: str, ndim: int, stream: Any) -> Any:
    """What a GPU correlates: an array of its own or of the host, of which every pixel is valid."""
    if not on_gpu(image):
        return native_image(np.ma.getdata(image), name, ndim)
    tensor = given_to(gpu, image, name, stream)
    if tensor.ndim != ndim or 0 in tensor.shape:
        raise ValueError(f"{name} has shape {tensor.shape}; expected {ndim} dimensions and pixels")
    return tensor


def _masked(
    image: ArrayLike, name: str, ndim: int
) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """The pixels, and which of them are valid where the array is masked."""
    if not np.ma.isMaskedArray(image):
        return native_image(image, name, ndim), None
    pixels, mask = native_image(np.ma.getdata(image), name, ndim), np.ma.getmaskarray(image)
    return pixels, native(~mask, name) if mask.any() else None


def _shift_pair(max_shift: int | tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
    pair = tuple(max_shift) if isinstance(max_shift, Sequence) else (max_shift, max_shift)
    fits = len(pair) == 2 and all(
        isinstance(m, int | np.integer) and 0 <= m < n for m, n in zip(pair, shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"max_shift is {max_shift}; expected whole numbers (dy, dx), or one for both, "
            f"from 0 to less than the image's size {shape}"
        )
    return int(pair[0]), int(pair[1])
