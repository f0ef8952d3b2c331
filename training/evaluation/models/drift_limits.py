"""What tells drifts apart at best, on trials of crystals whose columns differ in height only."""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate.crystal_pairs import KINDS, draw_cells
from training.simulate.draw import log_uniform, uniform
from training.simulate.lattice import Cells
from training.simulate.lattice_pairs import SPACING, SPREAD, WIDTH
from training.simulate.observer import told_apart
from training.simulate.scenes import SHARPEST
from training.simulate.views import hexagonal

HEXAGONAL = "column-intensity spread"


def observed(case: str, doses: tuple[float, ...], count: int, seed: int) -> list[float] | None:
    """Shares right at each dose of an observer who knows the lattice, where that is known."""
    random = torch.Generator().manual_seed(seed)
    if case == HEXAGONAL:
        cells = hexagonal(log_uniform((count,), *SPACING, random), random)
    elif case in KINDS and _only_spreads(case):
        cells = draw_cells(KINDS[case], count, random)
    else:
        return None
    sigma = _sigma(cells, random)
    return [told_apart(cells, sigma, dose, random) for dose in doses]


def _only_spreads(case: str) -> bool:
    kind = KINDS[case]
    return kind.defects == {"spread": SPREAD} and kind.border == "none" and not kind.film


def _sigma(cells: Cells, random: torch.Generator) -> Tensor:
    return (cells.spacing * uniform(cells.spacing.shape, *WIDTH, random)).clamp(min=SHARPEST)
