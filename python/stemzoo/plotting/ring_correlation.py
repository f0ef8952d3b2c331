"""Down to which period two pictures of one specimen agree: Fourier ring correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

THRESHOLD = 1 / 7
SURE = 3.5  # standard deviations of the correlation of two rings of noise
BROAD = 3  # px: the width of a ring, so that one holds enough to be sure of


def ring_correlation(
    one: NDArray[np.floating], other: NDArray[np.floating]
) -> tuple[Floats, Floats]:
    """Frequencies in 1/px up to a half, and the correlation of the two pictures on each ring.

    What is NaN in either counts as their mean; a Hann window keeps the edges out.
    """
    known = np.isfinite(one) & np.isfinite(other)
    window = np.outer(*(np.hanning(size + 2)[1:-1] for size in one.shape))
    first, second = (
        np.fft.rfft2(np.where(known, image - image[known].mean(), 0.0) * window)
        for image in (one, other)
    )
    size = min(one.shape)
    radius = np.hypot(np.fft.fftfreq(one.shape[0])[:, None], np.fft.rfftfreq(one.shape[1]))
    ring = np.rint(radius * size).astype(int).ravel()

    def summed(values: NDArray[np.floating]) -> Floats:
        rings = np.bincount(ring, values.ravel(), size).astype(np.float64, copy=False)
        return np.convolve(rings, np.ones(BROAD), "same")[1 : size // 2 + 1]

    power = summed(np.abs(first) ** 2) * summed(np.abs(second) ** 2)
    agreement = summed((first * second.conj()).real) / np.sqrt(np.maximum(power, 1e-300))
    return np.arange(1, size // 2 + 1) / size, agreement


def resolved_frequency(frequencies: Floats, agreement: Floats, size: int) -> float:
    """The last frequency before the agreement first crosses 1/7; 0 if it never is above.

    It is above where it is no accident either. The lowest rings hold few values, so chance alone
    makes a wiggle there: what counts as a crossing are as many rings in a row below 1/7 as share no
    value with the rings around them. What is below the first agreement, such as the slow
    frequencies of a crystal without shading, is no crossing.
    """
    # A half plane has pi r values on a ring 1 px wide; the window leaves about a half independent.
    accident = SURE / np.sqrt(np.pi * frequencies * size * BROAD / 2)
    agrees = np.flatnonzero(agreement > np.maximum(THRESHOLD, accident))
    if not agrees.size:
        return 0.0
    lost = np.convolve(agreement < THRESHOLD, np.ones(BROAD), "valid") == BROAD
    crossings = np.flatnonzero(lost[agrees[0] :]) + agrees[0]
    end = crossings[0] if crossings.size else len(frequencies)
    return float(frequencies[agrees[agrees < end][-1]])
