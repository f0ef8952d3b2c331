"""Supercells of the evaluation specimens: atoms, their columns, and defects.

Lengths are in angstrom. Axis 0 of a supercell runs down the rows of the picture, axis 1 along them,
axis 2 along the beam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

Z_POWER = 1.7  # the dark-field signal is proportional to about this power of the atomic number
VISIBLE_SIGNAL = 0.1  # of a strong column's signal: columns of oxygen alone are mostly below
NO_COLUMN = -1  # column number of atoms outside columns

C, N, O, AL, SI, S, SC, TI, GA, AS, SR, MO, IN, SB, LA, DY, W, AU = (  # noqa: E741
    6, 7, 8, 13, 14, 16, 21, 22, 31, 33, 38, 42, 49, 51, 57, 66, 74, 79,
)  # fmt: skip


@dataclass(frozen=True)
class Supercell:
    """Atoms of a periodic supercell; `column` is the number of the column of each."""

    numbers: Integers
    positions: Floats
    column: Integers
    cell: Floats
    description: str

    @property
    def thickness(self) -> float:
        return float(np.ptp(self.positions[:, 2]))

    def kept(self, mask: NDArray[np.bool_]) -> Supercell:
        return replace(
            self,
            numbers=self.numbers[mask],
            positions=self.positions[mask],
            column=self.column[mask],
        )

    def columns(self) -> Floats:
        """(y, x, weight) of each visible column."""
        found = []
        for column in np.unique(self.column[self.column != NO_COLUMN]):
            mine = self.column == column
            signal = self.numbers[mine] ** Z_POWER
            place = signal @ self.positions[mine, :2] / signal.sum()
            found.append([*place, signal.sum()])
        table: Floats = np.array(found)
        visible: Floats = table[table[:, 2] > VISIBLE_SIGNAL * np.quantile(table[:, 2], 0.9)]
        return visible

    def nearest(self, columns: Floats) -> float:
        """The median distance from a column to the next."""
        away = columns[:, None, :2] - columns[None, :, :2]
        away -= np.round(away / self.cell[:2]) * self.cell[:2]
        distance = np.hypot(*np.moveaxis(away, -1, 0))
        np.fill_diagonal(distance, np.inf)
        return float(np.median(distance.min(axis=1)))


def crystal(
    basis: Sequence[tuple[float, ...]],
    cell: Sequence[float],
    repeats: Sequence[int],
    description: str,
) -> Supercell:
    """`repeats` unit cells of atoms (number, three fractions)."""
    table = np.array(basis)
    shifts = np.stack(np.meshgrid(*map(np.arange, repeats), indexing="ij"), -1).reshape(-1, 1, 3)
    positions = ((table[None, :, 1:] % 1 + shifts) * np.array(cell)).reshape(-1, 3)
    numbers = np.tile(table[:, 0].astype(np.int64), len(shifts))
    return _numbered(numbers, positions, np.array(cell) * np.array(repeats), description)


def _numbered(numbers: Integers, positions: Floats, cell: Floats, description: str) -> Supercell:
    # The offset prevents rounding errors from separating atoms at a multiple of the grid.
    places = np.round((positions[:, :2] + 0.0137) / 0.1).astype(np.int64)
    column = np.unique(places, axis=0, return_inverse=True)[1].reshape(-1)
    return Supercell(numbers, positions, column, cell, description)


def stacked(
    steps: Sequence[int], basis: Sequence[tuple[int, float]], a: float, repeats: Sequence[int]
) -> Supercell:
    """{111} layers of a cubic crystal along [110], each shifted by `steps` thirds from the last.

    `basis` holds the atoms (number, height along [111]) of a layer. Steps of +1 make the perfect
    crystal, a single -1 a stacking fault, a change from +1 to -1 a twin boundary.
    """
    if sum(steps) % 3:
        raise ValueError("the stacking does not close over the supercell")
    deep, wide, high = a / 2**0.5, a * 1.5**0.5, a / 3**0.5
    atoms = [
        (number, (layer + height / high) / len(steps), part / 2 + sum(steps[:layer]) / 3, part / 2)
        for layer in range(len(steps))
        for number, height in basis
        for part in (0, 1)
    ]
    return crystal(atoms, (high * len(steps), wide, deep), (1, *repeats), "")


def spoilt(
    whole: Supercell,
    seed: int,
    vacancies: Sequence[tuple[int, float, int]] = (),
    dopants: Sequence[tuple[int, int, float, int]] = (),
    strain: float = 0.0,
) -> Supercell:
    """Vacancies (element, fraction of a column, columns) and dopants (element, new element, ...).

    Columns are drawn without repetition. Atoms near a vacancy are displaced away from it by
    `strain`, which decays over 2 angstrom.
    """
    random = np.random.default_rng(seed)
    numbers, positions = whole.numbers.copy(), whole.positions.copy()
    keep = np.ones(len(numbers), bool)
    taken: set[int] = set()
    changes = [(old, 0, *rest) for old, *rest in vacancies] + list(dopants)
    for old, new, fraction, count in changes:
        free = sorted(set(whole.column[whole.numbers == old].tolist()) - taken)
        for column in random.choice(free, int(count), replace=False):
            taken.add(int(column))
            mine = np.flatnonzero((whole.column == column) & (whole.numbers == old))
            chosen = random.permutation(mine)[: max(1, round(fraction * len(mine)))]
            if new:
                numbers[chosen] = new
                continue
            keep[chosen] = False
            away = whole.positions[:, :2] - whole.positions[mine[0], :2]
            away -= np.round(away / whole.cell[:2]) * whole.cell[:2]
            distance = np.maximum(np.hypot(*away.T), 1e-9)[:, None]
            near = (distance > 0.5) & (distance < 5)
            push = strain * fraction * np.exp(-(distance - 2) / 2) * away / distance
            positions[:, :2] += np.where(near, push, 0)
    return replace(whole, numbers=numbers, positions=positions).kept(keep)


def shaken(still: Supercell, rms: float, seed: int) -> Supercell:
    """One frozen-phonon configuration: each atom displaced by `rms` along each axis in the plane.

    Without displacements, atoms of a column scatter coherently, and a column with vacancies may be
    brighter than a full one. Column positions are means over the displaced atoms.
    """
    random = np.random.default_rng(seed)
    positions = still.positions.copy()
    positions[:, :2] += random.normal(0, rms, (len(positions), 2))
    return replace(still, positions=positions)


def _named(made: Supercell, description: str) -> Supercell:
    return replace(made, description=description)


PEROVSKITE = ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5))


def perovskite(first: int, second: int, lift: float = 0.0) -> list[tuple[float, ...]]:
    elements = (first, second, O, O, O)
    return [(z, y + lift, x, t) for z, (y, x, t) in zip(elements, PEROVSKITE, strict=True)]


def srtio3_001() -> Supercell:
    made = crystal(perovskite(SR, TI), (3.905,) * 3, (11, 11, 8), "SrTiO3 [001]")
    return _named(
        spoilt(made, 1, [(SR, 0.5, 8), (SR, 1, 2), (TI, 0.6, 5)], [(SR, LA, 0.6, 6)], 0.12),
        "SrTiO3 [001], half-empty and empty Sr columns, half-empty Ti columns, La on Sr",
    )


def srtio3_110() -> Supercell:
    a, b = 3.905, 3.905 * 2**0.5
    # Rows along [001]; the primitive vectors across are half of the cell's diagonal.
    basis = [
        (SR, 0, 0, 0), (SR, 0, 0.5, 0.5), (TI, 0.5, 0, 0.5), (TI, 0.5, 0.5, 0),
        (O, 0, 0, 0.5), (O, 0, 0.5, 0), (O, 0.5, 0.25, 0.25), (O, 0.5, 0.75, 0.25),
        (O, 0.5, 0.25, 0.75), (O, 0.5, 0.75, 0.75),
    ]  # fmt: skip
    made = crystal(basis, (a, b, b), (13, 9, 5), "SrTiO3 [110]")
    return _named(
        spoilt(made, 2, [(SR, 0.6, 6), (TI, 1, 4)], [(TI, LA, 0.4, 5)], 0.1),
        "SrTiO3 [110], half-empty Sr columns, missing Ti columns, heavy dopants on Ti",
    )


def si_110() -> Supercell:
    a, b = 5.431, 5.431 / 2**0.5
    basis = [(SI, 0, 0, 0), (SI, 0.5, 0.5, 0.5), (SI, 0.25, 0, 0.5), (SI, 0.75, 0.5, 0)]
    made = crystal(basis, (a, b, b), (9, 13, 12), "Si [110]")
    made = spoilt(made, 3, [(SI, 0.5, 8), (SI, 1, 3)], [(SI, SB, 0.09, 8)])
    # A terrace two layers high takes up half of the supercell.
    thin = (made.positions[:, 1] > made.cell[1] / 2) & (made.positions[:, 2] > made.cell[2] - 2 * b)
    return _named(
        made.kept(~thin), "Si [110], vacancies, single Sb atoms, a surface step of 0.8 nm"
    )


def gaas_fault() -> Supercell:
    a = 5.653
    made = stacked([1] * 7 + [-1] + [1] * 6, [(GA, 0.1), (AS, 0.1 + a * 3**0.5 / 4)], a, (7, 8))
    return _named(
        spoilt(made, 4, [(GA, 0.5, 6), (AS, 1, 3)], [(GA, IN, 0.7, 6)], 0.08),
        "GaAs [110], an intrinsic stacking fault, vacancies, In on Ga",
    )


def au_twin() -> Supercell:
    made = stacked([1] * 10 + [-1] * 10, [(AU, 0.1)], 4.078, (10, 9))
    return _named(
        spoilt(made, 5, [(AU, 0.5, 10), (AU, 1, 4), (AU, 0.25, 10)], strain=0.1),
        "Au [110], two {111} twin boundaries, empty and half-empty columns",
    )


def au_particle() -> Supercell:
    made = stacked([1] * 24, [(AU, 0.1)], 4.078, (11, 14))
    # Rows of the matrix: the supercell's axes in those of the cube.
    axes = np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]]) / np.array([[3], [6], [2]]) ** 0.5
    away = (made.positions - made.cell / 2) @ axes
    octahedron = np.abs(away).sum(axis=1) / 3**0.5 < 17.5
    made = made.kept(octahedron & (np.abs(away).max(axis=1) < 19))
    made = made.kept(made.positions[:, 2] < 0.5 * made.cell[2] + 12)
    random = np.random.default_rng(6)
    film = random.uniform((0, 0, 0), (*made.cell[:2], 8), (round(0.09 * 8 * made.cell[0] * 55), 3))
    bottom = made.positions[:, 2].min()
    made.positions[:, 2] += 8.5 - bottom
    return Supercell(
        np.concatenate([made.numbers, np.full(len(film), C)]),
        np.concatenate([made.positions, film]),
        np.concatenate([made.column, np.full(len(film), NO_COLUMN)]),
        np.array([*made.cell[:2], np.ceil(made.positions[:, 2].max() + 2)]),
        "Au particle [110] of 4 nm, facets, on amorphous carbon of 0.8 nm",
    )


def mos2() -> Supercell:
    basis = [
        (MO, 0, 0, 0.5), (MO, 0.5, 0.5, 0.5),
        (S, 1 / 3, 0, 0.305), (S, 1 / 3, 0, 0.695), (S, 5 / 6, 0.5, 0.305), (S, 5 / 6, 0.5, 0.695),
    ]  # fmt: skip
    made = crystal(basis, (5.473, 3.16, 8.0), (9, 16, 1), "MoS2")
    return _named(
        spoilt(made, 7, [(S, 0.5, 14), (S, 1, 5), (MO, 1, 2)], [(MO, W, 1, 5)], 0.1),
        "MoS2 monolayer, single and double S vacancies, Mo vacancies, W on Mo",
    )


def laalo3_srtio3() -> Supercell:
    a, c = 3.905, 3.75
    upper = crystal(perovskite(LA, AL, 0.1), (c, a, a), (6, 13, 8), "")
    lower = crystal(perovskite(SR, TI, 0.1), (a, a, a), (7, 13, 8), "")
    below = lower.positions + np.array([upper.cell[0], 0, 0])
    positions = np.concatenate([upper.positions, below])
    made = _numbered(
        np.concatenate([upper.numbers, lower.numbers]),
        positions,
        np.array([upper.cell[0] + lower.cell[0], *upper.cell[1:]]),
        "",
    )
    return _named(
        spoilt(made, 8, [(LA, 0.5, 4), (SR, 0.5, 4)], [(SR, LA, 0.5, 8), (LA, SR, 0.5, 8)], 0.1),
        "LaAlO3/SrTiO3 [001], two interfaces, La on Sr, Sr on La, half-empty columns",
    )


def gan() -> Supercell:
    a, c, u = 3.189, 5.186, 0.377
    places = ((1 / 3, 0, 0), (5 / 6, 0, 0.5), (1 / 6, 0.5, 0.5), (2 / 3, 0.5, 0))
    basis = [(GA, y, x, t + 0.1) for y, x, t in places]
    basis += [(N, y, x + u, t + 0.1) for y, x, t in places]
    made = crystal(basis, (a * 3**0.5, c, a), (9, 10, 10), "GaN")
    random = np.random.default_rng(9)
    well = np.abs(made.positions[:, 1] - made.cell[1] / 2) < 6
    indium = (made.numbers == GA) & well & (random.random(len(made.numbers)) < 0.3)
    made = replace(made, numbers=np.where(indium, IN, made.numbers))
    return _named(
        spoilt(made, 10, [(GA, 0.5, 8), (GA, 1, 2)], strain=0.1),
        "GaN [11-20], a quantum well with 30 % In, vacancies",
    )


def dysco3() -> Supercell:
    def orbit(x: float, y: float, z: float) -> set[tuple[float, ...]]:
        """The positions of space group Pbnm that (x, y, z) brings with it."""
        some = [(x, y, z), (-x, -y, z + 0.5), (0.5 + x, 0.5 - y, -z), (0.5 - x, 0.5 + y, 0.5 - z)]
        both = some + [(-p, -q, -r) for p, q, r in some]
        return {tuple(round(float(value) % 1, 6) % 1 for value in place) for place in both}

    sites = (
        (DY, 0.983, 0.061, 0.25),
        (SC, 0.5, 0, 0),
        (O, 0.12, 0.443, 0.25),
        (O, 0.693, 0.304, 0.061),
    )
    basis = [(number, z, y, x) for number, *place in sites for x, y, z in sorted(orbit(*place))]
    made = crystal(basis, (7.903, 5.717, 5.44), (6, 9, 6), "DyScO3")
    return _named(
        spoilt(made, 11, [(DY, 0.5, 8), (SC, 1, 4)], [(SC, DY, 0.35, 6)], 0.08),
        "DyScO3 [100], half-empty Dy columns, missing Sc columns, Dy on Sc",
    )


BUILDERS: dict[str, Callable[[], Supercell]] = {
    "srtio3-001": srtio3_001,
    "srtio3-110": srtio3_110,
    "si-110": si_110,
    "gaas-110-fault": gaas_fault,
    "au-110-twin": au_twin,
    "au-particle": au_particle,
    "mos2": mos2,
    "laalo3-srtio3": laalo3_srtio3,
    "gan-11-20": gan,
    "dysco3-100": dysco3,
}
