"""The best possible hit rate on crystals whose columns differ in height only."""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate.crystal_pairs import SPECIMEN_KINDS, draw_cells
from training.simulate.draw import log_uniform, uniform
from training.simulate.lattice import Cells
from training.simulate.lattice_pairs import HEIGHT_SPREAD, LATTICE_SIGMA, LATTICE_SPACING
from training.simulate.observer import ideal_hit_rate
from training.simulate.scenes import LEAST_SIGMA
from training.simulate.views import hexagonal

SPREAD_CASE = "column-intensity spread"


def observed(
    case: str, doses: tuple[float, ...], count: int, seed: int, pixel: int = 1
) -> list[float] | None:
    """Hit rate of an ideal observer who knows the lattice, by dose; None for other cases.

    Its pixels are `pixel` px wide.
    """
    random = torch.Generator().manual_seed(seed)
    if case == SPREAD_CASE:
        cells = hexagonal(log_uniform((count,), *LATTICE_SPACING, random), random)
    elif case in SPECIMEN_KINDS and _differs_in_heights_only(case):
        cells = draw_cells(SPECIMEN_KINDS[case], count, random)
    else:
        return None
    sigma = _sigma(cells, random)
    return [ideal_hit_rate(cells, sigma, dose, random, pixel) for dose in doses]


def _differs_in_heights_only(case: str) -> bool:
    kind = SPECIMEN_KINDS[case]
    return kind.defects == {"spread": HEIGHT_SPREAD} and kind.border == "none" and not kind.film


def _sigma(cells: Cells, random: torch.Generator) -> Tensor:
    return (cells.spacing * uniform(cells.spacing.shape, *LATTICE_SIGMA, random)).clamp(
        min=LEAST_SIGMA
    )
