"""Crystals along zone axes: the columns of their projected cells, and the atoms in each column.

Lengths in angstrom. A column is (u, v, atoms): its position in fractions of the projected cell, and
the atomic numbers along the beam in one period of the crystal. The ADF intensity is proportional to
the sum of Z^1.7 over the atoms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Column = tuple[float, float, tuple[int, ...]]

Z_POWER = 1.7
VISIBLE_WEIGHT = 0.25  # of the brightest: fainter columns do not count in the spacing


@dataclass(frozen=True)
class Zone:
    """A crystal seen along a zone axis: a projected cell of sides a, b and angle gamma."""

    name: str
    a: float
    b: float
    gamma: float
    columns: tuple[Column, ...]

    @property
    def crystal(self) -> str:
        return self.name.split()[0]

    @property
    def weights(self) -> list[float]:
        """Intensities of the columns, the brightest being 1."""
        raw = [sum(z**Z_POWER for z in atoms) for _, _, atoms in self.columns]
        return [value / max(raw) for value in raw]

    @property
    def spacing(self) -> float:
        """Distance between the nearest visible columns."""
        angle = math.radians(self.gamma)
        seen = [
            (u, v)
            for (u, v, _), weight in zip(self.columns, self.weights, strict=True)
            if weight >= VISIBLE_WEIGHT
        ]
        return min(
            math.hypot(
                (u - s + i) * self.a + (v - t + j) * self.b * math.cos(angle),
                (v - t + j) * self.b * math.sin(angle),
            )
            for u, v in seen
            for s, t in seen
            for i in (-2, -1, 0, 1, 2)
            for j in (-2, -1, 0, 1, 2)
            if (u - s + i, v - t + j) != (0, 0)
        )


# Excluded from the training of drift models, for evaluation: see crystal_pairs.
DUMBBELLS = ("Si", "Ge", "GaAs", "InP", "CdTe")
PEROVSKITES = ("SrTiO3", "BaTiO3", "PbTiO3", "LaAlO3", "LaMnO3", "DyScO3", "GdFeO3")


def _perovskite(name: str, a: float, site_a: int, site_b: int) -> Zone:
    oxygen = ((0.5, 0.0, (8,)), (0.0, 0.5, (8,)))
    return Zone(f"{name} [001]", a, a, 90, ((0, 0, (site_a,)), (0.5, 0.5, (site_b, 8)), *oxygen))


def _perovskite_110(name: str, a: float, site_a: int, site_b: int) -> Zone:
    columns = ((0.0, 0.0, (site_a, 8)), (0.5, 0.0, (site_b,)), (0.5, 0.5, (8, 8)))
    return Zone(f"{name} [110]", a, a / math.sqrt(2), 90, columns)


def _tilted_perovskite(name: str, a: float, site_a: int, site_b: int, zigzag: float) -> Zone:
    """A cations displaced alternately along one axis by octahedral tilts; the cell is doubled."""
    columns = (
        (0.0, zigzag, (site_a,)),
        (0.5, 1 - zigzag, (site_a,)),
        (0.25, 0.5, (site_b, 8)),
        (0.75, 0.5, (site_b, 8)),
        (0.25, 0.0, (8,)),
        (0.75, 0.0, (8,)),
        (0.0, 0.5, (8,)),
        (0.5, 0.5, (8,)),
    )
    return Zone(f"{name} [110]", 2 * a, a, 90, columns)


def _diamond_110(name: str, a: float, first: int, second: int) -> Zone:
    """Dumbbells a quarter cell long; rows of them are staggered."""
    columns = ((0, 0, (first,)), (0.25, 0, (second,)), (0.5, 0.5, (first,)), (0.75, 0.5, (second,)))
    return Zone(f"{name} [110]", a, a / math.sqrt(2), 90, columns)


def _wurtzite(name: str, a: float, c: float, metal: int, other: int) -> Zone:
    third = 1 / 3
    columns = (
        (0.0, 2 * third, (metal,)),
        (0.5, third, (metal,)),
        (0.375, 2 * third, (other,)),
        (0.875, third, (other,)),
    )
    return Zone(f"{name} [11-20]", c, a * math.sqrt(3) / 2, 90, columns)


def _centred(name: str, a: float, b: float, z: int) -> Zone:
    return Zone(name, a, b, 90, ((0, 0, (z,)), (0.5, 0.5, (z,))))


def _single(name: str, a: float, gamma: float, *atoms: int) -> Zone:
    return Zone(name, a, a, gamma, ((0, 0, atoms),))


def _fcc(name: str, a: float, z: int) -> tuple[Zone, ...]:
    return (
        _single(f"{name} [001]", a / math.sqrt(2), 90, z),
        _centred(f"{name} [110]", a, a / math.sqrt(2), z),
        _single(f"{name} [111]", a / math.sqrt(6), 60, z),
    )


def _bcc(name: str, a: float, z: int) -> tuple[Zone, ...]:
    return (
        _single(f"{name} [001]", a / math.sqrt(2), 90, z),
        _centred(f"{name} [110]", a, a * math.sqrt(2), z),
        _single(f"{name} [111]", a * math.sqrt(2 / 3), 60, z),
    )


def _hcp(name: str, a: float, c: float, z: int) -> tuple[Zone, ...]:
    third = 1 / 3
    rows = ((0.25, 2 * third, (z,)), (0.75, third, (z,)))
    return (
        _honeycomb(f"{name} [0001]", a, (z,), (z,)),
        Zone(f"{name} [11-20]", c, a * math.sqrt(3) / 2, 90, rows),
    )


def _honeycomb(name: str, a: float, first: tuple[int, ...], second: tuple[int, ...]) -> Zone:
    # With lattice vectors 60 degrees apart, the sites of a honeycomb are 1/3, 1/3 and 2/3, 2/3.
    return Zone(name, a, a, 60, ((1 / 3, 1 / 3, first), (2 / 3, 2 / 3, second)))


def _rock_salt(name: str, a: float, metal: int, other: int) -> tuple[Zone, ...]:
    columns = ((0, 0, (metal,)), (0.5, 0.5, (metal,)), (0.5, 0, (other,)), (0, 0.5, (other,)))
    return (
        _single(f"{name} [001]", a / 2, 90, metal, other),
        Zone(f"{name} [110]", a, a / math.sqrt(2), 90, columns),
    )


ZONES: tuple[Zone, ...] = (
    _perovskite("SrTiO3", 3.905, 38, 22),
    _perovskite("BaTiO3", 3.994, 56, 22),
    _perovskite("PbTiO3", 3.904, 82, 22),
    _perovskite("LaAlO3", 3.790, 57, 13),
    _perovskite("LaMnO3", 3.880, 57, 25),
    _perovskite_110("SrTiO3", 3.905, 38, 22),
    _perovskite_110("BaTiO3", 3.994, 56, 22),
    _tilted_perovskite("DyScO3", 3.95, 66, 21, 0.045),
    _tilted_perovskite("GdFeO3", 3.84, 64, 26, 0.05),
    _diamond_110("Si", 5.431, 14, 14),
    _diamond_110("Ge", 5.658, 32, 32),
    _diamond_110("GaAs", 5.653, 31, 33),
    _diamond_110("InP", 5.869, 49, 15),
    _diamond_110("CdTe", 6.482, 48, 52),
    _wurtzite("GaN", 3.189, 5.185, 31, 7),
    _wurtzite("ZnO", 3.250, 5.207, 30, 8),
    _wurtzite("AlN", 3.112, 4.982, 13, 7),
    *_fcc("Au", 4.078, 79),
    *_fcc("Al", 4.050, 13),
    *_bcc("Fe", 2.866, 26),
    *_bcc("W", 3.165, 74),
    *_hcp("Mg", 3.209, 5.211, 12),
    *_hcp("Ti", 2.951, 4.684, 22),
    _honeycomb("graphene", 2.461, (6,), (6,)),
    _honeycomb("hBN", 2.504, (5,), (7,)),
    _honeycomb("MoS2", 3.160, (42,), (16, 16)),
    _honeycomb("WSe2", 3.282, (74,), (34, 34)),
    *_rock_salt("MgO", 4.212, 12, 8),
    *_rock_salt("PbTe", 6.462, 82, 52),
)
