"""Spectral tests of results: power at the tiles' frequency, power left at the Bragg peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, uniform_filter

Floats = NDArray[np.float64]

PEAK_SIDE, SURROUNDINGS_SIDE = (
    3,
    9,
)  # side of the square of frequencies that is a peak's, or its background's
LEAST_PEAK_POWER = (
    1e-3  # of the strongest Bragg peak's power: fainter ones would only dilute the ratio
)
PROMINENCE = 20.0  # a Bragg peak's power, beside the mean of its surroundings


def seam_power(
    whole: NDArray[np.floating], tiled: NDArray[np.floating], step: int | tuple[int, int]
) -> float:
    """Power, in the pictures' units squared, that tiles put into a result with their period.

    `whole` is the result of the whole frame at once, `tiled` that of tiles whose starts are `step`
    px apart. Along each axis, their difference is projected on all functions of period `step`: a
    comb of frequencies. The power that noise puts there by chance is subtracted, so that the answer
    is zero on average, and may be negative, for a difference without seams. The axes add up.
    """
    difference = np.asarray(tiled, np.float64) - np.asarray(whole, np.float64)
    steps = (step, step) if isinstance(step, int) else step
    return _periodic(difference, steps[0]) + _periodic(difference.T, steps[1])


def _periodic(difference: Floats, step: int) -> float:
    """Power of what repeats every `step` rows, without each column's mean."""
    repeats = len(difference) // step
    if repeats < 2:
        raise ValueError(f"{len(difference)} px hold no two periods of {step} px")
    rows = difference[: repeats * step]
    rows = rows - rows.mean(axis=0)
    folded = rows.reshape(repeats, step, -1).mean(axis=0)
    # Of a difference that does not repeat, 1 / repeats of the power survives the mean.
    return float((repeats * (folded**2).mean() - (rows**2).mean()) / (repeats - 1))


def bragg_power(residual: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Power of `residual` at the Bragg peaks of `truth`, over that at the frequencies around them.

    Noise, white or coloured, gives about 1; a residual that holds part of the lattice gives more.
    NaN if the truth has no Bragg peak, or nothing is left.
    """
    peaks = bragg_peaks(truth)
    if not peaks.any() or not np.any(residual):
        return float("nan")
    power = _power(residual)
    at_peaks = uniform_filter(power, PEAK_SIDE, mode="wrap")
    around = uniform_filter(power, SURROUNDINGS_SIDE, mode="wrap")
    # The means of the whole surroundings, less those of the peak in their middle.
    inner, outer = PEAK_SIDE**2, SURROUNDINGS_SIDE**2
    ring = (outer * around - inner * at_peaks) / (outer - inner)
    return float(at_peaks[peaks].sum() / ring[peaks].sum())


def bragg_peaks(truth: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Where the spectrum of a noise-free picture has Bragg peaks, in the order of `numpy.fft.fft2`.

    A peak is the maximum of its surroundings and exceeds PROMINENCE times their mean power, the
    peak left out. The lowest frequencies, where the shape of the specimen is, have none.
    """
    power = _power(truth)
    rows, columns = (np.abs(np.fft.fftfreq(side, 1 / side)) for side in power.shape)
    power[np.maximum(rows[:, None], columns[None, :]) <= SURROUNDINGS_SIDE // 2] = 0
    highest = maximum_filter(power, SURROUNDINGS_SIDE, mode="wrap") == power
    inner, outer = (PEAK_SIDE + 2) ** 2, SURROUNDINGS_SIDE**2
    ring = outer * uniform_filter(power, SURROUNDINGS_SIDE, mode="wrap")
    ring = (ring - inner * uniform_filter(power, PEAK_SIDE + 2, mode="wrap")) / (outer - inner)
    prominent = (power > PROMINENCE * ring) & (power > LEAST_PEAK_POWER * power.max())
    peaks: NDArray[np.bool_] = highest & prominent
    return peaks


def _power(image: NDArray[np.floating]) -> Floats:
    """The power spectrum under a Hann window, which keeps the edges from crossing the peaks."""
    picture = np.asarray(image, np.float64)
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in picture.shape))
    picture = (picture - np.average(picture, weights=window)) * window
    power: Floats = np.abs(np.fft.fft2(picture)) ** 2
    return power
