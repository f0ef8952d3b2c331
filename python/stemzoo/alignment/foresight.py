"""Where the drift of a pair is to be, from pairs of its frames that are measured already.

A frame is first compared with those 1, 3, 9, 27 ... before it. Where these agree on its place,
its others can only say the same: they are asked for the one peak that is expected of them, and not
which of all peaks is true. Where any of the few is in doubt or contradicts another, all pairs are
asked everything, and the path that most of them agree on is found afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stemzoo.registration.answers import Drift
from stemzoo.registration.pair import Expected

FIRST = tuple(3**power for power in range(20))  # frames before one, that it is compared with
ASIDE = 1.0  # px: as far apart are places that agree, at most
MOST = 0.75  # of all pairs of a frame have to agree, where those measured first did not
SIGMA = (0.3, 0.3)  # px, of a drift between places, each of which is the median of a few


def is_first(apart: int) -> bool:
    """Whether frames so far apart are compared before others."""
    return apart in FIRST


class Foresight:
    """Places of frames, asked for in order."""

    def __init__(self, frames: int) -> None:
        self._places = np.full((frames, 2), np.nan)
        self._places[0] = 0

    def see(self, at: int, drifts: Mapping[int, Drift]) -> bool:
        """Whether drifts of this frame, by the frame before it, agree on its place; if so, all its
        pairs are foreseen."""
        sure = all(not drift.ambiguous for drift in drifts.values())
        return sure and self._place(at, drifts, 1.0)

    def look_back(self, at: int, drifts: Mapping[int, Drift]) -> None:
        """The same of all its drifts, some of which may be wrong."""
        self._place(at, drifts, MOST)

    def expected(self, still: int, at: int) -> Expected | None:
        step = self._places[at] - self._places[still]
        return Expected((float(step[0]), float(step[1])), SIGMA) if np.isfinite(step[0]) else None

    def _place(self, at: int, drifts: Mapping[int, Drift], share: float) -> bool:
        votes = np.array([self._places[i] + (d.dy, d.dx) for i, d in drifts.items()])
        votes = votes.reshape(-1, 2)[np.isfinite(votes.reshape(-1, 2)).all(1)]
        if not len(votes):
            return False
        middle = np.median(votes, axis=0)
        agree = (np.abs(votes - middle) <= ASIDE).all(1).mean() >= share
        if agree:
            self._places[at] = middle
        return bool(agree)
