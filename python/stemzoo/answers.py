"""What is said of a pair of frames."""

from __future__ import annotations

import math
from dataclasses import dataclass

Shift = tuple[float, float]  # (dy, dx)
Others = tuple[tuple[Shift, float], ...]  # candidates, each with how good it is


@dataclass(frozen=True)
class Drift:
    """Features moved by (dy, dx) pixels: moving(r) = reference(r - d).

    `sigma` is the standard deviation along y and x, `score` the correlation of the frames where
    they overlap once the drift is undone. `candidates` are what else the drift could be, the best
    first, each ((dy, dx), how good it is): by drift-lattice and without a model a probability, by
    a network that reads surfaces the height of its peak.

    `ambiguous` means that the number is not to be trusted, since another candidate is not ruled
    out. Frames that do not correlate anywhere, such as blank ones, give NaN and an infinite
    `sigma`.
    """

    dy: float
    dx: float
    sigma: tuple[float, float]
    ambiguous: bool
    score: float
    candidates: Others


UNKNOWN = Drift(math.nan, math.nan, (math.inf, math.inf), True, 0.0, ())
