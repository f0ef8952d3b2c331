"""The path of a series refined on the counts: each frame against the average of all others.

That average has little noise, so a frame's place is known as well as its own counts allow. The
frame itself is not in it: its own noise would hold it where it is. Frames are laid onto each other
to the nearest pixel, which mixes no pixels and keeps their noise white. What rounding leaves
displaces the average by its mean, and blurs it by less than any probe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.alignment.least_squares import Floats
from stemzoo.alignment.measuring import Steps
from stemzoo.registration.pair import Frame

MOST_PIXELS = 1 << 26  # of the field that a series covers; drift over a wider one is not refined
STEPS = 30  # of conjugate gradients; where frames see one field, two are exact
EXACT = 1e-6  # px
PASSES = 2  # over the frames: to sum them, and to see each beside the sum
LEAST_CERTAIN = 1.0  # px: a refinement with a larger standard deviation tells nothing

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Placed:
    """Positions and the standard deviations against the first that has one; NaN without.

    `scores` are the correlations of frames with the average of the others where they lie, `chances`
    the standard deviations of those of unrelated frames; NaN where there is no such average."""

    positions: Floats
    sigma: Floats
    scores: Floats
    chances: Floats


def unrefined(positions: Floats, sigma: Floats) -> Placed:
    nothing = np.full(len(positions), math.nan)
    return Placed(positions, sigma, nothing, nothing.copy())


class Seen(NamedTuple):
    """A frame beside the average of the others: where it lies, and the variance of that if the
    counts tell it."""

    place: tuple[float, float]
    variance: tuple[float, float] | None
    score: float
    chance: float


@dataclass(frozen=True)
class Places:
    """Where frames lie in the field that a series covers.

    `at` are their numbers; features of a frame that has moved by `corners`, whole pixels, stand
    that far from their place; `fractions` are what is left, less the mean of the others'.
    """

    at: NDArray[np.intp]
    corners: NDArray[np.int_]
    fractions: Floats
    shape: tuple[int, int]  # of a frame
    farthest: NDArray[np.int_]  # corner of the series
    field: tuple[int, int]

    @classmethod
    def of(cls, rough: Placed, shape: tuple[int, int]) -> Places | None:
        """None where there are too few frames, or too wide a field, to refine anything."""
        at = np.flatnonzero(np.isfinite(rough.positions[:, 0]))
        if len(at) < 2:
            return None
        corners = np.rint(rough.positions[at]).astype(int)
        rows, columns = (np.ptp(corners, axis=0) + shape).tolist()
        if rows * columns > MOST_PIXELS:
            return None
        left = rough.positions[at] - corners
        fractions = left - _mean_of_others(corners, shape, left)
        return cls(at, corners, fractions, shape, corners.max(0), (rows, columns))

    def among(self, frames: range) -> Places:
        """Those of some frames of the series."""
        chosen = (self.at >= frames.start) & (self.at < frames.stop)
        return replace(
            self,
            at=self.at[chosen],
            corners=self.corners[chosen],
            fractions=self.fractions[chosen],
        )

    def window(self, order: int) -> tuple[slice, slice]:
        top, left = (self.farthest - self.corners[order]).tolist()
        return np.s_[top : top + self.shape[0], left : left + self.shape[1]]


def refined_together(
    frame_at: Callable[[int], Frame],
    rough: Placed,
    shape: tuple[int, int],
    steps: Steps,
    run: Any = map,
) -> Placed:
    """`frame_at` is asked for every frame that has a place, twice and in order; `run` maps a
    function over them."""
    places = Places.of(rough, shape)
    placed = 0 if places is None else len(places.at)
    steps.done(PASSES * (len(rough.positions) - placed))
    if places is None:
        return rough
    field = summed(places, frame_at, steps)
    measured = []
    for each in run(lambda order: seen(places, order, frame_at, field), range(placed)):
        measured.append(each)
        steps.done()
    return settled(places, rough, measured)


def summed(places: Places, frame_at: Callable[[int], Frame], steps: Steps) -> Field:
    """All that the frames show."""
    field = Field.empty(places)
    for order, index in enumerate(places.at.tolist()):
        field.add(frame_at(index), places.window(order))
        steps.done()
    return field


def seen(places: Places, order: int, frame_at: Callable[[int], Frame], field: Field) -> Seen:
    """A frame beside the average of the others of the field."""
    frame = frame_at(int(places.at[order]))
    start = (float(places.fractions[order, 0]), float(places.fractions[order, 1]))
    others = field.without(frame, places.window(order))
    if not (others and frame.counts):
        return Seen(start, None, math.nan, math.nan)
    found = _core.refine(others, frame.counts, start)
    place, variance = (found[:2], (found[2][0], found[2][2])) if found else (start, None)
    if variance and max(variance) > LEAST_CERTAIN**2:
        place, variance = start, None
    score = _core.overlap_correlation(others, frame.counts, place)
    return Seen(place, variance, score, _core.chance(others, frame.counts, place))


def settled(places: Places, rough: Placed, measured: Sequence[Seen]) -> Placed:
    """The path on which every frame lies as it was seen."""
    at, corners, shape = places.at, places.corners, places.shape
    known = np.array([each.variance is not None for each in measured])
    found = np.array([each.place + (each.variance or (0.0, 0.0)) for each in measured])
    # The frames of the average are themselves misplaced, by what is being looked for.
    exact = _solved(corners, shape, found[:, :2], rough.positions[at] - corners)
    own = found[:, 2:] / (1 + _share_of_others(corners, shape)[:, None])
    # Frames that hardly see what the first sees are tied to it by the rough path alone.
    apart = 1 - np.maximum(1 - np.abs(corners - corners[0]) / np.array(shape), 0).prod(1)
    rough_sigma = rough.sigma[at]
    refined_sigma = np.sqrt(own + own[0] + (apart[:, None] * rough_sigma) ** 2)
    sigma = np.where(known[:, None], refined_sigma, rough_sigma)
    sigma[0] = 0
    result = unrefined(np.full_like(rough.positions, math.nan), np.full_like(rough.sigma, math.nan))
    result.positions[at] = corners - corners[0] + exact - exact[0]
    result.sigma[at] = sigma
    result.scores[at] = [each.score for each in measured]
    result.chances[at] = [each.chance for each in measured]
    return result


@dataclass(frozen=True)
class Field:
    """All that a series shows: the sum of its frames, and how many show each pixel."""

    total: NDArray[Any]
    count: NDArray[Any]

    @classmethod
    def empty(cls, places: Places) -> Field:
        return cls(np.zeros(places.field, np.float32), np.zeros(places.field, np.float32))

    def __add__(self, other: Field) -> Field:
        return Field(self.total + other.total, self.count + other.count)

    def add(self, frame: Frame, window: tuple[slice, slice]) -> None:
        self.total[window] += frame.pixels
        self.count[window] += _shown(frame)

    def without(self, frame: Frame, window: tuple[slice, slice]) -> _core.DriftFrame | None:
        """The average of the other frames where this one looked; None where they show nothing."""
        total, count = self.total[window] - frame.pixels, self.count[window]
        count = count - _shown(frame)
        if not count.any():
            return None
        whole = bool(count.all())
        total /= count if whole else np.maximum(count, 1)
        return _core.DriftFrame(total, None if whole else count > 0, 1)


def _shown(frame: Frame) -> Any:
    """1 for each pixel that the frame shows."""
    return np.float32(1) if frame.valid is None else frame.valid.astype(np.float32)


def _overlaps(
    places: NDArray[np.int_], shape: tuple[int, int], rows: slice, power: int = 1
) -> Floats:
    """How much frames at some places show of frames at all places."""
    apart = np.abs(places[rows, None] - places[None])
    common: Floats = np.maximum(1 - apart / np.array(shape), 0).prod(2) ** power
    return common


def _times(
    corners: NDArray[np.int_], shape: tuple[int, int], values: Floats, power: int = 1
) -> Floats:
    """Of each frame, the sum of the others' values, times how much of them it shows.

    Frames of a long series share places, which are far fewer than frames.
    """
    places, at = np.unique(corners, axis=0, return_inverse=True)
    at = at.reshape(-1)  # NumPy 2.0 gives it another shape
    sums = np.stack([np.bincount(at, each, len(places)) for each in values.T], 1)
    rows = max(1, (1 << 22) // len(places))
    blocks = [slice(start, start + rows) for start in range(0, len(places), rows)]
    seen = np.concatenate([_overlaps(places, shape, block, power) @ sums for block in blocks])
    others: Floats = seen[at] - values
    return others


def _totals(corners: NDArray[np.int_], shape: tuple[int, int]) -> Floats:
    return np.maximum(_times(corners, shape, np.ones((len(corners), 1))), 1e-12)


def _mean_of_others(corners: NDArray[np.int_], shape: tuple[int, int], values: Floats) -> Floats:
    return _times(corners, shape, values) / _totals(corners, shape)


def _share_of_others(corners: NDArray[np.int_], shape: tuple[int, int]) -> Floats:
    """The variance of the average of the others, of that of one frame."""
    squares = _times(corners, shape, np.ones((len(corners), 1)), power=2)[:, 0]
    share: Floats = squares / _totals(corners, shape)[:, 0] ** 2
    return share


def _solved(
    corners: NDArray[np.int_], shape: tuple[int, int], found: Floats, start: Floats
) -> Floats:
    """Displacements that differ from the mean of the others' by what was found.

    Conjugate gradients: the matrix, totals on its diagonal less overlaps, is symmetric.
    """
    totals = _totals(corners, shape)
    solution = start.copy()
    rest = totals * (found - solution) + _times(corners, shape, solution)
    rest -= rest.mean(0)  # a displacement of all means nothing
    direction, size = rest.copy(), (rest**2).sum(0)
    for _ in range(STEPS):
        if np.abs(rest / totals).max() < EXACT:
            break
        image = totals * direction - _times(corners, shape, direction)
        step = size / np.maximum((direction * image).sum(0), 1e-300)
        solution += step * direction
        rest -= step * image
        before, size = size, (rest**2).sum(0)
        direction = rest + size / np.maximum(before, 1e-300) * direction
    return solution
