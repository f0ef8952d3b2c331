"""The drift of a series that is still being recorded, frame by frame.

The tracker is C++ (csrc/drift/tracker.hpp).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stemzoo import _core
from stemzoo.inference.model import Model
from stemzoo.registration.pair import Drift, Estimator, masked_image, named

RENEW = 0.5  # up to a half, no steady drift within max_shift a frame outruns the reference


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
        rows, columns = masked_image(reference, "reference")[0].shape
        self.shape = (rows, columns)
        self._estimator = Estimator(self.shape, model, max_shift=max_shift, threads=threads)
        first = self._estimator.frame(reference, "reference")
        if np.ma.min(reference) == np.ma.max(reference):
            raise ValueError(
                f"every pixel of reference is {np.ma.min(reference)}, so no frame has a drift from "
                "it; give a frame that shows the specimen"
            )
        self._core = _core.DriftTracker(
            self._estimator.core, first, self._estimator.max_shift, renew
        )

    def __getstate__(self) -> dict[str, Any]:
        core = self._core
        return vars(self) | {"_core": (core.reference(), core.numbers())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._core = _core.DriftTracker.restored(self._estimator.core, *state["_core"])

    @property
    def rate(self) -> tuple[float, float]:
        """How fast features move along y and x: px per frame, or per second where times are in
        seconds; NaN until two positions are known."""
        known = self._core.rate()
        return known[0] if known else (math.nan, math.nan)

    @property
    def rate_sigma(self) -> tuple[float, float]:
        known = self._core.rate()
        return (math.sqrt(known[1][0]), math.sqrt(known[1][1])) if known else (math.inf, math.inf)

    def push(self, frame: ArrayLike, time: float | None = None) -> TrackedDrift:
        """The drift of the next frame since the first reference.

        `time` is when it was recorded, on any clock; give one with every frame, or with none.
        """
        if np.shape(frame) != self.shape:
            raise ValueError(
                f"frame has shape {np.shape(frame)} and the reference {self.shape}; expected "
                "frames of one shape: start another tracker where the scan changes"
            )
        pixels, mask = masked_image(frame, "frame")
        found, resolved = self._core.push(pixels, mask, time)
        return TrackedDrift(**vars(Drift(*named(found))), resolved=resolved)

    def predict(self, time: float | None = None) -> Prediction:
        """Where features will be at `time`, by default in the next frame.

        The next frame is as far away as the last was from the one before. Until the rate is known,
        sigma is as wide as drift is looked for.
        """
        return Prediction(*self._core.predict(time))
