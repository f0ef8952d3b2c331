"""The best possible rate of distinguishing a drift from one that is a lattice vector longer.

On a crystal whose columns differ in height only, the ideal observer knows the lattice, the columns'
shape, the background and the spread of the heights, but not the heights and the noise. It measures
each column's height in both frames and takes the lattice vector of maximum likelihood. Measured
heights have the variance 1 / sum(s^2 / L), for a column s in a scene of L counts. Frames contain
whole columns only, and no drift is longer than MAX_DRIFT.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from training.simulate.hexagons import MAX_DRIFT
from training.simulate.lattice import Cells
from training.simulate.lattice_pairs import BACKGROUND, FRAME_SIZE, HEIGHT_SPREAD

Array = NDArray[np.float64]
LIGHT_RADIUS = 4.0  # sigmas: where the intensity of a column is cut off
SAME_TOLERANCE = 1e-3  # of positions, in cells, and of intensities


@dataclass(frozen=True)
class ProjectedCrystal:
    """One projected cell: lattice vectors in px, columns in fractions of them, intensities."""

    vectors: Array
    places: Array
    weights: Array

    def symmetries(self) -> Iterator[list[tuple[int, tuple[int, int]]]]:
        """Translations within a cell that map the crystal onto itself: for each column, the one it
        is mapped onto, and the cell of that."""
        for first in self.places:
            onto = [self._found(place + first - self.places[0]) for place in self.places]
            same = all(
                found and abs(self.weights[found[0]] - weight) < SAME_TOLERANCE
                for found, weight in zip(onto, self.weights, strict=True)
            )
            if same:
                yield [found for found in onto if found]

    def _found(self, place: Array) -> tuple[int, tuple[int, int]] | None:
        for k, known in enumerate(self.places):
            cells = np.round(place - known)
            if np.abs(place - known - cells).max() < SAME_TOLERANCE:
                return k, (int(cells[0]), int(cells[1]))
        return None


def ideal_hit_rate(
    cells: Cells, sigma: Tensor, dose: float, random: torch.Generator, pixel: int = 1
) -> float:
    """The fraction of pairs, one per cell, in which the true drift has the maximum likelihood.

    Columns are Gaussians of standard deviation `sigma` [B] px; `dose` is the count at the brightest
    point of a crystal. Pixels are `pixel` px wide, and count as much per px.
    """
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=random)))
    hits = 0
    for n, width in enumerate(sigma.tolist()):
        there = cells.weights[n] > 0
        parts = (cells.vectors[n], cells.places[n][there], cells.weights[n][there])
        crystal = ProjectedCrystal(*(part.double().numpy() for part in parts))
        hits += _fits_best(crystal, height_variances(crystal, width, dose, pixel), rng)
    return hits / len(sigma)


def height_variances(crystal: ProjectedCrystal, sigma: float, dose: float, pixel: int = 1) -> Array:
    """The variance of each column's measured height, relative to the column, by counts in pixels
    that are `pixel` px wide, averaged over where they begin."""
    far = math.ceil(LIGHT_RADIUS * sigma)
    grid = _grid(far)
    around = _grid(math.ceil(3 * far / _narrowest(crystal)) + 1)

    def light(from_: Array, weight: float) -> Array:
        square = np.square(grid - from_).sum(-1)
        return np.asarray(weight * np.exp(-square / (2 * sigma**2)))

    columns: list[Array] = []
    scenes: list[Array] = []
    for place, weight in zip(crystal.places, crystal.weights, strict=True):
        away = (around[:, :, None] + crystal.places - place) @ crystal.vectors
        near = np.abs(away).max(-1) <= 2 * far
        lit = np.broadcast_to(crystal.weights, near.shape)[near]
        every = [light(at, other) for at, other in zip(away[near], lit, strict=True)]
        scenes.append(np.sum(every, axis=0))
        columns.append(light(np.zeros(2), weight))
    scale = dose * (1 - BACKGROUND) / max(scene.max() for scene in scenes)
    columns, scenes = ([_binned(image, pixel) for image in images] for images in (columns, scenes))
    return np.array(
        [
            1 / ((scale * column) ** 2 / (dose * BACKGROUND + scale * scene)).sum()
            for column, scene in zip(columns, scenes, strict=True)
        ]
    )


def _binned(image: Array, pixel: int) -> Array:
    """The mean over squares of `pixel` px, for each place of the square."""
    return np.asarray(sliding_window_view(image, (pixel, pixel)).mean(axis=(-2, -1)))


def _fits_best(crystal: ProjectedCrystal, variance: Array, rng: np.random.Generator) -> bool:
    """Whether the true drift has the maximum likelihood, for one random pair."""
    cells = _grid(math.ceil((FRAME_SIZE / math.sqrt(2) + 2 * MAX_DRIFT) / _narrowest(crystal)) + 1)
    at = (
        cells[:, :, None] + crystal.places + rng.uniform(0, 1, 2)
    ) @ crystal.vectors + FRAME_SIZE / 2
    drift = rng.uniform(-MAX_DRIFT, MAX_DRIFT, 2)
    height = HEIGHT_SPREAD * rng.normal(size=at.shape[:3])

    def measured(places: Array) -> Array:
        inside = ((places > 0) & (places < FRAME_SIZE)).all(-1)
        return np.where(inside, height + np.sqrt(variance) * rng.normal(size=height.shape), np.nan)

    still, moved = measured(at), measured(at + drift)
    best, right = -math.inf, False
    steps = _grid(math.ceil(2 * math.sqrt(2) * MAX_DRIFT / _narrowest(crystal)) + 1).reshape(-1, 2)
    for onto in crystal.symmetries():
        column, cell = onto[0]
        away = (steps + crystal.places[column] + cell - crystal.places[0]) @ crystal.vectors
        for (down, across), longer in zip(steps.astype(int).tolist(), away, strict=True):
            if np.abs(drift + longer).max() > MAX_DRIFT:
                continue
            other = [
                np.roll(moved[:, :, k], (-down - y, -across - x), (0, 1)) for k, (y, x) in onto
            ]
            fit = _log_likelihood(still, np.stack(other, -1), variance)
            if fit > best:
                best, right = fit, bool(np.hypot(*longer) < SAME_TOLERANCE)
    return right


def _log_likelihood(first: Array, second: Array, noise: Array) -> float:
    """Log-likelihood ratio: heights of the same columns against heights of unrelated ones."""
    whole = HEIGHT_SPREAD**2 + noise
    common = np.broadcast_to(HEIGHT_SPREAD**2 / whole, first.shape)
    known = np.isfinite(first * second)
    a, b = (np.where(known, heights, 0) / np.sqrt(whole) for heights in (first, second))
    terms = (common * a * b - common**2 * (a**2 + b**2) / 2) / (1 - common**2)
    return float(terms.sum() - 0.5 * np.log1p(-(common**2))[known].sum())


def _grid(far: int) -> Array:
    """[2 far + 1, 2 far + 1, 2]: integer steps from -far to far along both axes."""
    return np.stack(np.meshgrid(*[np.arange(-far, far + 1.0)] * 2, indexing="ij"), -1)


def _narrowest(crystal: ProjectedCrystal) -> float:
    """The smaller distance between opposite sides of the cell, px."""
    area = abs(float(np.linalg.det(crystal.vectors)))
    return area / float(np.linalg.norm(crystal.vectors, axis=1).max())
