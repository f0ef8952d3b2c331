"""Pairs of frames to drifts, with what is needed of each frame computed once.

The frames' correlation has a peak wherever the drift may be: on a crystal at every lattice vector.
Which of them it is, features of each frame tell: maps that a small network makes of what is left of
the frame without its lattice. Multiplied and summed over the overlap they are the log-odds of a
drift. The likeliest one is then refined on the counts.

`drift` does this for one pair, `align` for all pairs of a series, `DriftTracker` for a live one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.errors import ModelError
from stemzoo.common.threads import thread_count
from stemzoo.inference.model import Model, model_for
from stemzoo.model_file.contract import LOOK, Contract
from stemzoo.registration.answers import UNKNOWN, Candidate, Drift, Shift
from stemzoo.registration.approach import LEAST_SIDE, approached
from stemzoo.registration.candidates import (
    COARSE,
    PEAK_SIGMA,
    STRIDE,
    Candidates,
    Expected,
    Peaks,
    between,
    is_sharp,
    lags,
    looked_at,
    middle,
    plain_answer,
    prior_surface,
    ruled_out,
    weighed,
    where_expected,
    with_likeliest,
)
from stemzoo.registration.classical import classical_features, classical_odds, classical_peaks
from stemzoo.registration.cleaning import Clean, cleaned
from stemzoo.registration.doubt import (
    BROAD,
    CHANCE,
    LIMIT,
    OTHERS,
    at_limit,
    beyond_chance,
    first_doubt,
)
from stemzoo.registration.named_model import NamedModel

# An answer is not ambiguous from this probability on, if the frames themselves, by this factor's
# logarithm, speak for it: that a drift is the shortest possible is no evidence.
SURE, EVIDENCE = 0.93, 1.75
PLAIN = 12.0  # evidence of coarse features that needs no finer ones
MOST_TOLD = 256  # candidates
FEW_TOLD = 16  # of a drift that is not refined
UNREFINED = (PEAK_SIGMA, PEAK_SIGMA)  # what a peak alone is good for
MOST_PEAKS = 1024
BLIND = 4  # features this near to a pixel that is none have seen it


@dataclass(frozen=True)
class Features:
    """What tells candidates apart."""

    rest: _core.Features
    maps: _core.Features | None  # a network's, if there is one
    needed: int  # the stride at which they show all that the frame has to show


@dataclass
class Frame:
    """What an estimator keeps of one frame; made by Estimator.frame, read by nobody else."""

    counts: _core.DriftFrame | None  # None: a blank frame, of which nothing can be said
    clean: Clean
    features: dict[int, Features] = field(default_factory=dict)  # by their stride, px

    def __reduce__(self) -> tuple[Any, ...]:
        """What is computed of the pixels is computed again, and comes out the same."""
        return _made_again, (self.clean, self.counts is not None)


def _made_again(clean: Clean, counted: bool) -> Frame:
    return Frame(_core.DriftFrame(clean.pixels, clean.valid, 1) if counted else None, clean)


class Estimator:
    """Drifts between frames of one shape. Threads may share it; pickled, it names its model."""

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
        self.threads = thread_count(threads)
        self.shape = shape
        self._reach = _reach(max_shift, shape)
        self.max_shift = min(self._reach)
        # Near the true drift alone nobody could tell what stands out: chance is seen far around it.
        usual = _reach(None, shape)
        self._far = (max(self._reach[0], usual[0]), max(self._reach[1], usual[1]))
        self._model = None if model is None else model_for("drift", model)
        if self._model:
            _require_features(self._model.contract)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_model": self._model and NamedModel.of(self._model)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        named = state["_model"]
        vars(self).update(state, _model=named and named.opened())

    def frame(self, image: ArrayLike, name: str = "image") -> Frame:
        """What a frame is known by. Masked pixels and borders of NaN are left out."""
        if np.shape(image) != self.shape:
            raise ValueError(f"{name} has shape {np.shape(image)}; expected {self.shape}")
        clean = cleaned(image, name)
        if not clean.pixels.any() or min(self.shape) < LEAST_SIDE:
            return Frame(None, clean)
        return Frame(_core.DriftFrame(clean.pixels, clean.valid, self.threads), clean)

    def _candidates(self, reference: Frame, moving: Frame, peaks: Peaks) -> Candidates | None:
        """Where the drift may be, by coarse features; by fine ones where these leave doubt, and the
        frames have more to show."""
        by_height = self._by_height(reference, moving, peaks)
        found = self._weighed(reference, moving, peaks, by_height, COARSE)
        needed = min(self._features(frame, COARSE).needed for frame in (reference, moving))
        if needed == COARSE or (found and is_plain(found, peaks)):
            return found
        return self._weighed(reference, moving, peaks, by_height, STRIDE)

    def _weighed(
        self,
        reference: Frame,
        moving: Frame,
        peaks: Peaks,
        by_height: NDArray[np.float64] | float,
        stride: int,
    ) -> Candidates | None:
        odds = self._odds(reference, moving, stride)
        shifts = peaks[:, :2]
        if self._model or not len(peaks):
            extent = lags(self._reach, self.shape, stride)
            prior = prior_surface(extent, self._reach, self.shape, stride)
            shifts = with_likeliest(shifts, odds, prior, stride)
        return weighed(shifts, odds, self.shape, by_height, stride) if len(shifts) else None

    def _odds(self, reference: Frame, moving: Frame, stride: int) -> NDArray[np.float32]:
        """The log-odds of drifts `stride` px apart."""
        still, moved = (self._features(frame, stride) for frame in (reference, moving))
        everywhere = classical_odds(_core.log_odds(still.rest, moved.rest, self.threads))
        odds = middle(everywhere, lags(self._reach, self.shape, stride))
        if still.maps and moved.maps:
            odds += _core.log_odds(still.maps, moved.maps, self.threads)
        return odds

    def _features(self, frame: Frame, stride: int) -> Features:
        # Two threads may both make them, and make the same.
        if stride not in frame.features:
            frame.features[stride] = self._made(frame.clean, stride)
        return frame.features[stride]

    def _made(self, clean: Clean, stride: int) -> Features:
        seen, needed = _core.look(clean.pixels, stride, self.threads)
        trust = None if clean.seen is None else trusted(clean.seen, stride)

        def transformed(maps: NDArray[np.float32], reach: tuple[int, int]) -> _core.Features:
            extent = lags(reach, self.shape, stride)
            return _core.Features(maps if trust is None else maps * trust, extent, self.threads)

        maps = self._model.outputs(seen[None])[0][0] if self._model else None
        return Features(
            transformed(classical_features(seen), self._far),
            None if maps is None else transformed(maps, self._reach),
            needed,
        )

    def pair(
        self,
        reference: Frame,
        moving: Frame,
        *,
        refined: bool = True,
        expected: Expected | None = None,
    ) -> Drift:
        """The drift between two frames. Without `refined` it is good to a tenth of a pixel or two,
        takes a quarter of the time, and comes with few candidates.

        Where the drift is `expected` somewhere, and of all peaks only one lies there, that is the
        answer, and features are not asked.
        """
        if not (reference.counts and moving.counts):
            return UNKNOWN
        peaks = _core.peaks(reference.counts, moving.counts, self._reach, MOST_PEAKS, self.threads)
        found = self._likeliest(reference, moving, peaks, expected)
        if found is None:
            return UNKNOWN
        peak = (float(found.shifts[0, 0]), float(found.shifts[0, 1]))
        sharp = is_sharp(peaks, peak)
        exact = self._refined(reference, moving, peak, sharp) if refined else None
        answer, sigma = exact or (peak, UNREFINED)
        score = self.likeness(reference, moving, answer)
        doubts = {
            CHANCE: not self.beyond_chance(reference, moving, answer, len(peaks)),
            LIMIT: at_limit(answer, self._reach),
            OTHERS: found.probability[0] < SURE or found.evidence < EVIDENCE,
            BROAD: refined and exact is None and not sharp,
        }
        reason = first_doubt(doubts)
        told = _told(found, MOST_TOLD if refined else FEW_TOLD)
        return Drift(*answer, sigma, bool(reason), score, told, reason)

    def _likeliest(
        self, reference: Frame, moving: Frame, peaks: Peaks, expected: Expected | None
    ) -> Candidates | None:
        place = plain_answer(peaks, expected)
        if place is None:
            return self._candidates(reference, moving, peaks)
        return Candidates(peaks[place : place + 1, :2], np.ones(1), math.inf)

    def _refined(
        self, reference: Frame, moving: Frame, peak: Shift, sharp: bool
    ) -> tuple[Shift, Shift] | None:
        """The drift on the counts and its standard deviation; None where nothing is known to better
        than the peak's width."""
        if not (reference.counts and moving.counts):
            return None
        counts = (reference.counts, moving.counts)
        result = _core.refine(*counts, peak)
        if not sharp and (result is None or math.dist(result[:2], peak) > 1):
            near = approached(reference.clean, moving.clean, peak, self.threads)
            result = _core.refine(*counts, near)
        if result is None or (sharp and math.dist(result[:2], peak) > 1):
            return None
        dy, dx, (yy, _, xx) = result
        return (dy, dx), (math.sqrt(yy), math.sqrt(xx))

    def confirmed(self, reference: Frame, moving: Frame, expected: Expected) -> Drift | None:
        """The drift at the one peak where it is expected, good to a tenth of a pixel or two; None
        if there is not one. What lies elsewhere is not looked at."""
        if not (reference.counts and moving.counts):
            return None
        around = zip(expected.shift, expected.sigma, self._reach, strict=True)
        reach = [min(math.ceil(abs(at) + ruled_out(sigma)), most) for at, sigma, most in around]
        counts = (reference.counts, moving.counts)
        peaks = _core.peaks(*counts, (reach[0], reach[1]), MOST_PEAKS, self.threads)
        place = where_expected(peaks[:, :2], expected)
        if place is None:
            return None
        dy, dx = peaks[place, :2].tolist()
        score = self.likeness(reference, moving, (dy, dx))
        reason = "" if self.beyond_chance(reference, moving, (dy, dx), MOST_PEAKS) else CHANCE
        return Drift(dy, dx, UNREFINED, bool(reason), score, (), reason)

    def likeness(self, reference: Frame, moving: Frame, shift: Shift) -> float:
        """The correlation of the frames where they overlap once the drift is undone."""
        if not (reference.counts and moving.counts):
            return 0.0
        return _core.overlap_correlation(reference.counts, moving.counts, shift)

    def beyond_chance(self, reference: Frame, moving: Frame, shift: Shift, places: int = 1) -> bool:
        """Whether they correlate there by more than chance makes at the best of so many places: as
        they are, or without their lattice."""
        if not (reference.counts and moving.counts):
            return False
        chance = _core.chance(reference.counts, moving.counts, shift)
        return beyond_chance(
            self.likeness(reference, moving, shift), chance, places
        ) or self._rest_beyond_chance(reference, moving, shift)

    def _rest_beyond_chance(self, reference: Frame, moving: Frame, shift: Shift) -> bool:
        """Chance is what is seen of it at all other shifts."""
        still, moved = (self._features(frame, COARSE).rest for frame in (reference, moving))
        everywhere = _core.log_odds(still, moved, self.threads)
        there = float(between(everywhere, np.array([shift]) / COARSE)[0])
        root = math.sqrt(everywhere.size)
        deviation = max(float(everywhere.std()), 1e-30)
        return beyond_chance(there / deviation / root, 1 / root, everywhere.size)

    def _by_height(
        self, reference: Frame, moving: Frame, peaks: Peaks
    ) -> NDArray[np.float64] | float:
        """What the peaks say themselves. A network's features have seen it all."""
        if self._model or not len(peaks):
            return 0.0
        alike = self.likeness(reference, moving, (peaks[0, 0], peaks[0, 1]))
        return classical_peaks(peaks, alike, self.shape)


def _require_features(contract: Contract) -> None:
    if not contract.features:
        raise ValueError(
            f"{contract.name} reads correlations, and makes no features of a frame; use it by "
            "stemzoo.drift(reference, moving, model=...)"
        )
    if contract.look != LOOK:
        raise ModelError(
            f"{contract.name} {contract.version} reads looks of kind {contract.look}, and this "
            f"stemzoo makes kind {LOOK}; use a "
            + ("later stemzoo" if contract.look > LOOK else "later version of the model")
        )


def _told(found: Candidates, most: int) -> tuple[Candidate, ...]:
    rest = zip(found.shifts[1:most].tolist(), found.probability[1:most].tolist(), strict=True)
    return tuple(Candidate(dy, dx, probability) for (dy, dx), probability in rest)


def is_plain(found: Candidates, peaks: Peaks) -> bool:
    """Whether it is a peak, and nothing else comes near: finer features would say the same."""
    at_peak = (peaks[:, :2] == found.shifts[0]).all(1).any()
    return bool(at_peak and found.probability[0] >= SURE and found.evidence >= PLAIN)


def trusted(valid: NDArray[np.bool_], stride: int) -> NDArray[np.float32]:
    """One for features that have seen real pixels only, else zero."""
    rows, columns = (looked_at(side) for side in valid.shape)
    lost = ~valid[:rows, :columns]
    for axis in (0, 1):
        sums = np.cumsum(np.insert(lost, 0, 0, axis), axis, dtype=np.int32)
        side = lost.shape[axis]
        place = np.arange(side)
        ends = sums.take(np.minimum(place + BLIND * stride + 1, side), axis)
        lost = ends > sums.take(np.maximum(place - BLIND * stride, 0), axis)
    return (~lost[::stride, ::stride]).astype(np.float32)


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
