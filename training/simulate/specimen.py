"""Specimens: what stands where, and how bright. A batch of crystals, each different.

Lengths are in pixels. A crystal is an oblique lattice with a basis of up to four columns; faults
are then written into it: vacancies, strain, a boundary to a rotated grain, an edge to vacuum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.simulate.draw import chance, uniform

SPACING = (4.0, 60.0)  # nearest-neighbour distance of the brightest columns, log-uniform


@dataclass
class Columns:
    """[B, K] positions and intensities (zero where there is no column), and their scale."""

    y: Tensor
    x: Tensor
    weight: Tensor
    neighbour: Tensor  # [B]: distance between nearest columns, for a sensible probe


def crystals(
    batch: int, size: int, spacing: tuple[float, float], random: torch.Generator
) -> Columns:
    """Random crystals filling a `size` x `size` square; one spacing range a batch keeps K even."""
    length = torch.exp(uniform((batch,), math.log(spacing[0]), math.log(spacing[1]), random))
    basis_y, basis_x, basis_weight, cell, neighbour = _cells(batch, length, random)
    # Enough lattice points that even the flattest cell's rhombus covers the turned square.
    count = math.ceil(1.9 * size / float(cell.norm(dim=-1).amin())) + 2
    grain = _lattice(cell, basis_y, basis_x, basis_weight, count, size, random)
    other = _lattice(cell, basis_y, basis_x, basis_weight, count, size, random)
    grain, other = _cut(grain, other, size, random)
    y, x, weight = (torch.cat(pair, dim=1) for pair in zip(grain, other, strict=True))
    y, x = _strain(y, x, neighbour, size, random)
    weight = _disorder(weight, random)
    inside = (y > 0) & (y < size - 1) & (x > 0) & (x < size - 1)
    return Columns(y, x, weight * inside, neighbour)


def _cells(
    batch: int, length: Tensor, random: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Lattice vectors [B, 2, 2] and a basis: simple, centred (perovskite), dumbbell or random."""
    kind = torch.randint(0, 5, (batch,), generator=random, device=random.device)
    angle = torch.deg2rad(
        torch.where(
            chance((batch,), 0.4, random),
            torch.full((batch,), 90.0, device=random.device),
            torch.where(
                chance((batch,), 0.5, random),
                torch.full((batch,), 60.0, device=random.device),
                uniform((batch,), 55.0, 90.0, random),
            ),
        )
    )
    ratio = torch.where(
        chance((batch,), 0.5, random),
        torch.ones(batch, device=random.device),
        uniform((batch,), 0.7, 1.6, random),
    )
    # Fractions of the cell: an extra column at the centre, on the edges, or close by (dumbbell).
    basis = torch.zeros(batch, 4, 2, device=random.device)
    weight = torch.zeros(batch, 4, device=random.device)
    weight[:, 0] = 1
    second = uniform((batch, 4), 0.05, 1.0, random)
    centred, perovskite, dumbbell, arbitrary = (kind == k for k in (1, 2, 3, 4))
    basis[:, 1] = torch.where((centred | perovskite)[:, None], 0.5, basis[:, 1])
    weight[:, 1] = torch.where(centred | perovskite, second[:, 1], weight[:, 1])
    basis[:, 2, 0] = torch.where(perovskite, 0.5, basis[:, 2, 0])
    basis[:, 3, 1] = torch.where(perovskite, 0.5, basis[:, 3, 1])
    faint = second[:, 2] * 0.4
    weight[:, 2] = torch.where(perovskite, faint, weight[:, 2])
    weight[:, 3] = torch.where(perovskite, faint, weight[:, 3])
    separation = uniform((batch,), 0.22, 0.4, random)
    basis[:, 1, 0] = torch.where(dumbbell, separation, basis[:, 1, 0])
    weight[:, 1] = torch.where(dumbbell, 0.4 + 0.6 * second[:, 1], weight[:, 1])
    anywhere = uniform((batch, 4, 2), 0.2, 0.8, random)
    basis[:, 1] = torch.where(arbitrary[:, None], anywhere[:, 1], basis[:, 1])
    weight[:, 1] = torch.where(arbitrary, second[:, 1], weight[:, 1])
    # `length` is the distance between neighbours, so a fuller cell is a larger one.
    shrink = torch.ones(batch, device=random.device)
    shrink = torch.where(centred | perovskite | arbitrary, 0.71 * shrink, shrink)
    shrink = torch.where(dumbbell, 1.7 * separation, shrink)
    edge = length / shrink
    turn = uniform((batch,), 0, 2 * math.pi, random)
    a = edge[:, None] * torch.stack([turn.sin(), turn.cos()], -1)
    b = (edge * ratio)[:, None] * torch.stack([(turn + angle).sin(), (turn + angle).cos()], -1)
    cell = torch.stack([a, b], 1)
    return basis[..., 0], basis[..., 1], weight, cell, length


Grain = tuple[Tensor, Tensor, Tensor]


def _lattice(
    cell: Tensor,
    basis_y: Tensor,
    basis_x: Tensor,
    basis_weight: Tensor,
    count: int,
    size: int,
    random: torch.Generator,
) -> Grain:
    """All columns of a crystal turned at random about the middle of the square."""
    batch = cell.shape[0]
    turn = uniform((batch,), 0, 2 * math.pi, random)
    rotation = torch.stack(
        [torch.stack([turn.cos(), turn.sin()], -1), torch.stack([-turn.sin(), turn.cos()], -1)], 1
    )
    cell = cell @ rotation
    index = torch.arange(-count // 2, count // 2 + 1, device=cell.device, dtype=cell.dtype)
    shift = torch.rand(batch, 1, 1, 2, generator=random, device=random.device)
    u = index[None, :, None] + shift[..., 0]
    v = index[None, None, :] + shift[..., 1]
    # [B, n, n, basis]
    u = (u[..., None] + basis_y[:, None, None, :]).expand(-1, -1, len(index), -1)
    v = (v[..., None] + basis_x[:, None, None, :]).expand(-1, len(index), -1, -1)
    y = size / 2 + u * cell[:, 0, 0, None, None, None] + v * cell[:, 1, 0, None, None, None]
    x = size / 2 + u * cell[:, 0, 1, None, None, None] + v * cell[:, 1, 1, None, None, None]
    weight = basis_weight[:, None, None, :].expand_as(y)
    return y.flatten(1), x.flatten(1), weight.flatten(1)


def _cut(grain: Grain, other: Grain, size: int, random: torch.Generator) -> tuple[Grain, Grain]:
    """Two thirds of the pictures are one crystal; others end at a line, in vacuum or a grain."""
    batch = grain[0].shape[0]
    turn = uniform((batch, 1), 0, 2 * math.pi, random)
    offset = uniform((batch, 1), -0.35, 0.35, random) * size
    whole = chance((batch, 1), 0.65, random)
    vacuum = chance((batch, 1), 0.4, random)

    def side(y: Tensor, x: Tensor) -> Tensor:
        return (y - size / 2) * turn.cos() + (x - size / 2) * turn.sin() + offset > 0

    kept = whole | side(grain[0], grain[1])
    grown = ~whole & ~vacuum & ~side(other[0], other[1])
    return (grain[0], grain[1], grain[2] * kept), (other[0], other[1], other[2] * grown)


def _strain(
    y: Tensor, x: Tensor, neighbour: Tensor, size: int, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A slow wave of displacement in every third picture, and small static disorder in every third.

    Columns of a real crystal stand within about a hundredth of their distance, mostly much closer;
    more disorder than that would teach a network not to average over neighbouring columns.
    """
    batch = y.shape[0]
    strength = neighbour[:, None] * 0.15 * chance((batch, 1), 0.33, random)
    disorder = neighbour[:, None] * uniform((batch, 1), 0, 0.01, random)
    disorder = disorder * chance((batch, 1), 0.33, random)
    moved = []
    for _ in range(2):
        wave_y, wave_x = (uniform((batch, 1), -1.5, 1.5, random) / size for _ in range(2))
        phase = uniform((batch, 1), 0, 2 * math.pi, random)
        wave = torch.sin(2 * math.pi * (wave_y * y + wave_x * x) + phase)
        noise = torch.randn(y.shape, generator=random, device=random.device)
        moved.append(strength * wave + disorder * noise)
    return y + moved[0], x + moved[1]


def _disorder(weight: Tensor, random: torch.Generator) -> Tensor:
    """Column-to-column spread, vacancies and dopants."""
    batch = weight.shape[0]
    spread = uniform((batch, 1), 0, 0.12, random)
    noise = torch.randn(weight.shape, generator=random, device=random.device)
    missing = uniform((batch, 1), 0, 0.06, random) * chance((batch, 1), 0.4, random)
    doped = uniform((batch, 1), 0, 0.05, random) * chance((batch, 1), 0.4, random)
    draw = torch.rand(weight.shape, generator=random, device=random.device)
    factor = (1 + spread * noise).clamp(min=0)
    factor = torch.where(draw < doped, factor * uniform((batch, 1), 0.3, 1.8, random), factor)
    return weight * torch.where(draw > 1 - missing, torch.zeros_like(factor), factor)
