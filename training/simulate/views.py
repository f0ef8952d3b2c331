"""Two views of one specimen: clean pictures before and after a drift, with their scan errors.

A drift d = (dy, dx) moves features: moving(r) = reference(r - d). Both views are windows on a
larger picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.simulate.crystals import DUMBBELLS, PEROVSKITES, ZONES
from training.simulate.draw import Mix, chance, draw_mix, log_uniform, uniform
from training.simulate.lattice import Cells, random_cells
from training.simulate.probe import PROBE
from training.simulate.scan import EDGE, coefficients, displacements, sample
from training.simulate.scenes import LEAST_SIGMA, PROBE_SIGMA, form_image, scaled
from training.simulate.shapes import random_shapes
from training.simulate.specimen import DEFECTS, build, draw_borders
from training.simulate.texture import TEXTURE, add_texture

VIEW_SPACINGS = ((5.5, 9.0), (8.0, 14.0), (8.0, 14.0), (12.0, 26.0), (20.0, 45.0))  # px, in turn
# Fractions of the crystals with a single kind of defect, where drift is hardest to determine: a few
# vacancies (how many), or a weak spread of the columns' heights (relative standard deviation).
ONLY_VACANCIES, ONLY_SPREAD = 0.3, 0.35
VACANCY_COUNT, WEAK_SPREAD = (0.7, 12.0), (0.02, 0.15)
HEXAGONAL_SHARE = 0.35  # fraction of batches with one column per hexagonal cell
SHAPES_SHARE = 0.1  # fraction of batches without crystals
UNDISTORTED_SHARE = 0.45  # fraction of pairs without scan errors
# Crystals, borders and particles on carbon are excluded for evaluation: see crystal_pairs.
TRAINING_ZONES = [zone for zone in ZONES if zone.crystal not in DUMBBELLS + PEROVSKITES]
UNTRAINED_BORDERS = ("grain", "interface")

# Fewer and weaker defects than for denoising, because drift is hard to determine with few of them.
VIEW_DEFECTS: Mix = {
    **DEFECTS,
    "spread": (0.0, 0.15, 0.5),
    "vacancies": (0.0003, 0.02, 0.5),
    "dopants": (0.0005, 0.03, 0.25),
    "adatoms": (0.0005, 0.03, 0.15),
    "strain": (0.02, 0.15, 0.2),
    "particle": (0.2, 0.45, 0.2),
}
VIEW_TEXTURE: Mix = {**TEXTURE, "film": (0.02, 0.15, 0.3), "thickness": (0.03, 0.25, 0.25)}
VIEW_SCAN: Mix = {"row_jitter_x": (0.05, 0.8, 0.6), "row_jitter_y": (0.05, 0.6, 0.4)}
MAX_STRETCH = 0.02  # relative change of the scan's scale between two frames


@dataclass
class Views:
    """[B, size, size] clean pictures whose brightest pixel is one, and [B, 2] drifts (dy, dx)."""

    reference: Tensor
    moving: Tensor
    drift: Tensor


def draw_views(batch: int, size: int, max_drift: float, random: torch.Generator) -> Views:
    """Random pairs that drift by up to `max_drift` px along either axis."""
    edge = math.ceil(max_drift) + EDGE
    scene = _scene(batch, size + 2 * edge, random)
    drift = uniform((batch, 2), -max_drift, max_drift, random)
    spline = coefficients(scene)
    still = sample(spline, _errors(batch, size, random), edge)
    moved = sample(spline, _errors(batch, size, random) - drift[..., None, None], edge)
    peak = still.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    return Views((still / peak).clamp(min=0), (moved / peak).clamp(0, 8), drift)


def _scene(batch: int, size: int, random: torch.Generator) -> Tensor:
    if _happens(SHAPES_SHARE, random):
        return scaled(random_shapes(batch, size, random))
    pick = int(torch.randint(len(VIEW_SPACINGS), (), generator=random, device=random.device))
    spacing = VIEW_SPACINGS[pick]
    if _happens(HEXAGONAL_SHARE, random):
        cells = hexagonal(log_uniform((batch,), *spacing, random), random)
    else:
        cells = random_cells(batch, spacing, random, TRAINING_ZONES)
    flaws = draw_mix(VIEW_DEFECTS, batch, random)
    kind = uniform((batch,), 0, 1, random)
    flaws = {
        name: strength * (kind > ONLY_VACANCIES + ONLY_SPREAD) for name, strength in flaws.items()
    }
    few = log_uniform((batch,), *VACANCY_COUNT, random) / (size / cells.spacing).square()
    flaws["vacancies"] += few * (kind < ONLY_VACANCIES)
    little = uniform((batch,), *WEAK_SPREAD, random)
    flaws["spread"] += little * ((kind > ONLY_VACANCIES) & (kind < ONLY_VACANCIES + ONLY_SPREAD))
    borders = draw_borders(batch, random) if _happens(0.35, random) else ["none"] * batch
    borders = ["none" if border in UNTRAINED_BORDERS else border for border in borders]
    specimen = build(cells, size, random, flaws, borders)
    sigma = (cells.spacing * uniform((batch,), *PROBE_SIGMA, random)).clamp(min=LEAST_SIGMA)
    seen = form_image(specimen, sigma, random, draw_mix(PROBE, batch, random))
    ground = draw_mix(VIEW_TEXTURE, batch, random)
    ground["film"] *= flaws["particle"] == 0  # particles on carbon are excluded for evaluation
    return scaled(add_texture(seen, random, ground))


def hexagonal(spacing: Tensor, random: torch.Generator) -> Cells:
    """Hexagonal lattices of one column per cell, `spacing` [B] px apart, randomly rotated."""
    batch, device = len(spacing), spacing.device
    third = torch.tensor([[0.0, 1.0], [math.sqrt(3) / 2, 0.5]], device=device)
    places, weights = torch.zeros(batch, 1, 2, device=device), torch.ones(batch, 1, device=device)
    cells = Cells(third * spacing[:, None, None], places, weights, spacing)
    return cells.turned(uniform((batch,), 0, 2 * math.pi, random))


def _errors(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Displacement of the beam: row jitter and an error of the scale."""
    straight = chance((batch,), UNDISTORTED_SHARE, random)
    strengths = {
        name: torch.where(straight, 0.0, value)
        for name, value in draw_mix(VIEW_SCAN, batch, random).items()
    }
    _, jitter = displacements(batch, size, size, random, strengths)
    stretch = uniform((batch, 2, 2), -MAX_STRETCH, MAX_STRETCH, random) * chance(
        (batch, 1, 1), 0.3, random
    )
    stretch = torch.where(straight[:, None, None], 0.0, stretch)
    off = torch.arange(size, device=random.device) - (size - 1) / 2
    along_y = stretch[:, :, 0, None, None] * off[:, None]
    along_x = stretch[:, :, 1, None, None] * off
    return (jitter + along_y + along_x).clamp(1 - EDGE, EDGE - 1)


def _happens(share: float, random: torch.Generator) -> bool:
    return bool(torch.rand((), generator=random, device=random.device) < share)
