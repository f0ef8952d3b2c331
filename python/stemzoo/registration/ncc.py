"""Normalised cross-correlation surfaces, computed by the core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import any_kind, native, native_image
from stemzoo.common.threads import thread_count
from stemzoo.common.travel import Remade

Surface = NDArray[np.float32]


@any_kind("reference", "moving")
def ncc(
    reference: ArrayLike,
    moving: ArrayLike,
    max_shift: int | tuple[int, int] = 32,
    *,
    min_overlap: float = 0.25,
    threads: int | None = None,
) -> Surface:
    """How alike two images are at every shift up to `max_shift`, zero shift in the middle.

    `surface[m + dy, m + dx]` is Pearson's correlation of `reference(r)` and `moving(r + d)` over
    the pixels both have at that shift, each with its own mean and variance: in [-1, 1]. The peak is
    at `d` where `moving(r) = reference(r - d)`. Where nothing can be said it is 0: an overlap that
    is constant in either image, of one pixel, or of less than `min_overlap` of the image.

    Masked arrays are correlated over the pixels valid in both. Hot pixels count like any other, so
    mask them. A stack of moving frames gives a stack of surfaces.
    """
    workers = thread_count(threads)
    if np.ndim(moving) == 3:
        return NccReference(reference, max_shift, min_overlap=min_overlap, threads=threads)(moving)
    still, still_mask = _masked(reference, "reference", ndim=2)
    image, mask = _masked(moving, "moving", ndim=2)
    shifts = _shift_pair(max_shift, still.shape)
    return _core.ncc(still, image, shifts, min_overlap, still_mask, mask, workers)


class NccReference(Remade):
    """A reference that keeps its Fourier transform and sums, for frame after frame against it.

    It pickles as what it was made of, and is transformed anew where it arrives.
    """

    def __init__(
        self,
        reference: ArrayLike,
        max_shift: int | tuple[int, int] = 32,
        *,
        min_overlap: float = 0.25,
        threads: int | None = None,
    ) -> None:
        self.threads = thread_count(threads)
        image, mask = _masked(reference, "reference", ndim=2)
        self._max_shift = _shift_pair(max_shift, image.shape)
        self._min_overlap = min_overlap
        # A copy, so that it pickles as what it is whatever becomes of the caller's array.
        self._reference = (
            image.copy() if mask is None else np.ma.MaskedArray(image, mask == 0, copy=True)
        )
        self._core = _core.NccReference(image, self._max_shift, min_overlap, mask, self.threads)

    def _made_of(self) -> dict[str, Any]:
        return {
            "reference": self._reference,
            "max_shift": self._max_shift,
            "min_overlap": self._min_overlap,
            "threads": self.threads or None,
        }

    def __call__(self, moving: ArrayLike) -> Surface:
        ndim = 3 if np.ndim(moving) == 3 else 2
        frames, masks = _masked(moving, "moving", ndim)
        return self._core.correlate(frames, masks, self.threads)


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
