"""Pairs of hexagonal lattices, on which estimates of the drift are easily a lattice vector off.

The frames are windows on a larger specimen, so that only deviations from the perfect lattice
distinguish one lattice vector from the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stemzoo.cli.demo.phantoms import Image, Specimen

MAX_DRIFT = 16.0  # px: the longest drift along either axis
LATTICE_SPACING = (8.0, 24.0)  # px between columns
LATTICE_SIGMA = 0.2  # their sigma, in spacings
BACKGROUND = 0.05  # of the peak
HEIGHT_SPREAD = 0.1  # of the columns' heights, relative

Random = np.random.Generator
Shift = tuple[float, float]


def ideal_pair(case: str, size: int, random: Random) -> tuple[Image, Image, Shift]:
    """Noise-free reference and moving frame, normalised to a column's peak, and the drift."""
    specimen = _lattice(size, random)
    dy, dx = random.uniform(-MAX_DRIFT, MAX_DRIFT, 2)
    weight = LATTICE_CASES[case](specimen, size, (dy, dx), random) * (1 - BACKGROUND)
    specimen = replace(specimen, weight=weight)
    shape = (size, size)
    return specimen.image(shape), specimen.image(shape, (dy, dx)), (dy, dx)


def counted(image: Image, dose: float, random: Random) -> NDArray[np.float32]:
    """Electron counts, `dose` per pixel at the peak of a column. Read-only, because all tools get
    the same array."""
    counts = random.poisson(image * dose).astype(np.float32)
    counts.flags.writeable = False
    return counts


def _lattice(size: int, random: Random) -> Specimen:
    """Columns over an area larger than both frames."""
    spacing, turn = random.uniform(*LATTICE_SPACING), random.uniform(0, np.pi / 3)
    reach = int(np.ceil((size + 4 * MAX_DRIFT) / spacing))
    along, across = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    u, v = spacing * (along + across / 2), spacing * across * np.sqrt(3) / 2
    start_y, start_x = size / 2 + random.uniform(0, spacing, 2)
    y = start_y + np.cos(turn) * v + np.sin(turn) * u
    x = start_x - np.sin(turn) * v + np.cos(turn) * u
    low, high = -2 * MAX_DRIFT, size + 2 * MAX_DRIFT
    seen = (y > low) & (y < high) & (x > low) & (x < high)
    width = LATTICE_SIGMA * spacing
    return Specimen(y[seen], x[seen], np.ones(seen.sum()), width, BACKGROUND)


def _particle(specimen: Specimen, size: int, shift: Shift, random: Random) -> NDArray[np.float64]:
    """Only a round particle that lies inside both frames."""
    radius = random.uniform(0.22, 0.41) * size
    radius = min(radius, (size - max(map(abs, shift))) / 2 - 3 * specimen.sigma)
    middle_y, middle_x = ((size - way) / 2 for way in shift)
    inside = (specimen.y - middle_y) ** 2 + (specimen.x - middle_x) ** 2 < radius**2
    return inside.astype(float)


def _spread(specimen: Specimen, size: int, shift: Shift, random: Random) -> NDArray[np.float64]:
    return np.maximum(random.normal(1, HEIGHT_SPREAD, len(specimen.y)), 0)


def _vacancy(specimen: Specimen, size: int, shift: Shift, random: Random) -> NDArray[np.float64]:
    """One column that would be whole in both frames is missing."""
    whole = np.ones(len(specimen.y), bool)
    for place, way in ((specimen.y, shift[0]), (specimen.x, shift[1])):
        for at in (place, place + way):
            whole &= (at > 3 * specimen.sigma) & (at < size - 3 * specimen.sigma)
    weight = np.ones(len(specimen.y))
    weight[random.choice(np.nonzero(whole)[0])] = 0
    return weight


LATTICE_CASES: dict[str, Callable[[Specimen, int, Shift, Random], NDArray[np.float64]]] = {
    "finite particle": _particle,
    "10 % column-intensity spread": _spread,
    "one vacancy": _vacancy,
}
