"""Pairs of frames on which a drift is easily a lattice vector wrong: hexagonal lattices.

What leaves the frame on one side comes in on the other as on a large specimen, so that only what
breaks the lattice tells one lattice vector from the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stemzoo.demo.phantoms import Image, Specimen

SHIFT = 16.0  # px: the longest drift along either axis
SPACING = (8.0, 24.0)  # px between columns
WIDTH = 0.2  # their sigma, in spacings
BACKGROUND = 0.05  # of the peak
SPREAD = 0.1  # of the columns' heights, relative

Random = np.random.Generator
Shift = tuple[float, float]


def ideal_pair(case: str, size: int, random: Random) -> tuple[Image, Image, Shift]:
    """Reference and moving without noise, a column's peak being one, and the drift between them."""
    specimen = _lattice(size, random)
    dy, dx = random.uniform(-SHIFT, SHIFT, 2)
    weight = CASES[case](specimen, size, (dy, dx), random) * (1 - BACKGROUND)
    specimen = replace(specimen, weight=weight)
    shape = (size, size)
    return specimen.image(shape), specimen.image(shape, (dy, dx)), (dy, dx)


def counted(image: Image, dose: float, random: Random) -> NDArray[np.float32]:
    """Electron counts, `dose` of them in a pixel at the peak of a column; nobody may change them,
    since all see the same."""
    counts = random.poisson(image * dose).astype(np.float32)
    counts.flags.writeable = False
    return counts


def _lattice(size: int, random: Random) -> Specimen:
    """Wherever the frames look, columns reach farther."""
    spacing, turn = random.uniform(*SPACING), random.uniform(0, np.pi / 3)
    reach = int(np.ceil((size + 4 * SHIFT) / spacing))
    along, across = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    u, v = spacing * (along + across / 2), spacing * across * np.sqrt(3) / 2
    start_y, start_x = size / 2 + random.uniform(0, spacing, 2)
    y = start_y + np.cos(turn) * v + np.sin(turn) * u
    x = start_x - np.sin(turn) * v + np.cos(turn) * u
    low, high = -2 * SHIFT, size + 2 * SHIFT
    seen = (y > low) & (y < high) & (x > low) & (x < high)
    width = WIDTH * spacing
    return Specimen(y[seen], x[seen], np.ones(seen.sum()), width, BACKGROUND)


def _particle(specimen: Specimen, size: int, shift: Shift, random: Random) -> NDArray[np.float64]:
    """Only a round particle, whole in both frames."""
    radius = random.uniform(0.22, 0.41) * size
    radius = min(radius, (size - max(map(abs, shift))) / 2 - 3 * specimen.sigma)
    middle_y, middle_x = ((size - way) / 2 for way in shift)
    inside = (specimen.y - middle_y) ** 2 + (specimen.x - middle_x) ** 2 < radius**2
    return inside.astype(float)


def _spread(specimen: Specimen, size: int, shift: Shift, random: Random) -> NDArray[np.float64]:
    return np.maximum(random.normal(1, SPREAD, len(specimen.y)), 0)


def _vacancy(specimen: Specimen, size: int, shift: Shift, random: Random) -> NDArray[np.float64]:
    """One column is missing that both frames would show whole."""
    whole = np.ones(len(specimen.y), bool)
    for place, way in ((specimen.y, shift[0]), (specimen.x, shift[1])):
        for at in (place, place + way):
            whole &= (at > 3 * specimen.sigma) & (at < size - 3 * specimen.sigma)
    weight = np.ones(len(specimen.y))
    weight[random.choice(np.nonzero(whole)[0])] = 0
    return weight


CASES: dict[str, Callable[[Specimen, int, Shift, Random], NDArray[np.float64]]] = {
    "finite particle": _particle,
    "10 % column-intensity spread": _spread,
    "one vacancy": _vacancy,
}
