"""What is said of a pair of frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stemzoo import _core
from stemzoo.registration.correction.correction import Correction, Corrects
from stemzoo.registration.correction.recording import Recording

Shift = tuple[float, float]  # (dy, dx)

# Why the drift of a pair is not to be trusted.
NOTHING = _core.drift_reasons["nothing"]
CHANCE = _core.drift_reasons["chance"]
LIMIT = _core.drift_reasons["limit"]
OTHERS = _core.drift_reasons["others"]
BROAD = _core.drift_reasons["broad"]
NO_PEAK = _core.drift_reasons["no peak"]


class Candidate(NamedTuple):
    """Where else features may have moved, px, and how probable that is."""

    dy: float
    dx: float
    probability: float


@dataclass(frozen=True)
class Drift(Corrects):
    """Features moved by (dy, dx) pixels: moving(r) = reference(r - d).

    `sigma` is the standard deviation along y and x, `score` the correlation of the frames where
    they overlap once the drift is undone. `candidates` are what else the drift could be, the most
    probable first; what they leave of one is the probability of the answer.

    `ambiguous` means that the number is not to be trusted, and `reason` says why: another candidate
    is not ruled out, the drift is as long as was looked for, or the frames correlate no better than
    unrelated ones. Frames that do not correlate anywhere, such as blank ones, give NaN and an
    infinite `sigma`.

    `apply` moves what was recorded with the moving frame onto the reference.
    """

    dy: float
    dx: float
    sigma: tuple[float, float]
    ambiguous: bool
    score: float
    candidates: tuple[Candidate, ...]
    reason: str = ""  # empty where the number may be trusted

    def __repr__(self) -> str:
        y, x = self.sigma
        doubt = f"ambiguous: {self.reason}" if self.ambiguous else "unambiguous"
        others = f", {len(self.candidates)} other candidates" if self.candidates else ""
        return (
            f"Drift(dy={self.dy:.2f} +- {y:.2f} px, dx={self.dx:.2f} +- {x:.2f} px, "
            f"score {self.score:.3f}, {doubt}{others})"
        )

    @property
    def probability(self) -> float:
        """How probable the answer is: what the candidates leave; 0 without an answer."""
        if not math.isfinite(self.dy):
            return 0.0
        return max(1 - sum(candidate.probability for candidate in self.candidates), 0.0)

    @property
    def correction(self) -> Correction:
        known = math.isfinite(self.dy) and math.isfinite(self.dx)
        path = np.array([[-self.dy, -self.dx]]) if known else None
        return Correction("drift", None, (Recording(None, path, np.array([self.sigma])),))


UNKNOWN = Drift(math.nan, math.nan, (math.inf, math.inf), True, 0.0, (), NOTHING)
