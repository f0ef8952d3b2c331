"""Columns of a result, and what the recorded counts say of each.

A column is a local maximum of the result, described by a Gaussian of the picture's common width.
Two hypotheses are compared by the log-likelihood of the recorded pixels about it: the column is
there as the result shows it, or only what the result shows without it is. The background is fitted
under both. The noise is Gaussian with the variance and the correlation of the noise model, the
limit of Poisson noise for the sum over a column (Mohan et al., arXiv:2010.12970, compare Poisson
likelihoods pixel by pixel, which holds for white noise alone).

Of real columns at most one in SURE has a likelihood ratio below 1 / SURE, whatever their height
(Markov's inequality), and of invented ones at most one in SURE has a ratio above SURE.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.noise import GRID, NoiseModel

SURE = 100.0  # likelihood ratio that settles a column
LEAST_RISE = 0.05  # of the contrast, over the saddle to a higher column
REACH = 0.6  # of the spacing: radius of the pixels that decide
WORKING_SPACING = 10.0  # px: where columns are farther apart, pixels are binned
WIDTHS = np.linspace(0.12, 0.42, 16)  # of the spacing, tried as the width of columns
FOR_WIDTH = 400  # columns are enough to find it
CHUNK = 2000  # columns at a time
MISSING_SURE = 6.0  # standard deviations: fewer happen by chance among the pixels of a frame
MISSING_HEIGHT = 0.3  # of a typical column
APART = 0.45  # of the spacing: a missing column is this far from every other

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The columns of a result. `ratios` are natural logarithms; NaN at the edge of the picture."""

    places: Floats  # (n, 2): y, x in px
    heights: Floats  # in the units of the result
    ratios: Floats  # log-likelihood of the column over none
    amplitudes: Floats  # height in the recorded frame over that in the result
    sigma: Floats  # standard deviation of the amplitude
    width: float  # px, standard deviation of the Gaussian
    missing: Floats  # (m, 2): places of columns that the frame shows and the result does not
    missing_sigma: Floats  # significance of each, in standard deviations

    def __repr__(self) -> str:
        return (
            f"Columns({len(self.places)}: {self.supported.sum()} supported, "
            f"{self.undecided.sum()} undecided, {self.contradicted.sum()} contradicted; "
            f"{len(self.missing)} missing)"
        )

    @property
    def supported(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.ratios > math.log(SURE)
        return found

    @property
    def contradicted(self) -> NDArray[np.bool_]:
        """Columns that the frame speaks against: invented ones."""
        found: NDArray[np.bool_] = self.ratios < -math.log(SURE)
        return found

    @property
    def undecided(self) -> NDArray[np.bool_]:
        """Columns of which the frame says too little."""
        found: NDArray[np.bool_] = np.abs(self.ratios) <= math.log(SURE)
        return found


def inspect_columns(raw: Image, clean: Image, noise: NoiseModel, spacing: float) -> Columns:
    """Every column of `clean`, tested in `raw`; `spacing` is the distance of nearest ones in px."""
    times = max(1, round(spacing / WORKING_SPACING))
    frame, estimate = binned(raw, times), binned(clean, times)
    apart = spacing / times
    smooth = _core.blurred(estimate, _core.COLUMN_BLUR)
    low, high = (float(q) for q in np.quantile(smooth, _core.CONTRAST))
    rise = LEAST_RISE * (high - low)
    places = _refined(smooth, _core.maxima(smooth, rise)[0]) if rise > 0 else np.empty((0, 2))
    reach = max(2, round(REACH * apart))
    width = _width(estimate, places, apart, reach)
    fields = _Patches(frame, estimate, noise, times, reach, width)
    heights, ratios, amplitudes, sigma = fields.fitted(places)
    keep = ~(heights <= 0)  # what the fit takes for a hollow is no column
    places, heights, ratios = places[keep], heights[keep], ratios[keep]
    missing, significance = fields.missing(places, apart, heights)
    middle = (times - 1) / 2
    return Columns(
        places * times + middle,
        heights,
        ratios,
        amplitudes[keep],
        sigma[keep],
        width * times,
        missing * times + middle,
        significance,
    )


def binned(image: Image, times: int) -> Image:
    """Means of blocks of `times` x `times` pixels."""
    if times == 1:
        return image
    rows, columns = image.shape[0] // times, image.shape[1] // times
    blocks = image[: rows * times, : columns * times].reshape(rows, times, columns, times)
    return np.asarray(blocks.mean((1, 3)), np.float32)


@dataclass(frozen=True)
class _Patches:
    """The pixels about each column, of a frame and its estimate, both binned."""

    frame: Image
    clean: Image
    noise: NoiseModel
    times: int
    reach: int
    width: float

    def fitted(self, places: Floats) -> Floats:
        """Height in the estimate, log-likelihood ratio, amplitude in the frame and its sigma, of
        each place: (4, n)."""
        found = np.full((4, len(places)), np.nan)
        whole = np.rint(places).astype(np.intp)
        limit = np.array(self.clean.shape) - self.reach
        inside = np.flatnonzero(((whole >= self.reach) & (whole < limit)).all(1))
        whitening = self._whitening()
        for start in range(0, len(inside), CHUNK):
            some = inside[start : start + CHUNK]
            found[:, some] = self._fit(places[some], whole[some], whitening)
        return found

    def missing(self, places: Floats, apart: float, heights: Floats) -> tuple[Floats, Floats]:
        """Columns in the residual, away from the others: places and significance."""
        nothing = np.empty((0, 2)), np.empty(0)
        if not len(places) or not np.isfinite(heights).any():
            return nothing
        typical = float(np.nanmedian(heights))
        least = MISSING_HEIGHT * typical
        variance = self._variance(self.clean + least / 2)  # between both hypotheses
        weight = np.asarray(1 / variance, np.float32)
        residual = np.asarray((self.frame - self.clean) * weight, np.float32)
        area, share = 4 * math.pi * self.width**2, self._template_power()
        # Sums over a Gaussian, by blurring; its square is a Gaussian of less width.
        total = 2 * math.pi * self.width**2
        known = total / 2 * _core.blurred(weight, self.width / math.sqrt(2))
        height = total * _core.blurred(residual, self.width) / known
        significance = height * np.sqrt(known / share)
        peaks, _ = _core.maxima(significance.astype(np.float32), MISSING_SURE / 2)
        value = significance[peaks[:, 0], peaks[:, 1]]
        edge = self.reach
        rows, columns = self.clean.shape
        inner = (peaks >= edge).all(1) & (peaks < [rows - edge, columns - edge]).all(1)
        chosen = inner & (value > MISSING_SURE) & (height[peaks[:, 0], peaks[:, 1]] > least)
        peaks, value = peaks[chosen], value[chosen]
        if not len(peaks) or len(peaks) * area > self.clean.size:
            return nothing
        drawn = places[~(heights < least)]
        far = np.array(
            [np.square(drawn - peak).sum(1).min() > (APART * apart) ** 2 for peak in peaks], bool
        )
        return peaks[far].astype(np.float64), value[far].astype(np.float64)

    def _fit(self, places: Floats, whole: NDArray[np.intp], whitening: Image | None) -> Floats:
        offsets = _disc(self.reach)
        rows, columns = whole[:, :1] + offsets[0], whole[:, 1:] + offsets[1]
        away = (rows - places[:, :1]) ** 2 + (columns - places[:, 1:]) ** 2
        shape = np.exp(-away / (2 * self.width**2)).astype(np.float32)
        clean = self.clean[rows, columns]
        heights = _height(shape, clean)
        column = shape * heights[:, None].astype(np.float32)
        without = self.frame[rows, columns] - clean + column
        variance = self._variance(clean - column / 2)  # between both hypotheses
        deviation = np.sqrt(variance)
        one, two, data = 1 / deviation, column / deviation, without / deviation
        white_one, white_two = (x if whitening is None else x @ whitening for x in (one, two))

        ground, cross = _sums(white_one, one), _sums(white_one, two)
        information = _sums(white_two, two) - cross**2 / ground
        score = _sums(white_two, data) - cross / ground * _sums(white_one, data)
        information = np.maximum(information, 1e-12)
        amplitudes = score / information
        ratios = (amplitudes - 0.5) * information
        # Where the column is there, its own electrons add to the variance.
        more = _sums(two * two, self._variance(clean) / variance) / _sums(two, two)
        return np.stack([heights, ratios, amplitudes, np.sqrt(more / information)])

    def _variance(self, intensity: Image) -> Image:
        """Of binned pixels."""
        return np.asarray(self.noise.variance(intensity) * self._spectrum().mean(), np.float32)

    def _spectrum(self) -> Floats:
        """Of the noise of binned pixels, before they are thinned; relative to single ones."""
        frequency = np.fft.fftfreq(GRID)
        step = np.sinc(self.times * frequency) / np.sinc(frequency)
        found: Floats = self.noise.spectrum * (step[:, None] * step[None, :]) ** 2
        return found

    def _whitening(self) -> Image | None:
        """The inverse of the correlation of a patch's pixels; None where that is one."""
        if self.noise.white:
            return None
        lags = np.fft.ifft2(self._spectrum()).real
        y, x = _disc(self.reach) * self.times
        up, across = np.abs(y[:, None] - y[None]), np.abs(x[:, None] - x[None])
        signed = np.sign(y[:, None] - y[None]) * np.sign(x[:, None] - x[None]) < 0
        far = (up >= GRID // 2) | (across >= GRID // 2)
        table = np.where(signed, lags[-up % GRID, across % GRID], lags[up % GRID, across % GRID])
        correlation = np.where(far, 0, table) / lags[0, 0]
        values, vectors = np.linalg.eigh(correlation)
        return np.asarray((vectors / np.maximum(values, 0.02)) @ vectors.T, np.float32)

    def _template_power(self) -> float:
        """By how much the colour raises the noise of a sum over a column."""
        spectrum = self._spectrum()
        frequency = np.fft.fftfreq(GRID) * self.times
        up, across = np.meshgrid(frequency, frequency, indexing="ij")
        power = np.exp(-4 * (math.pi * self.width) ** 2 * (up**2 + across**2))
        return float((spectrum * power).sum() / power.sum() / spectrum.mean())


def _height(shape: Image, clean: Image) -> Floats:
    """Least-squares height of a shape over a constant."""
    centred = shape - shape.mean(1, keepdims=True)
    found: Floats = _sums(centred, clean) / _sums(centred, centred)
    return found


def _sums(first: NDArray[Any], second: NDArray[Any]) -> Floats:
    """Scalar products of the rows."""
    found: Floats = np.einsum("ij,ij->i", first, second, dtype=np.float64)
    return found


def _disc(reach: int) -> NDArray[np.intp]:
    side = np.arange(-reach, reach + 1)
    y, x = np.meshgrid(side, side, indexing="ij")
    inside = y**2 + x**2 <= (reach + 0.3) ** 2
    return np.stack([y[inside], x[inside]])


def _refined(image: Image, places: NDArray[np.int64]) -> Floats:
    """Maxima between pixels, by parabolas along both axes."""
    rows, columns = image.shape
    y, x = places[:, 0], places[:, 1]
    inner = (y > 0) & (x > 0) & (y < rows - 1) & (x < columns - 1)
    found = places.astype(np.float64)
    y, x = y[inner], x[inner]
    middle = image[y, x]
    for axis, (before, after) in enumerate(
        (((image[y - 1, x], image[y + 1, x])), ((image[y, x - 1], image[y, x + 1])))
    ):
        bend = np.minimum(before - 2 * middle + after, -1e-30)
        found[inner, axis] += np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    return found


def _width(image: Image, places: Floats, apart: float, reach: int) -> float:
    """The width of the Gaussian that fits the picture's columns best, over a constant each."""
    whole = np.rint(places).astype(np.intp)
    inside = ((whole >= reach) & (whole < np.array(image.shape) - reach)).all(1)
    chosen = np.flatnonzero(inside)[:FOR_WIDTH]
    if not len(chosen):
        return 0.25 * apart
    offsets = _disc(reach)
    rows, columns = whole[chosen, :1] + offsets[0], whole[chosen, 1:] + offsets[1]
    away = (rows - places[chosen, :1]) ** 2 + (columns - places[chosen, 1:]) ** 2
    values = image[rows, columns]
    values = values - values.mean(1, keepdims=True)

    def misfit(width: float) -> float:
        shape = np.exp(-away / (2 * width**2))
        shape -= shape.mean(1, keepdims=True)
        return -float((_sums(shape, values) ** 2 / _sums(shape, shape)).sum())

    return min((float(width) for width in WIDTHS * apart), key=misfit)
