"""What kind of picture a frame is: its noise, its dose, and how far apart its columns are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.lattice import bragg_peaks, fine_spacing, nearest_repeat
from stemzoo.inference.noise import OUTLIER, NoiseModel, measure_noise

BLUR = 0.7  # px: columns that are sharper are undersampled
LEAST_RISE, HIGH_RISE = 0.1, 0.25  # of the contrast, over the saddle to a higher column
CONTRAST = (0.01, 0.995)  # quantiles of the clean picture
SOME_COLUMNS = 400  # are enough for a median
LEAST_COLUMNS = 9  # fewer have no order
# In a crystal, half of the distances to nearest neighbours lie in a narrow interval; relative to
# their median. Of few columns, that happens by chance in a narrower one.
ORDERED, BY_CHANCE = 0.2, 5.0
LEAST_PEAKS = 2  # Bragg peaks of a crystal, with their opposites counted once
LEAST_REPEAT = 0.5  # correlation of a picture with itself, a lattice vector away
SKEWED = 4.0  # electrons per pixel: a lower mean is best seen in the skewness
EMPTY = 0.01  # of the mean: noise is as weak as this where an enlarged frame has no detail

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Survey:
    """A frame and its clean estimate, measured. Lengths in px, doses in electrons per pixel."""

    noise: NoiseModel
    dose: float  # at the brightest columns; NaN where the noise says nothing of it
    independent_dose: float  # the same per independent pixel: more in a frame that was enlarged
    spacing: float  # median distance of a column to the nearest; NaN where none were found
    columns: int  # that stand out in the clean estimate
    peaks: int  # Bragg peaks in the frame
    atoms: bool  # whether it shows an ordered arrangement of columns


def survey(raw: Image, clean: Image) -> Survey:
    """Of a frame and its clean estimate, both float32 and finite."""
    noise = measure_noise(raw, clean)
    smooth = blurred(clean, BLUR)
    low, high = (float(q) for q in np.quantile(smooth[::2, ::2], CONTRAST))
    found = _columns(smooth, high - low)
    distances = [_nearest(places.astype(np.float32)) for places in found]
    many = [len(places) >= LEAST_COLUMNS for places in found]
    spacing = float(np.median(distances[0])) if many[0] else math.nan
    peaks = bragg_peaks(raw)
    ordered = any(
        enough and _is_ordered(each) for enough, each in zip(many, distances, strict=True)
    )
    atoms = many[0] and (ordered or len(peaks.places) >= LEAST_PEAKS)
    if not ordered:
        repeat = nearest_repeat(smooth)
        if repeat.correlation > LEAST_REPEAT:  # its maxima are noise that is left, or unequal
            atoms, spacing = True, repeat.distance
    fine = fine_spacing(peaks)
    if math.isfinite(fine):
        spacing = fine  # what seems to be columns is what is left of them
    dose = _dose(raw, clean, high, noise)
    independent = dose / float(np.mean(noise.spectrum > EMPTY))
    return Survey(noise, dose, independent, spacing, len(found[0]), len(peaks.places), atoms)


def _columns(smooth: Image, contrast: float) -> list[NDArray[Any]]:
    """Places of maxima that rise by LEAST_RISE of the contrast, and of those by HIGH_RISE."""
    if not contrast > 0:
        return [np.empty((0, 2))] * 2
    places, rises = _core.maxima(smooth, LEAST_RISE * contrast)
    return [places, places[rises >= np.float32(HIGH_RISE * contrast)]]


def blurred(image: NDArray[np.floating], sigma: float) -> Image:
    """By a Gaussian of `sigma` px, periodic at the edges."""
    up = np.exp(-2 * (math.pi * sigma * np.fft.fftfreq(image.shape[0])) ** 2)
    across = np.exp(-2 * (math.pi * sigma * np.fft.rfftfreq(image.shape[1])) ** 2)
    spectrum = np.fft.rfft2(np.asarray(image, np.float32)) * (up[:, None] * across).astype("f4")
    return np.fft.irfft2(spectrum, image.shape).astype(np.float32)


def _nearest(places: NDArray[np.float32]) -> Floats:
    """Distance to the nearest other place, of some of them."""
    if len(places) < 2:
        return np.empty(0)
    chosen = np.arange(0, len(places), -(-len(places) // SOME_COLUMNS))
    y, x = places.T
    square = (y[chosen, None] - y) ** 2 + (x[chosen, None] - x) ** 2
    square[np.arange(len(chosen)), chosen] = np.inf
    found: Floats = np.sqrt(square.min(axis=1))
    return found


def _is_ordered(distances: Floats) -> bool:
    """By the shortest interval that holds half of them."""
    ordered, half = np.sort(distances), len(distances) // 2
    shortest = float((ordered[half:] - ordered[: len(ordered) - half]).min())
    limit = ORDERED * (1 - BY_CHANCE / len(distances))
    return shortest < limit * float(np.median(ordered))


def _dose(raw: Image, clean: Image, bright: float, noise: NoiseModel) -> float:
    """Electrons per pixel at the brightest columns.

    The skewness of Poisson noise gives the mean dose, whatever the gain and the offset, as long as
    it is low. Otherwise the slope of the variance gives it; where the picture has little contrast,
    that may come out far too low, but not below what the skewness says.
    """
    residual = (raw - clean).ravel()
    deviation = float(np.sqrt(np.mean(np.square(residual), dtype=np.float64)))
    if not deviation > 0:
        return math.nan
    scaled = residual[np.abs(residual) < 2 * OUTLIER * deviation] / deviation
    square = scaled * scaled
    second = float(np.mean(square, dtype=np.float64))
    if not second > 0:  # but for outliers, the clean estimate is the frame
        return math.nan
    skewness = float(np.mean(square * scaled, dtype=np.float64)) / second**1.5
    kernel = np.fft.ifft2(np.sqrt(noise.spectrum)).real  # of zero phase
    kernel /= kernel.sum()
    squares, cubes = float((kernel**2).sum()), float((kernel**3).sum())
    error = 5 * math.sqrt(6 / (scaled.size * squares))
    by_slope = (bright - noise.offset) / noise.gain if noise.counts else math.nan
    if skewness < error or cubes <= 0:
        return by_slope
    # Third and second cumulant of filtered Poisson noise: gain^n * mean * sum(kernel^n).
    gain = skewness * deviation * math.sqrt(second) * squares / cubes
    mean = cubes**2 / squares**3 / skewness**2
    by_skewness = float(mean + max(0.0, bright - float(clean.mean(dtype=np.float64))) / gain)
    return by_skewness if mean < SKEWED or not noise.counts else max(by_slope, by_skewness)
