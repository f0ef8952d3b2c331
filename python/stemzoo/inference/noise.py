"""The noise of a frame about a clean estimate of it: its variance and its spectrum.

Variance(mean) = gain * (mean - offset) + readout^2 is that of a detector that counts. Afterglow,
smoothing and resampling correlate the noise of neighbouring pixels: its spectrum is not flat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BINS = 32  # of the clean intensity
OUTLIER = 8.0  # standard deviations: residuals beyond are hot pixels or jumps of the beam
SLOPE_SURE = 4.0  # standard errors: a smaller slope does not say that the noise is of counts
GRID = 64  # frequencies along an axis of the noise spectrum
LOWEST = 0.08  # 1/px: below, a denoiser absorbs noise, and the spectrum is extrapolated
DEGREE = 4  # of the polynomial in the cosines of frequency that log(spectrum) is
DEEPEST = 1e-3  # of its mean: less noise at any frequency cannot be told from none
WHITE = 0.15  # rms of log(spectrum): a spectrum this flat is white
TRUST = 4  # power of the share of the frame's spectrum that a frequency counts by
OUTSTANDING = 2.5  # standard deviations of the medians from which on they count less
LEAST_BLOCK = 3  # frequencies along a side
TINY = 1e-30
STIFFNESS = 0.3  # penalty of a coefficient, times its degree squared
MEDIAN_OF_EXPONENTIAL = math.log(2)

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoiseModel:
    """Noise in the units of the frame; `gain` is the signal of one electron per pixel.

    Where the noise does not grow with the signal, gain and offset are NaN, and `readout` is the
    standard deviation of all noise. Readout noise and an offset cannot be told apart where both
    are there: one of them is 0.
    """

    gain: float
    offset: float
    readout: float
    level: float  # variance = level + slope * intensity, as fitted
    slope: float
    spectrum: Floats = field(repr=False)  # [GRID, GRID], mean 1, frequencies as np.fft.fftfreq
    white: bool
    share: float = 1.0  # variance of the residual over that of the noise; see noise_spectrum

    @property
    def counts(self) -> bool:
        """Whether the noise grows with the signal as that of counted electrons does."""
        return math.isfinite(self.gain)

    @property
    def present(self) -> bool:
        """Whether there is any noise to judge a result by."""
        return self.level > 0 or self.slope > 0

    @cached_property
    def correlation(self) -> Floats:
        """[GRID, GRID]: correlation of the noise of two pixels, by their distance along y and x."""
        found: Floats = np.fft.ifft2(self.spectrum).real
        found /= found[0, 0]
        return found

    def variance(self, intensity: NDArray[np.floating]) -> NDArray[np.floating]:
        """Of the noise where the clean intensity is this."""
        least = 0.02 * (self.level + self.slope * float(np.mean(intensity)))
        found: NDArray[np.floating] = np.maximum(
            self.level + self.slope * intensity, max(least, 1e-30)
        )
        return found


def measure_noise(raw: Image, clean: Image) -> NoiseModel:
    """The noise model of `raw`, of which `clean` is the estimate without noise."""
    residual = raw - clean
    typical = float(np.sqrt(np.mean(np.square(residual), dtype=np.float64)))
    if not typical > 0:
        flat = np.ones((GRID, GRID))
        return NoiseModel(math.nan, math.nan, 0.0, 0.0, 0.0, flat, True)
    fair = np.abs(residual) < OUTLIER * typical
    level, slope, error = _variance_line(clean, residual, fair)
    rough = np.maximum(level + slope * clean, 0.02 * typical**2)
    scale = 1 / np.sqrt(rough)
    centred = raw - float(raw.mean(dtype=np.float64))
    spectrum, share = noise_spectrum(np.where(fair, residual * scale, 0), centred * scale)
    white = bool(np.sqrt(np.mean(np.log(spectrum) ** 2)) < WHITE)
    if white:
        spectrum = np.ones_like(spectrum)
    if not slope > SLOPE_SURE * error:
        all_of_it = float(np.mean(np.square(residual[fair]), dtype=np.float64))
        deviation = math.sqrt(all_of_it)
        return NoiseModel(math.nan, math.nan, deviation, all_of_it, 0.0, spectrum, white, share)
    # A filter that keeps the mean keeps the noise of the lowest frequencies, where electrons count.
    gain = slope * float(spectrum[0, 0])
    offset = -level / slope if level < 0 else 0.0
    readout = math.sqrt(max(level, 0.0))
    return NoiseModel(gain, offset, readout, level, slope, spectrum, white, share)


def _variance_line(clean: Image, residual: Image, fair: NDArray[np.bool_]) -> tuple[float, ...]:
    """Level and slope of the variance against the intensity, and the slope's standard error."""
    values, squares = clean[fair].ravel(), np.square(residual[fair]).ravel()
    low, high = np.quantile(values[:: 1 + len(values) // 20_000], (0.002, 0.998))
    if not high > low:
        return float(squares.mean(dtype=np.float64)), 0.0, math.inf
    place = np.clip((values - low) * (BINS / (high - low)), 0, BINS - 1).astype(np.intp)
    count = np.bincount(place, minlength=BINS).astype(np.float64)
    used = count > 30
    count = count[used]
    mean = np.bincount(place, values, BINS)[used] / count
    square = np.bincount(place, squares, BINS)[used] / count
    fourth = np.bincount(place, squares.astype(np.float64) ** 2, BINS)[used] / count
    weight = count / np.maximum(fourth - square**2, 1e-3 * square.mean() ** 2)
    centre = np.average(mean, weights=weight)
    spread = float((weight * (mean - centre) ** 2).sum())
    if len(mean) < 3 or not spread > 0:
        return float(np.average(square, weights=count)), 0.0, math.inf
    slope = float((weight * (mean - centre) * square).sum() / spread)
    level = float(np.average(square, weights=weight) - slope * centre)
    misfit = square - level - slope * mean
    excess = max(1.0, float((weight * misfit**2).sum() / (len(mean) - 2)))
    return level, slope, math.sqrt(excess / spread)


def noise_spectrum(
    residual: NDArray[np.floating], raw: NDArray[np.floating]
) -> tuple[Floats, float]:
    """The spectrum of the noise [GRID, GRID], smooth, with a mean of one, and the power of the
    residual over that of such noise: less than one where the clean estimate has kept noise, more
    where the residual holds structure.

    Medians over blocks of frequencies leave the Bragg peaks out that a denoiser missed. Frequencies
    count as far as the residual has all the power of the frame: there, the denoiser has removed
    all noise, and there is no structure. The logarithm is a polynomial in the cosines of both
    frequencies, which extrapolates it to the others; a penalty keeps it flat where little counts.

    `_core.NoiseColour` of the residual alone cannot tell where the clean estimate has kept noise:
    where a result keeps a quarter of it, its share comes out as one.
    """
    if min(residual.shape) < GRID:
        return np.ones((GRID, GRID)), 1.0
    power = power_spectrum(residual)
    up, across, medians = _block_medians(power, residual.shape)
    of_raw = _block_medians(power_spectrum(raw), raw.shape)[2]
    removed = np.clip(medians / np.maximum(of_raw, 1e-30), 0, 1)
    basis, degrees = _basis(up, across)
    target = np.log(np.maximum(medians, 1e-12 * medians.mean() + TINY) / MEDIAN_OF_EXPONENTIAL)
    target = np.maximum(target, np.log(DEEPEST * np.mean(np.exp(target))))
    weight = removed**TRUST
    penalty = np.diag(STIFFNESS * degrees**2 + 1e-6)
    for _ in range(4):  # what still stands out is structure, not noise
        normal = basis.T @ (weight[:, None] * basis) + penalty
        fit = np.linalg.solve(normal, basis.T @ (weight * target))
        misfit = target - basis @ fit
        spread = 1.4826 * float(np.median(np.abs(misfit))) + 1e-6
        weight = removed**TRUST
        outstanding = np.maximum(misfit / (OUTSTANDING * spread), 1)
        weight = weight / outstanding**2
    frequency = np.fft.fftfreq(GRID)
    grid = np.meshgrid(frequency, frequency, indexing="ij")
    spectrum = np.exp(_basis(grid[0].ravel(), grid[1].ravel())[0] @ fit).reshape(GRID, GRID)
    share = float(power.mean() / spectrum.mean())
    found: Floats = np.maximum(spectrum / spectrum.mean(), DEEPEST)
    found /= found.mean()
    return found, share


def power_spectrum(image: NDArray[np.floating]) -> Image:
    """Of the half plane of frequencies, through a Hann window."""
    rows, columns = image.shape
    taper = np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[None, 1:-1]
    spectrum = np.fft.rfft2(image.astype(np.float32) * taper.astype(np.float32))
    return (spectrum.real**2 + spectrum.imag**2).astype(np.float32, copy=False)


def _block_medians(power: Image, shape: tuple[int, ...]) -> tuple[Floats, Floats, Floats]:
    """Frequencies and median powers of blocks of the half plane above the lowest frequencies, of
    the power spectrum of an image of this shape."""
    rows, columns = shape
    tall, wide = max(rows // GRID, LEAST_BLOCK), max(columns // GRID, LEAST_BLOCK)
    high, across = rows // tall, (power.shape[1] - 1) // wide
    blocks = power[: high * tall, 1 : 1 + across * wide].reshape(high, tall, across, wide)
    medians = np.median(blocks.transpose(0, 2, 1, 3).reshape(high, across, -1), axis=-1)
    y = np.fft.fftfreq(rows)[: high * tall].reshape(high, tall)
    y = np.sign(y[:, tall // 2]) * np.abs(y).mean(1)
    x = (1 + np.arange(across * wide)).reshape(across, wide).mean(1) / columns
    up, along = (axis.ravel() for axis in np.meshgrid(y, x, indexing="ij"))
    used = np.hypot(up, along) > LOWEST
    return up[used], along[used], medians.ravel()[used].astype(np.float64)


def _basis(up: Floats, across: Floats) -> tuple[Floats, Floats]:
    """Products of Chebyshev polynomials of the cosines of both frequencies, and their degrees."""
    angles = 2 * math.pi * up, 2 * math.pi * np.abs(across)
    powers = [[np.cos(n * angle) for n in range(DEGREE + 1)] for angle in angles]
    pairs = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    basis = np.stack([powers[0][i] * powers[1][j] for i, j in pairs], axis=-1)
    return basis, np.array([float(i + j) for i, j in pairs])
