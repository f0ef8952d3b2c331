"""Spectral tests: power at the period of the tiles, and residual power at the Bragg peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, uniform_filter

Floats = NDArray[np.float64]

PEAK_SIDE, SURROUNDINGS_SIDE = 3, 9  # frequencies: squares of a peak and of its surroundings
LEAST_PEAK_POWER = 1e-3  # of the strongest Bragg peak's power: fainter ones are ignored
PROMINENCE = 20.0  # least power of a Bragg peak over the mean of its surroundings


def seam_power(
    whole: NDArray[np.floating], tiled: NDArray[np.floating], step: int | tuple[int, int]
) -> float:
    """Power of the tiles' seams in a result, in the pictures' units squared.

    `whole` is the result of the whole frame at once, `tiled` that of tiles whose starts are `step`
    px apart. Their difference is projected on functions of period `step` along each axis, and the
    expected power of noise in this projection is subtracted. Without seams the result is zero on
    average and may be negative. The axes are added.
    """
    difference = np.asarray(tiled, np.float64) - np.asarray(whole, np.float64)
    steps = (step, step) if isinstance(step, int) else step
    return _periodic(difference, steps[0]) + _periodic(difference.T, steps[1])


def _periodic(difference: Floats, step: int) -> float:
    """Power of the part with a period of `step` rows, without each column's mean."""
    repeats = len(difference) // step
    if repeats < 2:
        raise ValueError(f"{len(difference)} px contain less than two periods of {step} px")
    rows = difference[: repeats * step]
    rows = rows - rows.mean(axis=0)
    folded = rows.reshape(repeats, step, -1).mean(axis=0)
    # Of a difference that does not repeat, 1 / repeats of the power survives the mean.
    return float((repeats * (folded**2).mean() - (rows**2).mean()) / (repeats - 1))


def bragg_power(residual: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Power of `residual` at the Bragg peaks of `truth`, over that at the frequencies around them.

    About 1 for noise, white or correlated; more if the residual contains part of the lattice. NaN
    if the truth has no Bragg peaks or the residual is zero.
    """
    peaks = bragg_peaks(truth)
    if not peaks.any() or not np.any(residual):
        return float("nan")
    power = _power(residual)
    at_peaks = uniform_filter(power, PEAK_SIDE, mode="wrap")
    around = uniform_filter(power, SURROUNDINGS_SIDE, mode="wrap")
    # Mean of the surroundings without the peak in their middle.
    inner, outer = PEAK_SIDE**2, SURROUNDINGS_SIDE**2
    ring = (outer * around - inner * at_peaks) / (outer - inner)
    return float(at_peaks[peaks].sum() / ring[peaks].sum())


def bragg_peaks(truth: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Mask of the Bragg peaks of a noise-free picture, in the order of `numpy.fft.fft2`.

    A peak is the maximum of its surroundings and exceeds PROMINENCE times their mean power without
    the peak. The lowest frequencies, the shape of the specimen, are excluded.
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
    """The power spectrum with a Hann window, against leakage from the edges."""
    picture = np.asarray(image, np.float64)
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in picture.shape))
    picture = (picture - np.average(picture, weights=window)) * window
    power: Floats = np.abs(np.fft.fft2(picture)) ** 2
    return power
