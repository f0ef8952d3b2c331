"""Synthetic specimens with a known truth: for the demo, the figures in the cards, and the tests.

Columns are Gaussians. Training has a simulator of its own, so what is measured here was never seen
by a model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]
Shape = tuple[int, int]


@dataclass(frozen=True)
class Specimen:
    """Columns at (y, x) px with peak heights `weight`, all of one width."""

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    weight: NDArray[np.float64]
    sigma: float
    background: float = 0.0

    def image(self, shape: Shape, shift: tuple[float, float] = (0.0, 0.0)) -> Image:
        """What an ideal detector records when the specimen has moved by `shift` = (dy, dx)."""
        result = np.full(shape, self.background)
        reach = int(np.ceil(5 * self.sigma))
        offsets = np.arange(-reach, reach + 1)
        for y, x, weight in zip(self.y + shift[0], self.x + shift[1], self.weight, strict=True):
            rows, columns = round(y) + offsets, round(x) + offsets
            rows = rows[(rows >= 0) & (rows < shape[0])]
            columns = columns[(columns >= 0) & (columns < shape[1])]
            if len(rows) and len(columns):
                profile_y = np.exp(-((rows - y) ** 2) / (2 * self.sigma**2))
                profile_x = np.exp(-((columns - x) ** 2) / (2 * self.sigma**2))
                window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
                result[window] += weight * np.outer(profile_y, profile_x)
        return result


def perovskite(
    shape: Shape,
    seed: int,
    *,
    period: float = 20.0,
    sigma: float = 3.2,
    spread: float = 0.06,
) -> Specimen:
    """ABO3 along [001]: bright A columns, B-O columns between them, faint O columns beside those.

    `spread` is the relative column-to-column deviation of the heights.
    """
    random = np.random.default_rng(seed)
    basis = ((0.0, 0.0, 1.0), (0.5, 0.5, 0.6), (0.5, 0.0, 0.1), (0.0, 0.5, 0.1))
    origin = random.uniform(0, period, 2)
    y, x, weight = _cells(shape, period, basis, origin)
    weight = weight * (1 + spread * random.standard_normal(len(weight)))
    return Specimen(y, x, np.maximum(weight, 0), sigma, background=0.06)


def ruddlesden_popper(
    shape: Shape, seed: int, *, period: float = 20.0, sigma: float = 3.2, reach: float = 40.0
) -> Specimen:
    """SrTiO3 [001] with a Ruddlesden-Popper fault down the middle.

    At the fault one SrO plane too many stands: two SrO planes face each other, 0.66 cells apart
    instead of one, and the crystal beyond is shifted by half a cell along the fault. Columns reach
    `reach` px past the picture, so that it may drift.
    """
    random = np.random.default_rng(seed)
    basis = ((0.0, 0.0, 1.0), (0.5, 0.5, 0.55), (0.5, 0.0, 0.08), (0.0, 0.5, 0.08))
    wide = (shape[0] + int(2 * reach), shape[1] + int(2 * reach))
    y, x, weight = _cells(wide, period, basis, np.zeros(2))
    y, x = y - reach, x - reach
    fault = period * round((shape[1] / 2 + reach) / period) - reach
    left, right = x < fault + 0.25 * period, x > fault + 0.75 * period
    # Beyond the fault the crystal starts with an SrO plane again, half a cell along.
    beyond_y = y[right] + period / 2
    beyond_x = x[right] - period + 0.66 * period
    y, x = np.concatenate([y[left], beyond_y]), np.concatenate([x[left], beyond_x])
    weight = np.concatenate([weight[left], weight[right]])
    weight = weight * (1 + 0.03 * random.standard_normal(len(weight)))
    return Specimen(y, x, weight, sigma, background=0.04)


def expose(clean: Image, peak: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Electron counts of a picture whose brightest pixel receives `peak` electrons on average."""
    counts: NDArray[np.int64] = random.poisson(clean * (peak / clean.max()))
    return counts.astype(np.float32)


def psnr(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Peak signal-to-noise ratio in dB; the peak is the truth's maximum."""
    error = np.mean((np.asarray(image, np.float64) - truth) ** 2)
    return float(10 * np.log10(truth.max() ** 2 / error))


def _cells(
    shape: Shape,
    period: float,
    basis: tuple[tuple[float, float, float], ...],
    origin: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Every column of a square lattice over a picture and one cell beyond its edges."""
    rows = np.arange(-1, shape[0] / period + 1)
    columns = np.arange(-1, shape[1] / period + 1)
    cell_y, cell_x = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    fraction_y, fraction_x, heights = np.array(basis).T
    y = origin[0] + period * (cell_y[:, None] + fraction_y)
    x = origin[1] + period * (cell_x[:, None] + fraction_x)
    return y.ravel(), x.ravel(), np.broadcast_to(heights, y.shape).ravel()
