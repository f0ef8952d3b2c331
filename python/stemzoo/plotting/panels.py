"""Parts of sheets: pictures of one size, their grey levels, and what two of them show alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stemzoo.plotting.pictures import INK, Grey
from stemzoo.plotting.plots import Plot
from stemzoo.plotting.ring_correlation import THRESHOLD, resolved_frequency, ring_correlation

SMALLEST, LARGEST = 360, 800  # px: the side of a panel
FAINT = 150

Floats = NDArray[np.float64]


def limits_of(values: NDArray[np.floating]) -> tuple[float, float]:
    low, high = np.percentile(values, (0.1, 99.9))
    return float(low), float(high)


def framed(picture: Grey) -> Grey:
    """Small pictures enlarged by whole pixels, large ones thinned, so that captions fit."""
    side = min(picture.shape)
    if side < SMALLEST:
        times = -(-SMALLEST // side)
        return np.repeat(np.repeat(picture, times, 0), times, 1)
    every = -(-side // LARGEST)
    rows, columns = (length // every * every for length in picture.shape)
    blocks = picture[:rows, :columns].reshape(rows // every, every, columns // every, every)
    thinned: Grey = blocks.mean((1, 3)).astype(np.uint8)
    return thinned


def rings_panel(names: str, one: Floats, other: Floats, shape: tuple[int, ...]) -> tuple[str, Grey]:
    """Fourier ring correlation of two pictures; the caption calls them `names`."""
    frequencies, agreement = ring_correlation(one, other)
    last = resolved_frequency(frequencies, agreement, min(one.shape))
    plot = Plot(shape, "1/px", "FRC")
    plot.limits(frequencies, np.array([0.0, 1.0]))
    plot.line(frequencies, np.full(len(frequencies), THRESHOLD), FAINT, "1/7")
    plot.line(frequencies, np.clip(agreement, 0, 1), INK, "")
    says = f"{1 / last:.1f} px (FRC crosses 1/7)" if last else "nothing (FRC below 1/7)"
    return f"{names} agree to {says}", plot.grey()
