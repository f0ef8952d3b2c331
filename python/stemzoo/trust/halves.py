"""Two independent halves of one frame's counts, and down to which period they agree."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stemzoo.inference.noise import NoiseModel
from stemzoo.plotting.ring_correlation import resolved_frequency, ring_correlation

LEVELS = 4096  # different values at most by which a quantum is looked for
GAIN_AGREES = 0.25  # by how much the quantum may differ from the gain of the noise
PEDESTAL = 0.25  # of the mean variance: readout noise or an offset of more
MOST_COUNTS = 1e6  # a pixel: more are no counts
SEED = 1

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Halves:
    """The Fourier ring correlation of binomial halves; or why there is none, in words."""

    frequencies: Floats = field(repr=False)  # 1/px
    correlation: Floats = field(repr=False)
    resolved: float  # px: the shortest period on which the halves agree (1/7); NaN where none
    reason: str = ""


def split_halves(raw: NDArray[np.floating], noise: NoiseModel) -> Halves:
    """A binomial half of Poisson counts and its rest are independent Poisson counts."""
    counts = counted(raw, noise)
    if isinstance(counts, str):
        return Halves(np.empty(0), np.empty(0), np.nan, counts)
    one = np.random.default_rng(SEED).binomial(counts, 0.5)
    frequencies, correlation = ring_correlation(
        one.astype(np.float32), (counts - one).astype(np.float32)
    )
    last = resolved_frequency(frequencies, correlation, min(raw.shape))
    return Halves(frequencies, correlation, 1 / last if last else np.nan)


def counted(raw: NDArray[np.floating], noise: NoiseModel) -> NDArray[np.int64] | str:
    """The electrons of each pixel, where the frame is a count of them; else why it is none."""
    not_counts = "the frame is not a count of electrons, so it has no independent halves: "
    if not noise.white:
        return not_counts + "the noise of neighbouring pixels is correlated"
    low = float(raw.min())
    if low < 0:
        return not_counts + "it has negative pixels"
    if not noise.counts:
        return not_counts + "its noise does not grow with the signal"
    shot = noise.slope * float(np.mean(raw))
    if abs(noise.level) > PEDESTAL * shot:
        return not_counts + "its noise does not vanish with the signal"
    values = np.unique(np.asarray(raw).ravel()[:: 1 + raw.size // 200_000])
    if len(values) > LEVELS or len(values) < 2:
        return not_counts + "its pixels are no multiples of one signal"
    quantum = float(np.diff(values).min())
    counts = np.rint(raw / quantum)
    if np.abs(raw / quantum - counts).max() > 1e-3 * max(1.0, float(counts.max()) * 1e-3):
        return not_counts + "its pixels are no multiples of one signal"
    if not abs(noise.gain / quantum - 1) < GAIN_AGREES or counts.max() > MOST_COUNTS:
        return (
            f"{not_counts}one step of its pixels is {quantum:.3g}, and the noise tells of "
            f"{noise.gain:.3g} per electron"
        )
    return np.asarray(counts, np.int64)
