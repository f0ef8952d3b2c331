"""Specimens: crystals with borders and defects, drawn from tables of frequency and strength."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.simulate import defects
from training.simulate.draw import Mix, draw_mix, uniform
from training.simulate.lattice import Cells, Columns, fill, random_cells, within

# (low, high, fraction): a strength uniform between low and high in a fraction of the pictures.
# Real columns are within about 1 % of their spacing of the ideal site; much more disorder would
# teach a network not to average over neighbouring columns.
DEFECTS: Mix = {
    "spread": (0.0, 0.12, 0.8),  # of the columns' heights
    "vacancies": (0.002, 0.06, 0.3),  # of the columns
    "dopants": (0.002, 0.06, 0.3),  # of the columns
    "adatoms": (0.002, 0.05, 0.1),  # per column
    "disorder": (0.0, 0.01, 0.3),  # of the spacing
    "strain": (0.02, 0.15, 0.3),  # of the spacing
    "dislocation": (1.0, 1.0, 0.06),
    "void": (0.05, 0.25, 0.06),  # radius, of the picture
    "particle": (0.2, 0.45, 0.06),  # radius, of the picture
    "amorphous": (0.1, 0.6, 0.05),  # of the picture
}

# In training alone: particles in vacuum, of which a crop holds whole ones. Their spectrum falls as
# that of coloured noise does, and a network that has seen few takes it for noise.
TRAINING_DEFECTS: Mix = {**DEFECTS, "particles": (0.04, 0.16, 0.25)}  # radius, of the picture

# What lies beyond a line through the picture, and in which fraction of pictures.
BORDERS = {"vacuum": 0.12, "grain": 0.08, "twin": 0.05, "interface": 0.06, "fault": 0.06}
CLEARANCE = 0.4  # of the spacing, between a border and the first columns beyond it


@dataclass
class SpecimenBatch:
    """Columns over a square of `size` px, and the distance between nearest columns [B], px."""

    columns: Columns
    spacing: Tensor
    size: int


def random_specimens(
    batch: int,
    size: int,
    spacing: tuple[float, float],
    random: torch.Generator,
    mix: Mix = DEFECTS,
) -> SpecimenBatch:
    """A batch of specimens in a range of column spacings in px."""
    cells = random_cells(batch, spacing, random)
    return build(cells, size, random, draw_mix(mix, batch, random), draw_borders(batch, random))


def draw_borders(batch: int, random: torch.Generator) -> list[str]:
    """The name of each picture's border, or "none"."""
    names = [*BORDERS, "none"]
    shares = torch.tensor([*BORDERS.values(), 1 - sum(BORDERS.values())], device=random.device)
    picks = torch.multinomial(shares, batch, replacement=True, generator=random)
    return [names[int(pick)] for pick in picks]


def build(
    cells: Cells,
    size: int,
    random: torch.Generator,
    strengths: dict[str, Tensor] | None = None,
    borders: list[str] | None = None,
) -> SpecimenBatch:
    """Crystals of these cells with defects of these strengths [B] (see DEFECTS) and borders."""
    batch = len(cells.spacing)
    columns = bordered(cells, size, random, borders or ["none"] * batch)
    columns = _with_defects(columns, cells, size, random, strengths or {})
    return SpecimenBatch(within(columns, size), cells.spacing, size)


def _with_defects(
    columns: Columns,
    cells: Cells,
    size: int,
    random: torch.Generator,
    strengths: dict[str, Tensor],
) -> Columns:
    none = torch.zeros(len(cells.spacing), device=random.device)

    def strength(name: str) -> Tensor:
        return strengths.get(name, none)

    spacing = cells.spacing
    columns = defects.spread(columns, strength("spread"), random)
    columns = defects.vacancies(columns, strength("vacancies"), random)
    columns = defects.dopants(columns, strength("dopants"), random)
    columns = defects.disorder(columns, strength("disorder") * spacing, random)
    columns = defects.strain(columns, strength("strain") * spacing, size, random)
    burgers = cells.vectors[:, 0]
    columns = defects.dislocation(columns, burgers, strength("dislocation"), size, random)
    columns = defects.amorphous(columns, strength("amorphous"), size, random)
    columns = defects.voids(columns, strength("void") * size, size, random)
    columns = defects.particle(columns, strength("particle") * size, size, random)
    if strength("particles").any():
        columns = defects.particles(columns, strength("particles") * size, size, random)
    if strength("adatoms").any():
        columns = defects.adatoms(columns, strength("adatoms"), size, random)
    return columns


def bordered(cells: Cells, size: int, random: torch.Generator, borders: list[str]) -> Columns:
    """The crystal on one side of a line, and what `borders` names on the other."""
    columns = within(fill(cells, size, random), size)

    def named(*names: str) -> Tensor:
        picked = [border in names for border in borders]
        return torch.tensor(picked, device=random.device)[:, None]

    if not named(*BORDERS).any():
        return columns
    # Twin and fault planes are lattice planes: they run along a lattice vector.
    plane = cells.vectors[:, 0] / cells.vectors[:, 0].norm(dim=-1, keepdim=True)
    across = torch.stack([-plane[:, 1], plane[:, 0]], -1)
    share = uniform((len(borders),), 0.2, 0.8, random)
    anywhere, _ = defects.line(share, size, random)
    normal = torch.where(named("twin", "fault"), across, anywhere)
    edge = defects.line(share, size, random, normal)
    same = _moved(columns, cells, edge, named("twin"), named("fault"), random)
    other = _other_crystal(cells, size, named("grain"), named("interface"), random)
    columns.weight = columns.weight * (named("none") | ~defects.side_of(columns, edge))
    # Columns keep their distance at a boundary too.
    apart = (normal, edge[1] + CLEARANCE * cells.spacing)
    for beyond in (same, other):
        beyond.weight = beyond.weight * defects.side_of(beyond, apart)
    return columns.joined(same).joined(other)


def _moved(
    columns: Columns,
    cells: Cells,
    edge: defects.Line,
    twin: Tensor,
    fault: Tensor,
    random: torch.Generator,
) -> Columns:
    """The same crystal mirrored at the line, or shifted along it by half a cell and across it."""
    normal, distance = edge
    reach = columns.y * normal[:, :1] + columns.x * normal[:, 1:] - distance[:, None]
    mirror = torch.where(twin, -2 * reach, 0.0)
    apart = uniform(twin.shape, -0.3, 0.3, random) * cells.spacing[:, None]
    shift = torch.where(fault, 0.5 * cells.vectors[:, 0] + apart * normal, 0.0)
    return Columns(
        columns.y + mirror * normal[:, :1] + shift[:, :1],
        columns.x + mirror * normal[:, 1:] + shift[:, 1:],
        columns.weight * (twin | fault),
    )


def _other_crystal(
    cells: Cells, size: int, grain: Tensor, interface: Tensor, random: torch.Generator
) -> Columns:
    """The same crystal rotated, or another one of the same spacing."""
    turned = cells.turned(uniform((len(grain),), 0.05, 1.5, random))
    other = random_cells(len(grain), (1.0, 1.0), random)
    other = Cells(
        torch.where(grain[:, None], turned.vectors, other.vectors * cells.spacing[:, None, None]),
        torch.where(grain[:, None], cells.places, other.places),
        torch.where(grain, cells.weights, other.weights),
        cells.spacing,
    )
    columns = within(fill(other, size, random), size)
    columns.weight = columns.weight * (grain | interface)
    return columns
