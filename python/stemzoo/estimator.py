"""Pairs of frames to drifts, with what is needed of each frame computed once.

`drift` uses it for one pair, `align` for all pairs of a series, `DriftTracker` for a live one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo._arrays import native_image
from stemzoo.drift import Drift
from stemzoo.model import Model
from stemzoo.ncc import ncc
from stemzoo.series import refined


@dataclass(frozen=True)
class Frame:
    """What an estimator keeps of one frame; made by Estimator.frame, read by nobody else."""

    pixels: NDArray[Any]


class Estimator:
    """Drifts between frames of one shape. Threads may share it."""

    def __init__(
        self,
        shape: tuple[int, int],
        model: str | Model | None = "drift-lattice",
        *,
        max_shift: int | None = None,
        threads: int | None = None,
    ) -> None:
        """`model` None is the classical estimator, which needs no network. Shifts are looked for up
        to `max_shift` pixels along either axis, by default a third of the frame."""
        self.shape = shape
        self.max_shift = max_shift or min(shape) // 3

    def frame(self, image: ArrayLike, name: str = "image") -> Frame:
        return Frame(np.asarray(native_image(image, name), np.float32))

    def pair(self, reference: Frame, moving: Frame) -> Drift:
        surface = ncc(reference.pixels, moving.pixels, self.max_shift)
        row, column = np.unravel_index(int(surface.argmax()), surface.shape)
        if not surface.any():
            return Drift(math.nan, math.nan, (math.inf, math.inf), True, 0.0, ())
        dy, dx = refined(surface, int(row), int(column))
        return Drift(dy, dx, (0.1, 0.1), False, float(surface.max()), ())
