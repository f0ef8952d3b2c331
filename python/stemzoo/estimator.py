"""Pairs of frames to drifts, with what is needed of each frame computed once.

The frames' correlation has a peak wherever the drift may be: on a crystal at every lattice vector.
Which of them it is, features of each frame tell: maps that a small network makes of what is left of
the frame without its lattice. Multiplied and summed over the overlap they are the log-odds of a
drift. The likeliest one is then refined on the counts.

`drift` does this for one pair, `align` for all pairs of a series, `DriftTracker` for a live one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.answers import UNKNOWN, Drift, Shift
from stemzoo.candidates import STRIDE, Candidates, lags, prior_surface, weighed, with_likeliest
from stemzoo.classical import classical_features
from stemzoo.cleaning import Clean, cleaned
from stemzoo.model import Model, model_for

SURE = 0.9  # the probability from which an answer is not ambiguous
MOST_TOLD = 256  # candidates
UNREFINED = (0.3, 0.3)  # px: what a peak alone is good for
MOST_PEAKS = 1024
LEAST_SIDE = 16  # px
BLIND = 8  # px: features this near to a pixel that is none have seen it


@dataclass(frozen=True)
class Frame:
    """What an estimator keeps of one frame; made by Estimator.frame, read by nobody else."""

    counts: _core.DriftFrame | None  # None: a blank frame, of which nothing can be said
    features: _core.Features | None = None


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
        self._reach = _reach(max_shift, shape)
        self.max_shift = min(self._reach)
        self._lags = lags(self._reach, shape)
        self._prior = prior_surface(self._lags, self._reach, shape)
        self.threads = threads or 0
        self._model = None if model is None else model_for("drift", model)
        if self._model and not self._model.contract.features:
            raise ValueError(
                f"{self._model.contract.name} reads correlations, and makes no features of a "
                "frame; use it by stemzoo.drift(reference, moving, model=...)"
            )

    def frame(self, image: ArrayLike, name: str = "image") -> Frame:
        """What a frame is known by. Masked pixels and borders of NaN are left out."""
        if np.shape(image) != self.shape:
            raise ValueError(f"{name} has shape {np.shape(image)}; expected {self.shape}")
        clean = cleaned(image, name)
        if not clean.pixels.any() or min(self.shape) < LEAST_SIDE:
            return Frame(None)
        counts = _core.DriftFrame(clean.pixels, clean.valid, self.threads)
        return Frame(counts, self._features(clean))

    def _features(self, clean: Clean) -> _core.Features:
        seen = _core.look(clean.pixels, self.threads)
        maps = self._model.outputs(seen[None])[0][0] if self._model else classical_features(seen)
        if clean.seen is not None:
            maps = maps * trusted(clean.seen, (seen.shape[1], seen.shape[2]))
        return _core.Features(maps, self._lags, self.threads)

    def pair(self, reference: Frame, moving: Frame, *, refined: bool = True) -> Drift:
        """The drift between two frames. Without `refined` it is good to a few tenths of a pixel,
        and takes half the time."""
        if not (reference.counts and moving.counts and reference.features and moving.features):
            return UNKNOWN
        counts = (reference.counts, moving.counts)
        shifts = _core.peaks(*counts, self._reach, MOST_PEAKS, self.threads)
        odds = _core.log_odds(reference.features, moving.features, self.threads)
        shifts = with_likeliest(shifts, odds, self._prior)
        if not len(shifts):
            return UNKNOWN
        found = weighed(shifts, odds, self.shape)
        peak = (float(found.shifts[0, 0]), float(found.shifts[0, 1]))
        sure = bool(found.probability[0] >= SURE)
        answer, sigma = peak, UNREFINED
        if refined:
            result = _core.refine(*counts, peak)
            # Where the counts do not support a peak, nothing is known to better than its width.
            sure = sure and result is not None
            if result is not None:
                dy, dx, (yy, _, xx) = result
                answer, sigma = (dy, dx), (math.sqrt(yy), math.sqrt(xx))
        return Drift(
            *answer,
            sigma,
            ambiguous=not sure,
            score=_core.overlap_correlation(*counts, answer),
            candidates=_told(found),
        )


def _told(found: Candidates) -> tuple[tuple[Shift, float], ...]:
    rest = zip(found.shifts[1:MOST_TOLD], found.probability[1:MOST_TOLD], strict=True)
    return tuple(((float(dy), float(dx)), float(p)) for (dy, dx), p in rest)


def trusted(valid: NDArray[np.bool_], shape: tuple[int, int]) -> NDArray[np.float32]:
    """One for features of `shape` that have seen real pixels only, else zero."""
    rows, columns = (STRIDE * side for side in shape)
    lost = ~valid[:rows, :columns]
    for axis in (0, 1):
        sums = np.cumsum(np.insert(lost, 0, 0, axis), axis, dtype=np.int32)
        side = lost.shape[axis]
        place = np.arange(side)
        ends = sums.take(np.minimum(place + BLIND + 1, side), axis)
        lost = ends > sums.take(np.maximum(place - BLIND, 0), axis)
    return (~lost[::STRIDE, ::STRIDE]).astype(np.float32)


def _reach(max_shift: int | None, shape: tuple[int, int]) -> tuple[int, int]:
    if max_shift is None:
        return (max(1, shape[0] // 3), max(1, shape[1] // 3))
    most = min(shape) - 1
    if isinstance(max_shift, bool) or not isinstance(max_shift, int | np.integer):
        raise ValueError(f"max_shift is {max_shift!r}; expected a whole number from 1 to {most}")
    if not 1 <= max_shift <= most:
        raise ValueError(
            f"max_shift is {max_shift}; expected a whole number from 1 to {most}, less than the "
            f"frame's size {shape}"
        )
    return (int(max_shift), int(max_shift))
