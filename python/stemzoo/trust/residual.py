"""The residual, frame less result, against the noise model: is it noise, and nothing but noise?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.noise import GRID, NoiseModel

BLOCK = 16  # px: side of the blocks of the map
LAGS = 3  # px: neighbours whose correlation counts
HEARD = 0.05  # of the mean: frequencies with less noise say nothing of its colour
STRONGEST = 24  # Bragg peaks
AROUND = 3  # bins beside a harmonic of the tiles that it is compared with
FAILED = 6.0  # standard deviations from which on a block does not agree with the noise model
OUTLIER = 8.0  # standard deviations: a hot pixel is no structure

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Residual:
    """Of noise alone, mean is 0, variance 1, whiteness 0, bragg 1, tiles 1 and failed 0."""

    mean: float  # in standard deviations of the noise
    variance: float  # over that of the noise: less where the result keeps noise
    whiteness: float  # largest correlation with a neighbour, with the colour of the noise undone
    bragg: float  # median power at the frame's Bragg peaks over that of the noise; NaN without any
    tiles: float  # power at the tiles' frequency over that around it; NaN for a single tile
    failed: float  # fraction of blocks of 16 x 16 px that do not agree with the noise model
    map: Floats = field(repr=False)  # deviation of each block, in standard deviations


def inspect_residual(
    raw: Image, clean: Image, noise: NoiseModel, tile_step: tuple[int, int] | None = None
) -> Residual:
    """`tile_step` is how far apart the tiles were laid, in px along y and x."""
    scaled = ((raw - clean) / np.sqrt(noise.variance(clean))).astype(np.float32)
    scaled = np.clip(np.nan_to_num(scaled), -OUTLIER, OUTLIER)
    deviations = _map(scaled)
    return Residual(
        mean=float(scaled.mean(dtype=np.float64)),
        variance=noise.share,
        whiteness=_whiteness(scaled, noise),
        bragg=_at_bragg_peaks(raw, scaled, noise),
        tiles=_at_tiles(scaled, tile_step),
        failed=float(np.mean(np.abs(deviations) > FAILED)),
        map=deviations,
    )


def _whiteness(scaled: Image, noise: NoiseModel) -> float:
    """The largest correlation at LAGS px or less, along rows, columns and diagonals."""
    expected = _resampled(noise, scaled.shape)
    heard = expected > HEARD
    power = np.abs(np.fft.rfft2(scaled - scaled.mean())) ** 2 / expected
    excess = np.where(heard, power / max(float(power[heard].mean()), 1e-30) - 1, 0)
    correlation = np.fft.irfft2(excess, scaled.shape)
    nearby = np.concatenate(
        [correlation[: LAGS + 1, : LAGS + 1].ravel()[1:], correlation[-LAGS:, 1 : LAGS + 1].ravel()]
    )
    return float(nearby[np.abs(nearby).argmax()] / heard.mean())


def _resampled(noise: NoiseModel, shape: tuple[int, ...]) -> Image:
    """The spectrum of the noise at the frequencies of a picture's half plane, by nearest ones."""
    up = np.rint(np.fft.fftfreq(shape[0]) * GRID).astype(int) % GRID
    across = np.rint(np.fft.rfftfreq(shape[1]) * GRID).astype(int) % GRID
    return np.asarray(noise.spectrum[np.ix_(up, across)], np.float32)


def _at_bragg_peaks(raw: Image, scaled: Image, noise: NoiseModel) -> float:
    peaks = _core.bragg_peaks(raw)[0][:STRONGEST]
    if not len(peaks):
        return math.nan
    power = _core.power_spectrum(scaled)
    rows, columns = scaled.shape
    y = np.rint(peaks[:, 0] * rows).astype(int) % rows
    x = np.minimum(np.rint(peaks[:, 1] * columns).astype(int), power.shape[1] - 1)
    around = np.stack(
        [
            power[(y + v) % rows, np.clip(x + u, 0, power.shape[1] - 1)]
            for v in (-1, 0, 1)
            for u in (-1, 0, 1)
        ]
    ).mean(0)
    expected = noise.spectrum[
        np.rint(peaks[:, 0] * GRID).astype(int) % GRID,
        np.rint(peaks[:, 1] * GRID).astype(int) % GRID,
    ]
    typical = max(float(power.mean()) / noise.share, 1e-30)
    return float(np.median(around / (expected * typical)))


def _at_tiles(scaled: Image, step: tuple[int, int] | None) -> float:
    """Seams repeat with the tiles: power of the mean row and column at multiples of 1 / step."""
    ratios = []
    for axis, apart in enumerate(step or ()):
        profile = scaled.mean(1 - axis, dtype=np.float64)
        size = len(profile)
        harmonics = np.rint(np.arange(1, max(apart // 4, 2)) * size / apart).astype(int)
        if apart >= size or size < 2 * BLOCK:
            continue
        power = np.abs(np.fft.rfft(profile - profile.mean())) ** 2
        harmonics = harmonics[(harmonics > AROUND) & (harmonics < len(power) - AROUND)]
        if not len(harmonics):
            continue
        others = np.stack([power[harmonics + k] for k in (-AROUND, -2, 2, AROUND)])
        ratios.append(float(power[harmonics].mean() / max(others.mean(), 1e-30)))
    return max(ratios) if ratios else math.nan


def _map(scaled: Image) -> Floats:
    """How far the mean square of each block, and its mean, lie from those of all, the worse one."""
    rows, columns = (size // BLOCK for size in scaled.shape)
    if not rows or not columns:
        return np.zeros((1, 1))
    inner = scaled[: rows * BLOCK, : columns * BLOCK]

    def blocks(image: NDArray[np.floating]) -> Floats:
        cut = image.reshape(rows, BLOCK, columns, BLOCK)
        found: Floats = cut.mean((1, 3), dtype=np.float64)
        return found

    found = np.zeros((rows, columns))
    for values in (blocks(inner**2), blocks(inner)):
        middle = np.median(values)
        spread = 1.4826 * np.median(np.abs(values - middle))
        # Blocks of independent pixels vary by at least this much.
        spread = max(float(spread), math.sqrt(2) / BLOCK if values.min() >= 0 else 1 / BLOCK)
        deviation = (values - middle) / spread
        found = np.where(np.abs(deviation) > np.abs(found), deviation, found)
    return found


def smoothed_residual(raw: Image, clean: Image, sigma: float) -> Image:
    """As people look at it: over about a column, structure stands out of the noise."""
    return _core.blurred(raw - clean, sigma)
