"""The images of Vasudevan & Jesse: noisy hexagonal lattices, before and after a drift.

Columns are round Gaussians of height one on a zero background, so a picture is one matrix product
of their profiles along y and x, exact at any sub-pixel position. A drift d = (dy, dx) moves
features: moving(r) = reference(r - d). There are two kinds:

- bordered, as in the paper: the picture is displaced together with its border, and the uncovered
  area is empty;
- a window on a larger crystal, as in a microscope: other columns enter at the border, and without
  defects a drift cannot be distinguished from one that is a lattice vector longer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.simulate.draw import chance, log_uniform, uniform

SPACING_RANGE = (6.0, 16.0)  # px between neighbouring columns
SIGMA_RANGE = (0.16, 0.26)  # their sigma, in spacings
NOISE = (0.1, 2.0)  # noise is uniform in [0, a] column heights, with `a` in this range
MAX_DRIFT = 16.0  # px: the longest drift along either axis
DRAWN_AT_ONCE = 16  # pictures: their profiles fit into the processor's cache


@dataclass
class GaussianColumns:
    """[B, K] positions in px and heights, zero where a column is missing; [B] widths."""

    y: Tensor
    x: Tensor
    height: Tensor
    sigma: Tensor


@dataclass
class Pairs:
    """[B, size, size] noisy frames, and [B, 2] drifts (dy, dx) from the first to the second."""

    reference: Tensor
    moving: Tensor
    drift: Tensor


def draw_pairs(
    batch: int,
    size: int,
    bordered: float,
    faulty: float,
    random: torch.Generator,
    max_drift: float = MAX_DRIFT,
) -> Pairs:
    """Random pairs that drift by up to `max_drift` px, at most MAX_DRIFT, along either axis.

    `bordered` and `faulty` are the fractions with a moved border and with defects.
    """
    columns = draw_columns(batch, size, faulty, random)
    drift = uniform((batch, 2), -max_drift, max_drift, random)
    still, moved = picture(columns, size), picture(columns, size, drift)
    framed = chance((batch, 1, 1), bordered, random)
    moved = torch.where(framed, moved * coverage(drift, size), moved)
    noise = uniform((batch,), *NOISE, random)
    return Pairs(add_noise(still, noise, random), add_noise(moved, noise, random), drift)


def draw_columns(
    batch: int,
    size: int,
    faulty: float,
    random: torch.Generator,
    spacings: tuple[float, float] = SPACING_RANGE,
    widths: tuple[float, float] = SIGMA_RANGE,
    max_drift: float = MAX_DRIFT,
) -> GaussianColumns:
    """Lattices of random spacing and rotation that fill the picture at any drift of up to
    `max_drift` px along either axis."""
    # Sorted by spacing, so that pictures drawn together have similar numbers of columns.
    spacing = log_uniform((batch, 1), *spacings, random).sort(dim=0).values
    sigma = spacing * uniform((batch, 1), *widths, random)
    reach = size / 2 + max_drift + 3 * float(sigma.max())
    # A rhombus of +-steps lattice vectors contains the square of half-width `reach`, also rotated.
    steps = math.ceil(reach * math.sqrt(2) / (float(spacing.min()) * math.sqrt(3) / 2))
    index = torch.arange(-steps, steps + 1, dtype=torch.float32, device=random.device)
    u, v = (grid.flatten() for grid in torch.meshgrid(index, index, indexing="ij"))
    u, v = u + uniform((batch, 1), 0, 1, random), v + uniform((batch, 1), 0, 1, random)
    turn = uniform((batch, 1), 0, math.pi / 3, random)
    y = spacing * (u * turn.sin() + v * (turn + math.pi / 3).sin())
    x = spacing * (u * turn.cos() + v * (turn + math.pi / 3).cos())
    y, x, seen = _nearest(y, x, reach)
    lost = _void(y, x, spacing, size, random) | _vacancies(y, random)
    height = (seen & ~(lost & chance((batch, 1), faulty, random))).float()
    middle = (size - 1) / 2
    return GaussianColumns(y + middle, x + middle, height, sigma[:, 0])


def picture(columns: GaussianColumns, size: int, drift: Tensor | None = None) -> Tensor:
    """[B, size, size] without noise, its columns moved by `drift`."""
    dy, dx = (0.0, 0.0) if drift is None else drift[..., None].unbind(1)
    y, x, height, sigma = columns.y + dy, columns.x + dx, columns.height, columns.sigma
    groups = (slice(start, start + DRAWN_AT_ONCE) for start in range(0, len(y), DRAWN_AT_ONCE))
    return torch.cat([_drawn(y[g], x[g], height[g], sigma[g], size) for g in groups])


def coverage(drift: Tensor, size: int) -> Tensor:
    """[B, size, size]: the fraction of each pixel that a picture displaced by `drift` covers."""
    pixel = torch.arange(size, dtype=torch.float32, device=drift.device)
    away = drift[..., None]
    covered = torch.minimum(pixel - away + 1, size + away - pixel).clamp(0, 1)
    return covered[:, 0, :, None] * covered[:, 1, None, :]


def add_noise(clean: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    """Add to every pixel a random number uniform in [0, strength], for strengths [B]."""
    noise = torch.rand(clean.shape, generator=random, device=clean.device)
    return clean + strength[:, None, None] * noise


def _drawn(y: Tensor, x: Tensor, height: Tensor, sigma: Tensor, size: int) -> Tensor:
    """The sum of all columns, each the product of a profile along y and one along x."""
    last = int(height.any(0).nonzero().max()) + 1  # only missing columns follow
    pixel = torch.arange(size, dtype=torch.float32, device=y.device)
    narrow = -0.5 / sigma[:, None, None].square()
    # exp is five times slower if its result is denormal or zero.
    along_y, along_x = (
        torch.exp((narrow * (pixel - at[:, :last, None]).square()).clamp(min=-40)) for at in (y, x)
    )
    return (along_y * height[:, :last, None]).mT @ along_x


def _nearest(y: Tensor, x: Tensor, reach: float) -> tuple[Tensor, Tensor, Tensor]:
    """The columns nearest to the middle, as many as the fullest picture has; which are inside."""
    distance = torch.maximum(y.abs(), x.abs())
    most = int((distance <= reach).sum(1).max())
    near = distance.topk(most, dim=1, largest=False)
    return y.gather(1, near.indices), x.gather(1, near.indices), near.values <= reach


def _void(y: Tensor, x: Tensor, spacing: Tensor, size: int, random: torch.Generator) -> Tensor:
    """Columns within a disc of radius 0.6 to 2.5 spacings, which always contains one."""
    centre_y, centre_x = (uniform(spacing.shape, -0.4, 0.4, random) * size for _ in "yx")
    radius = spacing * uniform(spacing.shape, 0.6, 2.5, random)
    return (y - centre_y).square() + (x - centre_x).square() < radius.square()


def _vacancies(y: Tensor, random: torch.Generator) -> Tensor:
    """Up to 5 % of the columns, at random."""
    share = uniform((len(y), 1), 0, 0.05, random)
    return torch.rand(y.shape, generator=random, device=y.device) < share
