"""All columns of batches of crystals over a square, from their projected cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from training.simulate.crystals import ZONES, Zone
from training.simulate.draw import chance, log_uniform, uniform

BASIS = max(len(zone.columns) for zone in ZONES)  # most columns per cell


@dataclass
class Cells:
    """A batch of projected cells, in pixels.

    `vectors` [B, 2, 2] are the lattice vectors as (y, x) rows; `places` [B, N, 2] fractions of
    them; `weights` [B, N] intensities, zero where a cell has fewer columns; `spacing` [B] the
    distance between the nearest visible columns.
    """

    vectors: Tensor
    places: Tensor
    weights: Tensor
    spacing: Tensor

    def turned(self, angle: Tensor) -> Cells:
        """The same cells rotated by `angle` [B]."""
        cos, sin = angle.cos(), angle.sin()
        rotation = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], 1)
        return replace(self, vectors=self.vectors @ rotation)


@dataclass
class Columns:
    """[B, K] positions in pixels and intensities; zero intensity where there is no column."""

    y: Tensor
    x: Tensor
    weight: Tensor

    def joined(self, other: Columns) -> Columns:
        return Columns(
            torch.cat([self.y, other.y], 1),
            torch.cat([self.x, other.x], 1),
            torch.cat([self.weight, other.weight], 1),
        )


def real_cells(zones: list[Zone], spacing: Tensor) -> Cells:
    """Tabulated crystals, scaled to nearest-column distances of `spacing` [B] px."""
    vectors = torch.zeros(len(zones), 2, 2)
    places = torch.zeros(len(zones), BASIS, 2)
    weights = torch.zeros(len(zones), BASIS)
    for n, zone in enumerate(zones):
        angle = math.radians(zone.gamma)
        vectors[n] = torch.tensor(
            [[0, zone.a], [zone.b * math.sin(angle), zone.b * math.cos(angle)]]
        )
        vectors[n] /= zone.spacing
        for k, ((u, v, _), weight) in enumerate(zip(zone.columns, zone.weights, strict=True)):
            places[n, k] = torch.tensor([u, v])
            weights[n, k] = weight
    device = spacing.device
    scaled = vectors.to(device) * spacing[:, None, None]
    return Cells(scaled, places.to(device), weights.to(device), spacing)


def any_cells(spacing: Tensor, random: torch.Generator) -> Cells:
    """Random planar lattices with a basis of one to four columns at random positions."""
    batch = len(spacing)
    device = spacing.device
    square, rectangular, hexagonal = (chance((batch,), share, random) for share in (0.3, 0.3, 0.4))
    degrees = torch.where(hexagonal, 60.0, uniform((batch,), 60, 90, random))
    degrees = torch.where(square | rectangular, 90.0, degrees)
    ratio = torch.where(square | hexagonal, 1.0, uniform((batch,), 1.0, 1.7, random))
    places = uniform((batch, BASIS, 2), 0.25, 0.75, random)
    places[:, 0] = 0
    places[:, 1] = torch.where(chance((batch, 1), 0.5, random), 0.5, places[:, 1])  # centred
    count = torch.randint(1, 5, (batch, 1), generator=random, device=device)
    present = torch.arange(BASIS, device=device) < count
    weights = uniform((batch, BASIS), 0.08, 1.0, random) * present
    weights[:, 0] = 1
    # Cells with more columns are larger, so that columns stay about `spacing` apart.
    side = spacing * count[:, 0].sqrt() / ratio.sqrt() * torch.where(count[:, 0] > 1, 1.15, 1.0)
    angle = torch.deg2rad(degrees)
    zero = torch.zeros_like(side)
    first = torch.stack([zero, side], -1)
    second = torch.stack([angle.sin(), angle.cos()], -1) * (side * ratio)[:, None]
    return Cells(torch.stack([first, second], 1), places, weights, spacing)


def random_cells(
    batch: int,
    spacing: tuple[float, float],
    random: torch.Generator,
    zones: Sequence[Zone] = ZONES,
) -> Cells:
    """Tabulated crystals and random lattices, randomly rotated, in a range of spacings."""
    length = log_uniform((batch,), *spacing, random)
    pick = torch.randint(0, len(zones), (batch,), generator=random, device=random.device)
    real = real_cells([zones[int(n)] for n in pick], length)
    arbitrary = any_cells(length, random)
    known = chance((batch,), 0.7, random)
    cells = Cells(
        torch.where(known[:, None, None], real.vectors, arbitrary.vectors),
        torch.where(known[:, None, None], real.places, arbitrary.places),
        torch.where(known[:, None], real.weights, arbitrary.weights),
        length,
    )
    return cells.turned(uniform((batch,), 0, 2 * math.pi, random))


def fill(cells: Cells, size: int, random: torch.Generator) -> Columns:
    """All columns over a `size` x `size` square, with a random origin."""
    device = cells.vectors.device
    # The square lies within this many cells of its middle, for any rotation and cell shape.
    area = torch.linalg.det(cells.vectors).abs()
    longest = cells.vectors.norm(dim=-1).amax(dim=-1)
    reach = math.ceil(float((0.75 * size * longest / area).amax())) + 1
    index = torch.arange(-reach, reach + 1, device=device, dtype=torch.float32)
    u, v = torch.meshgrid(index, index, indexing="ij")
    lattice = torch.stack([u.flatten(), v.flatten()], -1)  # [n, 2]
    origin = torch.rand(len(area), 1, 1, 2, generator=random, device=device)
    used = int((cells.weights > 0).any(dim=0).nonzero().max()) + 1
    fractions = lattice[None, :, None] + cells.places[:, None, :used] + origin
    places = torch.einsum("bnkc,bcd->bnkd", fractions, cells.vectors) + size / 2
    weight = cells.weights[:, None, :used].expand(places.shape[:3])
    return Columns(places[..., 0].flatten(1), places[..., 1].flatten(1), weight.flatten(1))


def within(columns: Columns, size: int) -> Columns:
    """Drop the columns outside the square, and pad only to the fullest picture."""
    y, x, weight = columns.y, columns.x, columns.weight
    kept = weight * ((y > 0) & (y < size - 1) & (x > 0) & (x < size - 1))
    most = max(1, int((kept > 0).sum(dim=1).amax()))
    order = kept.topk(most, dim=1).indices
    return Columns(y.gather(1, order), x.gather(1, order), kept.gather(1, order))
