"""Pairs of specimens that no drift model is trained on: real crystals, and non-crystals.

Columns are rendered twice, before and after the drift, so no frame is interpolated from the other.
A carbon film is made of many weak columns at random positions. Pictures without columns are drawn
on a finer grid and move by whole fine pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from training.simulate import shapes
from training.simulate.crystals import DUMBBELLS, PEROVSKITES, ZONES
from training.simulate.draw import draw_mix, log_uniform, uniform
from training.simulate.hexagons import MAX_DRIFT
from training.simulate.lattice import Cells, Columns, real_cells
from training.simulate.lattice_pairs import (
    FRAME_SIZE,
    HEIGHT_SPREAD,
    LATTICE_SIGMA,
    ScenePairs,
    on_background,
)
from training.simulate.probe import PROBE, transfer
from training.simulate.render import RENDER_MARGIN, draw_columns
from training.simulate.scan import EDGE
from training.simulate.scenes import LEAST_SIGMA
from training.simulate.specimen import build

FILM_INTENSITY = 0.2  # mean intensity of the carbon, relative to the brightest column
CARBON_SPACING = 4.0  # px: square root of the area per column of the carbon
FINE_PER_PIXEL = 3  # fine pixels per pixel along an axis, for pictures without columns


@dataclass(frozen=True)
class SpecimenKind:
    """The crystals, the range of their nearest-column distances in px, and their defects."""

    crystals: tuple[str, ...]
    spacing: tuple[float, float]
    defects: dict[str, float]
    border: str = "none"
    film: bool = False


SPECIMEN_KINDS = {
    "dumbbells": SpecimenKind(DUMBBELLS, (6.0, 14.0), {"spread": HEIGHT_SPREAD}),
    "perovskites": SpecimenKind(PEROVSKITES, (8.0, 20.0), {"spread": HEIGHT_SPREAD}),
    "grain boundary": SpecimenKind(
        ("Au", "Al", "Fe", "W", "MgO"), (8.0, 20.0), {"spread": HEIGHT_SPREAD / 2}, "grain"
    ),
    "particle on carbon": SpecimenKind(
        ("Au", "Fe", "W", "PbTe"), (8.0, 20.0), {"particle": 0.2}, film=True
    ),
}


def draw_crystals(
    name: str,
    batch: int,
    random: torch.Generator,
    size: int = FRAME_SIZE,
    max_drift: float = MAX_DRIFT,
) -> ScenePairs:
    """Random scenes of one of SPECIMEN_KINDS, through any probe."""
    kind = SPECIMEN_KINDS[name]
    margin = RENDER_MARGIN + math.ceil(max_drift)  # outside the area of the scan
    full = size + 2 * (EDGE + margin)
    cells = draw_cells(kind, batch, random)
    strengths = {defect: torch.full((batch,), by) for defect, by in kind.defects.items()}
    columns = build(cells, full, random, strengths, [kind.border] * batch).columns
    sigma = (cells.spacing * uniform((batch,), *LATTICE_SIGMA, random)).clamp(min=LEAST_SIGMA)
    if kind.film:
        columns = columns.joined(_film(sigma, full, random))
    turn = uniform((batch,), 0, 2 * math.pi, random)
    probe = transfer(sigma, turn, full, draw_mix(PROBE, batch, random))
    drift = uniform((batch, 2), -max_drift, max_drift, random)

    def seen(at: Columns) -> Tensor:
        image = draw_columns(at, probe, full).clamp(min=0)
        return image[:, margin:-margin, margin:-margin]

    still, moved = seen(columns), seen(_moved(columns, drift))
    # Normalised by the peak of the crystal without defects, as the hexagonal lattices are: among a
    # thousand columns whose heights spread by 10 %, the brightest is 25 % brighter.
    peak = seen(build(cells, full, random).columns).amax(dim=(1, 2), keepdim=True)
    return ScenePairs(on_background(still / peak), on_background(moved / peak), drift)


MOVING_SHAPES: dict[str, Callable[[int, int, torch.Generator], Tensor]] = {
    "islands": shapes.islands,
    "edges": shapes.facets,
    "writing": shapes.writing,
}


def draw_shapes(
    name: str,
    batch: int,
    random: torch.Generator,
    size: int = FRAME_SIZE,
    max_drift: float = MAX_DRIFT,
) -> ScenePairs:
    """Random scenes of one of MOVING_SHAPES; drifts are whole thirds of a pixel."""
    side, margin = size + 2 * EDGE, FINE_PER_PIXEL * math.ceil(max_drift)
    fine = torch.cat(
        [MOVING_SHAPES[name](1, FINE_PER_PIXEL * side + 2 * margin, random) for _ in range(batch)]
    )
    steps = (
        uniform((batch, 2), -FINE_PER_PIXEL * max_drift, FINE_PER_PIXEL * max_drift, random)
        .round()
        .long()
    )

    def window(back: Tensor) -> Tensor:
        """The frame after a drift of `back` fine pixels: the window moves the other way."""
        parts = [
            image[top : top + FINE_PER_PIXEL * side, left : left + FINE_PER_PIXEL * side]
            for image, (top, left) in zip(fine, (margin - back).tolist(), strict=True)
        ]
        return torch.nn.functional.avg_pool2d(torch.stack(parts)[:, None], FINE_PER_PIXEL)[:, 0]

    still, moved = window(torch.zeros_like(steps)), window(steps)
    peak = still.amax(dim=(1, 2), keepdim=True)
    return ScenePairs(
        on_background(still / peak), on_background(moved / peak), steps / FINE_PER_PIXEL
    )


def draw_cells(kind: SpecimenKind, batch: int, random: torch.Generator) -> Cells:
    known = [zone for zone in ZONES if zone.crystal in kind.crystals]
    picks = torch.randint(0, len(known), (batch,), generator=random)
    cells = real_cells([known[int(n)] for n in picks], log_uniform((batch,), *kind.spacing, random))
    return cells.turned(uniform((batch,), 0, 2 * math.pi, random))


def _film(sigma: Tensor, size: int, random: torch.Generator) -> Columns:
    """A carbon film of mean intensity FILM_INTENSITY under a probe of width `sigma` [B] px."""
    count = round((size / CARBON_SPACING) ** 2)
    y, x = (uniform((len(sigma), count), 0, size, random) for _ in "yx")
    weight = FILM_INTENSITY * CARBON_SPACING**2 / (2 * math.pi * sigma.square())
    return Columns(y, x, weight[:, None].expand(-1, count))


def _moved(columns: Columns, drift: Tensor) -> Columns:
    return replace(columns, y=columns.y + drift[:, :1], x=columns.x + drift[:, 1:])
