"""The Anscombe transform of Poisson counts, and the closed form of its exact unbiased inverse
(Makitalo & Foi 2011)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def forward(counts: NDArray[np.floating]) -> Floats:
    """Values of unit variance; negative ones, from interpolation, count as zero."""
    return 2 * np.sqrt(np.maximum(np.asarray(counts, np.float64), 0) + 3 / 8)


def inverse(stabilised: Floats) -> Floats:
    d = np.maximum(stabilised, 2 * np.sqrt(3 / 8))
    root = np.sqrt(3 / 2)
    result: Floats = d**2 / 4 + root / (4 * d) - 11 / (8 * d**2) + 5 * root / (8 * d**3) - 1 / 8
    return result
