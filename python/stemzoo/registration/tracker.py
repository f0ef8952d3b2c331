"""A live series, frame by frame: where its features are, how fast they move, where they will be.

Every drift is the whole way since the first reference. When features have moved so far that little
of the reference is left, the frame at hand takes its place; the error of its position is then part
of every error after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from stemzoo.common.arrays import native_image
from stemzoo.inference.model import Model
from stemzoo.registration.candidates import BEYOND, WITHIN, Expected
from stemzoo.registration.estimator import UNREFINED, Estimator, Frame
from stemzoo.registration.motion import Axis, Motion
from stemzoo.registration.pair import Candidate, Drift, Shift

RENEW = 0.5  # up to a half, no steady drift within max_shift a frame outruns the reference
FIELD = 3  # beyond a third of the field too little is in common, whatever max_shift allows
ASKED = 8  # every so many frames their features are asked, whatever the prediction says


@dataclass(frozen=True)
class Prediction:
    """Where features are expected: moved by (dy, dx) since the first reference."""

    dy: float
    dx: float
    sigma: tuple[float, float]


@dataclass(frozen=True)
class TrackedDrift(Drift):
    """A Drift since the first reference.

    `resolved` means that the frames alone left the answer open, and that the prediction chose it:
    of all candidates only this one is where the drift so far leads, within three standard
    deviations, and every other is beyond six. It is then no longer `ambiguous`; probabilities stay
    what the frames alone say, so a candidate may be more probable than the answer. Where the
    prediction leads to one peak the frames are not asked, so nothing is left open or resolved.
    """

    resolved: bool = False


class DriftTracker:
    """Follows the drift of a series that is still being recorded.

        track = stemzoo.DriftTracker(first)
        for frame in camera:
            drift = track.push(frame)

    Where the drift so far leads to one peak of the correlation and to no other, that peak is taken;
    every eighth frame is looked at without such help, so that a jump does not stay unseen.

    A frame of which nothing can be said, such as a blank one, has a drift of NaN with an infinite
    sigma and changes nothing. Ambiguous frames do not move the prediction either, unless it
    resolves them. Nothing can resolve the first frames of a perfect crystal: give it a `max_shift`
    below half its lattice spacing, if its drift from frame to frame is less than a quarter.

    A tracker is pickled and copied by its pixels and the name, version and sha256 of its model.
    """

    def __init__(
        self,
        reference: ArrayLike,
        model: str | Model | None = "drift-lattice",
        *,
        max_shift: int | None = None,
        renew: float | None = RENEW,
        threads: int | None = None,
    ) -> None:
        """The reference is renewed where features have moved by more than the share `renew` of
        `max_shift`, along either axis; with None, never. `max_shift` and `model` are as in
        `stemzoo.drift`."""
        if renew is not None and not 0 < renew <= 1:
            raise ValueError(
                f"renew is {renew}; expected a share of max_shift, above 0 and at most 1, or None "
                "to keep the first reference"
            )
        self.shape = _shape(reference)
        self._estimator = Estimator(self.shape, model, max_shift=max_shift, threads=threads)
        self._reach = min(self._estimator.max_shift, max(min(self.shape) // FIELD, 1))
        self._leash = math.inf if renew is None else renew * self._reach
        self._reference = self._estimator.frame(reference, "reference")
        if np.ma.min(reference) == np.ma.max(reference):
            raise ValueError(
                f"every pixel of reference is {np.ma.min(reference)}, so no frame has a drift from "
                "it; give a frame that shows the specimen"
            )
        self._pushed = 0
        self._position: Shift = (0.0, 0.0)  # of the reference, since the first one
        self._position_sigma = (0.0, 0.0)
        self._timed: bool | None = None  # the first frame says whether frames have times
        self._time, self._step = 0.0, 1.0  # of the last frame, and since the one before
        self._motion: Motion | None = None  # until the time of one position is known

    @property
    def rate(self) -> tuple[float, float]:
        """How fast features move along y and x: px per frame, or per second where times are in
        seconds; NaN until two positions are known."""
        if not self._motion or not self._motion.rate_known:
            return (math.nan, math.nan)
        y, x = self._motion.axes
        return (y.rate, x.rate)

    @property
    def rate_sigma(self) -> tuple[float, float]:
        if not self._motion or not self._motion.rate_known:
            return (math.inf, math.inf)
        y, x = self._motion.axes
        return (math.sqrt(y.rate_variance), math.sqrt(x.rate_variance))

    def push(self, frame: ArrayLike, time: float | None = None) -> TrackedDrift:
        """The drift of the next frame since the first reference.

        `time` is when it was recorded, on any clock; give one with every frame, or with none.
        """
        if np.shape(frame) != self.shape:
            raise ValueError(
                f"frame has shape {np.shape(frame)} and the reference {self.shape}; expected "
                "frames of one shape: start another tracker where the scan changes"
            )
        seen = self._estimator.frame(frame, "frame")
        self._tick(time)
        self._pushed += 1
        expected = self._local_expectation() if self._pushed % ASKED else None
        local = self._estimator.pair(self._reference, seen, expected=expected)
        local = self._resolved(seen, local)
        found = self._total(local)
        if not local.ambiguous and _known(local):
            self._follow(local, found)
            self._renew(seen, local, found)
        return found

    def predict(self, time: float | None = None) -> Prediction:
        """Where features will be at `time`, by default in the next frame.

        The next frame is as far away as the last was from the one before. Until the rate is known,
        sigma is as wide as drift is looked for.
        """
        then = self._time + self._step if time is None else float(time)
        if not then >= self._time:
            raise ValueError(f"time is {time}, before the last frame's {self._time}; it is past")
        y, x = self._expected(then)
        return Prediction(
            y.position,
            x.position,
            _added(
                (math.sqrt(y.position_variance), math.sqrt(x.position_variance)),
                self._position_sigma,
            ),
        )

    def _expected(self, time: float) -> tuple[Axis, Axis]:
        """The position expected then, with its error as against the reference of now: the error of
        that reference's own position is in every measurement alike."""
        if self._motion:
            return self._motion.at(time)
        y, x = (Axis(position, float(self._reach) ** 2) for position in self._position)
        return (y, x)

    def _tick(self, time: float | None) -> None:
        """Move the clock on: by one frame, or to the time given."""
        timed, first = time is not None, self._timed is None
        if not first and timed != self._timed:
            raise ValueError(
                f"time is {time}, and the frames before had {'one' if self._timed else 'none'}; "
                "give a time with every frame, or with none"
            )
        now = self._time + 1 if time is None else float(time)
        if not math.isfinite(now) or (now <= self._time and not (timed and first)):
            raise ValueError(
                f"time is {time}; expected a finite one"
                + ("" if first else f", after the last frame's {self._time}")
            )
        if first and not timed:
            # The reference is frame 0; on another clock nobody knows when it was recorded.
            self._motion = Motion(0.0, self._position, self._position_sigma, self._reach)
        if not (first and timed):
            self._step = now - self._time
        self._timed, self._time = timed, now

    def _resolved(self, seen: Frame, local: Drift) -> TrackedDrift:
        """The drift against the reference of now. Where the frames leave it open, the prediction
        chooses, if it bears out one candidate and rules out all others, and the frames correlate
        there by more than chance."""
        known = TrackedDrift(**vars(local))
        if not (local.ambiguous and _known(local) and self._motion and self._motion.rate_known):
            return known
        options = [Candidate(local.dy, local.dx, local.probability), *local.candidates]
        misses = [self._miss((dy, dx), local.sigma) for dy, dx, _ in options]
        nearest = min(range(len(options)), key=misses.__getitem__)
        if misses[nearest] > WITHIN or sum(miss <= BEYOND for miss in misses) > 1:
            return known
        dy, dx, _ = options[nearest]
        if not self._estimator.beyond_chance(self._reference, seen, (dy, dx)):
            return known
        settled = replace(known, ambiguous=False, reason="", resolved=True)
        if nearest == 0:
            return settled
        del options[nearest]
        return replace(
            settled,
            dy=dy,
            dx=dx,
            sigma=_added(local.sigma, UNREFINED),
            score=self._estimator.likeness(self._reference, seen, (dy, dx)),
            candidates=tuple(options),
        )

    def _local_expectation(self) -> Expected | None:
        """Where the next drift against the reference of now should be."""
        if not self._motion or not self._motion.rate_known:
            return None
        y, x = self._expected(self._time)
        return Expected(
            (y.position - self._position[0], x.position - self._position[1]),
            (math.sqrt(y.position_variance), math.sqrt(x.position_variance)),
        )

    def _miss(self, shift: Shift, sigma: tuple[float, float]) -> float:
        """How far from the expected place, in errors of prediction and measurement together."""
        off = [
            (at + way - axis.position) / math.hypot(own, math.sqrt(axis.position_variance))
            for at, way, own, axis in zip(
                self._position, shift, sigma, self._expected(self._time), strict=True
            )
        ]
        return math.hypot(*off)

    def _total(self, local: TrackedDrift) -> TrackedDrift:
        """Since the first reference: positions add, and so do independent errors, in quadrature."""
        y, x = self._position
        return replace(
            local,
            dy=y + local.dy,
            dx=x + local.dx,
            sigma=_added(local.sigma, self._position_sigma),
            candidates=tuple(Candidate(y + dy, x + dx, p) for dy, dx, p in local.candidates),
        )

    def _follow(self, local: Drift, found: Drift) -> None:
        if self._motion:
            self._motion.measure(self._time, (found.dy, found.dx), local.sigma)
        else:
            self._motion = Motion(self._time, (found.dy, found.dx), local.sigma, self._reach)

    def _renew(self, frame: Frame, local: Drift, found: Drift) -> None:
        if max(abs(local.dy), abs(local.dx)) > self._leash:
            self._reference = frame
            self._position, self._position_sigma = (found.dy, found.dx), found.sigma


def _shape(reference: ArrayLike) -> tuple[int, int]:
    rows, columns = native_image(np.ma.getdata(reference), "reference").shape
    return rows, columns


def _known(drift: Drift) -> bool:
    return all(math.isfinite(value) for value in (drift.dy, drift.dx, *drift.sigma))


def _added(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return math.hypot(one[0], other[0]), math.hypot(one[1], other[1])
