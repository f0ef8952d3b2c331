"""The lattice of a picture: its Bragg peaks, and how far away it repeats itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core

PEAK_OVER_SURROUNDINGS = 30.0  # times the median power
PEAK_OVER_RING = 3.0  # times the highest power 4 to 7 bins away, which a streak does not reach
SLOWEST = 4  # periods in the picture: fewer are shading
# Columns less than 3 px apart have Bragg peaks up to the Nyquist frequency, and none of a long
# period unless they form groups.
FINE, MANY_FINE = 0.36, 0.3  # 1/px, and of the peaks
COARSE, COARSEST = 0.24, 0.15  # 1/px, of the strongest peak: of columns, of groups of columns
SHARPEST = 0.8  # px: standard deviation of a probe that is not undersampled
MOST_SHARPENED = math.exp(8)  # times the power of a peak
LIKE_OTHERS = 5.0  # times the median: no peak of the Patterson function's counts more
PATTERSON_REACH, PATTERSON_STEP = 5.0, 0.25  # px
# px: longer distances are those of columns that are resolved, in groups and without.
CLOSE_IN_GROUPS, CLOSE = 3.0, 3.6
PATTERSON_LEAST = 0.15  # of its value at no distance
ATTEMPTED = 64  # Bragg peaks are enough
REPEAT_REACH = 1 / 3  # of the shorter side
REPEAT_RISE = 0.1  # of a correlation, over the saddle to a higher one
ALIKE = 0.8  # of the highest correlation: lattice vectors, of which the shortest is the spacing

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Peaks:
    """Bragg peaks, the strongest first."""

    places: Floats  # (n, 2): frequencies along y and x, 1/px
    powers: Floats

    @property
    def frequencies(self) -> Floats:
        found: Floats = np.hypot(self.places[:, 0], self.places[:, 1])
        return found


@dataclass(frozen=True)
class Repeat:
    """Where a picture is like itself."""

    correlation: float  # the highest, away from no distance
    distance: float  # px: the shortest of those alike


def bragg_peaks(image: Image) -> Peaks:
    """Isolated peaks in the power spectrum; of each pair of opposite peaks one is given.

    A peak is higher than everything 4 to 7 bins away, which the streaks of edges and of row jitter
    are not.
    """
    rows, columns = image.shape
    if min(rows, columns) < 32:
        return Peaks(np.empty((0, 2)), np.empty(0))
    taper = np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[None, 1:-1]
    centred = (image - float(image.mean(dtype=np.float64))) * taper.astype(np.float32)
    spectrum = np.fft.rfft2(centred)
    power = spectrum.real**2 + spectrum.imag**2
    up, across = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)
    slow = np.hypot(up * min(rows, columns), across * min(rows, columns)) < SLOWEST
    half = (across == 0) & (up < 0)  # the opposites of others in this column
    wide = np.pad(power, ((7, 7), (0, 0)), "wrap")
    wide = np.pad(wide, ((0, 0), (7, 7)), "reflect")
    around = [wide[7 + y : 7 + y + rows, 7 + x : 7 + x + power.shape[1]] for y, x in _ring(0, 1.5)]
    typical = float(np.median(power))
    chosen = (power > PEAK_OVER_SURROUNDINGS / 3 * typical) & ~slow & ~half
    for other in around:
        chosen &= power >= other
    y, x = np.nonzero(chosen)
    at = power[y, x]
    ring = np.stack([wide[7 + y + v, 7 + x + u] for v, u in _ring(3.5, 7)])
    isolated = (at > PEAK_OVER_RING * ring.max(0)) & (
        at > PEAK_OVER_SURROUNDINGS * np.median(ring, 0)
    )
    order = np.argsort(-at[isolated])
    places = np.stack([up[y[isolated], 0], across[x[isolated]]], axis=-1)
    return Peaks(places[order], at[isolated][order].astype(np.float64))


def _ring(inner: float, outer: float) -> list[tuple[int, int]]:
    """Offsets at these distances."""
    reach = range(-int(outer), int(outer) + 1)
    return [(y, x) for y in reach for x in reach if inner < math.hypot(y, x) <= outer]


def fine_spacing(peaks: Peaks) -> float:
    """Distance in px of columns that are too close to be seen one by one; NaN of others."""
    frequencies = peaks.frequencies
    fine = frequencies[frequencies > FINE]
    if len(fine) <= MANY_FINE * len(frequencies) or frequencies[0] < COARSEST:
        return math.nan
    grouped = frequencies[0] <= COARSE
    nearest = _patterson_nearest(peaks)
    if nearest > (CLOSE_IN_GROUPS if grouped else CLOSE):
        return math.nan
    return nearest if grouped else float(1 / np.median(fine))


def _patterson_nearest(peaks: Peaks) -> float:
    """The shortest distance between columns: of the Patterson function's maximum nearest to none.

    The function is the Fourier sum of the powers of the Bragg peaks. The falloff of the sharpest
    probe is undone, so that maxima are of columns, not of their images.
    """
    places, powers = peaks.places[:ATTEMPTED], peaks.powers[:ATTEMPTED]
    falloff = np.exp(4 * (math.pi * SHARPEST * peaks.frequencies[:ATTEMPTED]) ** 2)
    weight = powers * np.minimum(falloff, MOST_SHARPENED)
    weight = np.minimum(weight, LIKE_OTHERS * np.median(weight))
    side = np.arange(-PATTERSON_REACH, PATTERSON_REACH + PATTERSON_STEP / 2, PATTERSON_STEP)
    y, x = np.meshgrid(side, side, indexing="ij")
    phases = 2 * math.pi * (places[:, 0, None, None] * y + places[:, 1, None, None] * x)
    patterson = np.tensordot(weight / weight.sum(), np.cos(phases), 1)
    inner = patterson[1:-1, 1:-1]
    highest = np.lib.stride_tricks.sliding_window_view(patterson, (3, 3)).max((2, 3))
    maxima = (inner >= highest) & (inner > PATTERSON_LEAST)
    distances = np.hypot(y, x)[1:-1, 1:-1][maxima]
    away = distances[distances > PATTERSON_STEP]
    return float(away.min()) if len(away) else math.nan


def nearest_repeat(image: Image) -> Repeat:
    """By the normalised cross-correlation of a picture with itself.

    A crystal repeats at every lattice vector, however many columns are in the picture and however
    they differ; shapes of many sizes do not.
    """
    reach = int(min(image.shape) * REPEAT_REACH)
    correlation = np.asarray(_core.ncc(image, image, (reach, reach)), np.float32)
    half = np.ascontiguousarray(correlation[reach:])  # each vector has its opposite
    places, _ = _core.maxima(half, REPEAT_RISE)
    places = places[1:]  # no distance has the highest
    inside = (places[:, 0] < reach) & (places[:, 1] > 0) & (places[:, 1] < 2 * reach)
    places = places[inside]
    values = half[places[:, 0], places[:, 1]]
    if not (values > 0).any():
        return Repeat(0.0, math.nan)
    distances = np.hypot(places[:, 0], places[:, 1] - reach)
    alike = values >= ALIKE * values.max()
    return Repeat(float(values.max()), float(distances[alike].min()))
