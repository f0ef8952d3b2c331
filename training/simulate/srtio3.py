"""Windows of a perfect SrTiO3 lattice along [001], as Buban & Choi train on.

Gaussian columns of one width on a lattice of one parameter: strontium of height 1.0 at the corners
of the cell and titanium-oxygen of height 0.7 in its middle. Windows differ in translation and
rotation only.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import uniform

WINDOW = 28  # px
PERIOD = 20.0  # px: the lattice parameter
COLUMN_SIGMA = 3.2  # px: the width of a column
SR_HEIGHT, TIO_HEIGHT = 1.0, 0.7

Range = tuple[float, float]


def lattices(count: int, random: torch.Generator, turned: Range = (0.0, 45.0)) -> Tensor:
    """Clean windows (count, WINDOW, WINDOW), each randomly translated and rotated (degrees)."""
    turn = uniform((count, 1, 1), math.radians(turned[0]), math.radians(turned[1]), random)
    origin = uniform((2, count, 1, 1), 0.0, PERIOD, random)
    pixel = torch.arange(WINDOW, device=random.device)
    y, x = pixel[:, None], pixel[None, :]
    along = turn.cos() * x + turn.sin() * y + origin[0]
    across = turn.cos() * y - turn.sin() * x + origin[1]
    half = PERIOD / 2
    return SR_HEIGHT * _comb(along) * _comb(across) + TIO_HEIGHT * _comb(along + half) * _comb(
        across + half
    )


def _comb(position: Tensor) -> Tensor:
    """A periodic row of Gaussians of height one, PERIOD apart."""
    away = (position.remainder(PERIOD) - PERIOD / 2).abs() - PERIOD / 2  # from the nearest, <= 0
    return (away.square() / (-2 * COLUMN_SIGMA**2)).exp() + (
        (away + PERIOD).square() / (-2 * COLUMN_SIGMA**2)
    ).exp()
