"""Pairs of hexagonal lattices, on which estimates of the drift are easily a lattice vector off.

The frames are windows on a larger specimen, so that only deviations from the perfect lattice
distinguish a drift from one that is a lattice vector longer. A pure lattice has none.

A drift d = (dy, dx) moves features: moving(r) = reference(r - d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from training.simulate.draw import normal, uniform
from training.simulate.hexagons import MAX_DRIFT, GaussianColumns, draw_columns, picture
from training.simulate.scan import EDGE

FRAME_SIZE = 256  # px
LATTICE_SPACING = (8.0, 24.0)  # px between neighbouring columns
LATTICE_SIGMA = (0.16, 0.24)  # their sigma, in spacings
BACKGROUND = 0.05  # of the peak
HEIGHT_SPREAD = 0.1  # relative standard deviation of the columns' heights
PARTICLE_RADIUS = (0.22, 0.41)  # of a particle, in sides of the frame


@dataclass
class ScenePairs:
    """Noise-free scenes [B, side, side], normalised to a column's peak, and drifts [B, 2] in px.

    Scenes are EDGE px larger than the frames on every side, for scan errors.
    """

    reference: Tensor
    moving: Tensor
    drift: Tensor

    @property
    def size(self) -> int:
        """Of the frames."""
        return self.reference.shape[-1] - 2 * EDGE


def draw_lattices(
    case: str,
    batch: int,
    random: torch.Generator,
    size: int = FRAME_SIZE,
    max_drift: float = MAX_DRIFT,
) -> ScenePairs:
    """Random scenes of one of LATTICE_CASES, sorted by spacing."""
    columns = draw_columns(
        batch, size + 2 * EDGE, 0.0, random, LATTICE_SPACING, LATTICE_SIGMA, max_drift
    )
    drift = uniform((batch, 2), -max_drift, max_drift, random)
    columns.height = columns.height * LATTICE_CASES[case](columns, drift, size, random)
    still, moved = (picture(columns, size + 2 * EDGE, by) for by in (None, drift))
    return ScenePairs(on_background(still), on_background(moved), drift)


def on_background(image: Tensor) -> Tensor:
    return BACKGROUND + (1 - BACKGROUND) * image


def _pure(columns: GaussianColumns, drift: Tensor, size: int, random: torch.Generator) -> Tensor:
    return torch.ones_like(columns.height)


def _spread(columns: GaussianColumns, drift: Tensor, size: int, random: torch.Generator) -> Tensor:
    return (1 + HEIGHT_SPREAD * normal(columns.height.shape, random)).clamp(min=0)


def _vacancy(columns: GaussianColumns, drift: Tensor, size: int, random: torch.Generator) -> Tensor:
    """One column that would be whole in both frames is missing."""
    inside = columns.height > 0
    whole = 3 * columns.sigma[:, None]
    for place, by in ((columns.y, drift[:, :1]), (columns.x, drift[:, 1:])):
        for at in (place - EDGE, place - EDGE + by):
            inside = inside & (at > whole) & (at < size - 1 - whole)
    lost = torch.multinomial(inside.float(), 1, generator=random)
    return torch.ones_like(columns.height).scatter(1, lost, 0.0)


def _particle(
    columns: GaussianColumns, drift: Tensor, size: int, random: torch.Generator
) -> Tensor:
    """Only a round particle that lies inside both frames."""
    room = (size - 1 - drift.abs()) / 2  # half-widths of the overlap of both frames
    edge = 3 * columns.sigma[:, None]
    radius = size * uniform((len(drift), 1), *PARTICLE_RADIUS, random)
    radius = torch.minimum(radius, room.amin(dim=1, keepdim=True) - edge)
    centre = EDGE + (size - 1 - drift) / 2  # of the overlap, in the reference
    centre = centre + (room - radius - edge) * uniform(drift.shape, -1, 1, random)
    square = (columns.y - centre[:, :1]).square() + (columns.x - centre[:, 1:]).square()
    return (square < radius.square()).float()


Case = Callable[[GaussianColumns, Tensor, int, torch.Generator], Tensor]

# The factors of the columns' heights.
LATTICE_CASES: dict[str, Case] = {
    "finite particle": _particle,
    "column-intensity spread": _spread,
    "one vacancy": _vacancy,
    "pure lattice": _pure,
}
