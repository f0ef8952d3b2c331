"""Features without a network: what is left of a frame without its lattice, smoothed.

A look (csrc/drift/look.hpp) says how much that is worth as evidence of a drift.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLUR = (0.0625, 0.25, 0.375, 0.25, 0.0625)  # along each axis, in features: about as wide as a probe


def classical_features(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """[2, H, W] of a look: one feature that counts for a drift, and none against it."""
    rest = seen[0]
    for axis in (0, 1):
        padded = np.pad(rest, [(2, 2) if along == axis else (0, 0) for along in (0, 1)])
        side = rest.shape[axis]
        rest = sum(
            weight * padded.take(range(start, start + side), axis)
            for start, weight in enumerate(BLUR)
        )
    return np.stack([rest * seen[2], np.zeros_like(rest)]).astype(np.float32)
