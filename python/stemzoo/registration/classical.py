"""What needs no network: what is left of a frame without its lattice.

Correlated, that stands out of chance at the true drift. How far it does, in standard deviations of
chance, says how probable it is. A network, which knows single faults better, adds to that.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BLUR = (0.25, 0.5, 0.25)  # along each axis, in features: about as wide as a probe
HEIGHT = 20.0  # the log-odds of a peak over none
CHANCE = 10.0  # standard deviations: the highest of many peaks of noise are less alike
BELIEF = 0.35  # in what stands out: some of it is what is left of the lattice
USUAL = 3.4  # standard deviations: what stands out by less, chance does somewhere


def classical_features(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """[1, H, W] of a look: one feature that counts for a drift. Its scale does not matter."""
    return blurred(seen[2])[None]


def classical_odds(correlation: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of every drift, by the correlation of such features."""
    chance = float(correlation.std())
    above = np.maximum(correlation / max(chance, 1e-30), USUAL)
    return np.asarray(BELIEF / 2 * (above**2 - USUAL**2), np.float32)


def classical_peaks(
    peaks: NDArray[np.floating], alike: float, field: tuple[int, int]
) -> NDArray[np.float64]:
    """Log-odds of peaks by how much lower they are than the highest, for what the frames have in
    common at each: what ends within the frame is like itself only where it belongs.

    Where frames are hardly `alike` (their correlation at the highest peak), it is noise that peaks.
    """
    apart = np.abs(peaks[:, :2]) / field
    heights = peaks[:, 2] / np.maximum(1 - apart, 0.1).prod(1)
    noise = CHANCE / max(alike, 1e-30) / math.sqrt(field[0] * field[1])
    return np.asarray(HEIGHT * max(0.0, 1 - noise**2) * (heights / heights.max() - 1), np.float64)


def blurred(image: NDArray[np.float32]) -> NDArray[np.float32]:
    side, middle, _ = (np.float32(weight) for weight in BLUR)
    for axis in (0, 1):
        lines = image.swapaxes(0, axis)
        sums = middle * lines
        beside = side * lines
        sums[1:] += beside[:-1]
        sums[:-1] += beside[1:]
        image = sums.swapaxes(0, axis)
    return image
