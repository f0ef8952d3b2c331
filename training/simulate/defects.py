"""Crystal defects: each is a function of columns and a strength [B].

A strength of zero changes nothing, so that defects can be combined freely.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from training.simulate.draw import normal, uniform
from training.simulate.lattice import Columns

FACETS = 8  # of a particle
PITCH = 3.2  # of the grid of particles, in their largest radii
MOST_ALONG = 10  # particles along a side of the picture


def vacancies(columns: Columns, share: Tensor, random: torch.Generator) -> Columns:
    """A fraction of the columns is missing or has 40 % of its intensity."""
    draw = torch.rand(columns.weight.shape, generator=random, device=random.device)
    left = torch.where(draw < 0.6 * share[:, None], 0.0, 0.4)
    weight = torch.where(draw < share[:, None], columns.weight * left, columns.weight)
    return Columns(columns.y, columns.x, weight)


def dopants(columns: Columns, share: Tensor, random: torch.Generator) -> Columns:
    """A fraction of the columns has other atoms: brighter or fainter by one factor per picture."""
    change = uniform((len(share), 1), 0.3, 2.2, random)
    draw = torch.rand(columns.weight.shape, generator=random, device=random.device)
    weight = torch.where(draw < share[:, None], columns.weight * change, columns.weight)
    return Columns(columns.y, columns.x, weight)


def spread(columns: Columns, deviation: Tensor, random: torch.Generator) -> Columns:
    """Column intensities vary by a relative standard deviation."""
    factor = (1 + deviation[:, None] * normal(columns.weight.shape, random)).clamp(min=0)
    return Columns(columns.y, columns.x, columns.weight * factor)


def adatoms(columns: Columns, share: Tensor, size: int, random: torch.Generator) -> Columns:
    """Faint single atoms at random positions, `share` per column."""
    batch, count = columns.weight.shape
    more = max(1, round(0.2 * count))
    y, x = (uniform((batch, more), 0, size - 1, random) for _ in range(2))
    occupied = (columns.weight > 0).sum(dim=1, keepdim=True)
    present = torch.arange(more, device=y.device) < share[:, None] * occupied
    brightness = uniform((batch, 1), 0.1, 0.5, random)
    return columns.joined(Columns(y, x, brightness * present))


def disorder(columns: Columns, deviation: Tensor, random: torch.Generator) -> Columns:
    """Random displacements of the columns, `deviation` [B] px rms along each axis."""
    y = columns.y + deviation[:, None] * normal(columns.y.shape, random)
    x = columns.x + deviation[:, None] * normal(columns.x.shape, random)
    return Columns(y, x, columns.weight)


def strain(columns: Columns, amplitude: Tensor, size: int, random: torch.Generator) -> Columns:
    """A long-wavelength displacement wave of `amplitude` [B] px along each axis."""
    moved = []
    for place in (columns.y, columns.x):
        wave_y, wave_x = (uniform((len(amplitude), 1), -1.5, 1.5, random) / size for _ in range(2))
        phase = uniform((len(amplitude), 1), 0, 2 * math.pi, random)
        angle = 2 * math.pi * (wave_y * columns.y + wave_x * columns.x) + phase
        moved.append(place + amplitude[:, None] * torch.sin(angle))
    return Columns(moved[0], moved[1], columns.weight)


def dislocation(
    columns: Columns, burgers: Tensor, present: Tensor, size: int, random: torch.Generator
) -> Columns:
    """An edge dislocation at a random position: the isotropic elastic displacement field of the
    Burgers vector `burgers` [B, 2], px."""
    poisson = 0.3
    batch = len(present)
    length = burgers.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    along = burgers / length
    centre_y, centre_x = (uniform((batch, 1), 0.3, 0.7, random) * size for _ in range(2))
    dy, dx = columns.y - centre_y, columns.x - centre_x
    first = dy * along[:, :1] + dx * along[:, 1:]
    second = -dy * along[:, 1:] + dx * along[:, :1]
    square = first.square() + second.square() + (0.3 * length).square()
    u = torch.atan2(second, first) + first * second / (2 * (1 - poisson) * square)
    v = (1 - 2 * poisson) / (4 * (1 - poisson)) * square.log()
    v = -v - (first.square() - second.square()) / (4 * (1 - poisson) * square)
    v = v - v.mean(dim=1, keepdim=True)
    scale = length / (2 * math.pi) * present[:, None]
    u, v = u * scale, v * scale
    y = columns.y + u * along[:, :1] - v * along[:, 1:]
    x = columns.x + u * along[:, 1:] + v * along[:, :1]
    return Columns(y, x, columns.weight)


def voids(columns: Columns, radius: Tensor, size: int, random: torch.Generator) -> Columns:
    """A round hole of `radius` [B] px: empty, or with 20 % of the intensity."""
    batch = len(radius)
    centre_y, centre_x = (uniform((batch, 1), 0.15, 0.85, random) * size for _ in range(2))
    inside = (columns.y - centre_y).square() + (columns.x - centre_x).square()
    left = 0.2 * torch.randint(0, 2, (batch, 1), generator=random, device=radius.device)
    hole = inside < radius.square()[:, None]
    return Columns(columns.y, columns.x, torch.where(hole, columns.weight * left, columns.weight))


def particle(columns: Columns, radius: Tensor, size: int, random: torch.Generator) -> Columns:
    """Keep only the columns inside a faceted particle of about `radius` [B] px; zero keeps all."""
    batch = len(radius)
    turn = uniform((batch, 1), 0, 2 * math.pi, random)
    centre_y, centre_x = (uniform((batch, 1), 0.35, 0.65, random) * size for _ in range(2))
    inside = _within_facets(
        columns.y - centre_y,
        columns.x - centre_x,
        turn,
        lambda: radius[:, None] * uniform((batch, 1), 0.75, 1.25, random),
    )
    return _left(columns, inside | (radius[:, None] <= 0))


def particles(columns: Columns, radius: Tensor, size: int, random: torch.Generator) -> Columns:
    """Keep only the columns inside faceted particles of about `radius` [B] px, one somewhere in
    each square of a grid and of any size up to it, with vacuum between; zero keeps all."""
    batch = len(radius)
    pitch = (PITCH * radius).clamp(min=size / MOST_ALONG)[:, None]
    cells = [(place / pitch).long().clamp(0, MOST_ALONG - 1) for place in (columns.y, columns.x)]
    square = cells[0] * MOST_ALONG + cells[1]

    def each(low: float, high: float) -> Tensor:
        """A random value for the particle in whose square a column is."""
        return uniform((batch, MOST_ALONG**2), low, high, random).gather(1, square)

    scale = radius[:, None] * each(0.4, 1)
    room = 0.5 - 1.1 / PITCH
    dy, dx = (
        place - (cell + 0.5 + each(-room, room)) * pitch
        for place, cell in zip((columns.y, columns.x), cells, strict=True)
    )
    inside = _within_facets(dy, dx, each(0, 2 * math.pi), lambda: scale * each(0.7, 1))
    return _left(columns, inside | (radius[:, None] <= 0))


def _within_facets(dy: Tensor, dx: Tensor, turn: Tensor, distance: Callable[[], Tensor]) -> Tensor:
    """Which places (dy, dx) from a centre lie within FACETS facets; `distance` draws each one's."""
    inside = torch.ones_like(dy, dtype=torch.bool)
    for n in range(FACETS):
        angle = turn + 2 * math.pi * n / FACETS
        inside = inside & (dy * angle.sin() + dx * angle.cos() < distance())
    return inside


def _left(columns: Columns, kept: Tensor) -> Columns:
    """The columns that are `kept`; the weight of the others is zero."""
    return Columns(columns.y, columns.x, columns.weight * kept)


def amorphous(columns: Columns, share: Tensor, size: int, random: torch.Generator) -> Columns:
    """Beyond a line, on a fraction `share` [B] of the picture, the structure is amorphous."""
    beyond = side_of(columns, line(share, size, random))
    loose = 0.25 * size / columns.weight.shape[1] ** 0.5
    y = columns.y + beyond * loose * normal(columns.y.shape, random)
    x = columns.x + beyond * loose * normal(columns.x.shape, random)
    weight = columns.weight * torch.where(beyond, 0.6, 1.0)
    return Columns(y, x, weight)


Line = tuple[Tensor, Tensor]  # normal (y, x) [B, 2], and distance from the origin [B]


def line(share: Tensor, size: int, random: torch.Generator, across: Tensor | None = None) -> Line:
    """A line with about `share` [B] of the square beyond it; its normal is `across` or random."""
    if across is None:
        turn = uniform((len(share),), 0, 2 * math.pi, random)
        across = torch.stack([turn.sin(), turn.cos()], -1)
    middle = size / 2 * across.sum(dim=-1)
    return across, middle + (0.5 - share) * size


def side_of(columns: Columns, edge: Line) -> Tensor:
    """True where a column lies beyond the line."""
    across, distance = edge
    reach = columns.y * across[:, :1] + columns.x * across[:, 1:]
    return reach > distance[:, None]
