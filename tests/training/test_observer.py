"""The ideal observer who knows the lattice: variance of measured heights, and its hit rate."""

import math

import numpy as np
import pytest
import torch

from training.evaluation.models.drift_limits import observed
from training.simulate.crystals import ZONES
from training.simulate.lattice import Cells, real_cells
from training.simulate.observer import ProjectedCrystal, height_variances, ideal_hit_rate


def _square(side, *columns):
    places, weights = [list(at) for *at, _ in columns], [weight for *_, weight in columns]
    return ProjectedCrystal(np.eye(2) * side, np.array(places), np.array(weights))


def _zone(name, spacing):
    zone = next(zone for zone in ZONES if zone.name == name)
    cells = real_cells([zone], torch.tensor([spacing]))
    there = cells.weights[0] > 0
    parts = (cells.vectors[0], cells.places[0][there], cells.weights[0][there])
    return ProjectedCrystal(*(part.double().numpy() for part in parts))


def test_the_height_of_a_column_alone_is_known_as_well_as_its_counts():
    (variance,) = height_variances(_square(60, (0, 0, 1.0)), 3.0, 50.0)
    counts = 50 * 2 * math.pi * 3.0**2
    assert 1 < variance * counts < 1.3  # the background adds variance


def test_faint_columns_and_those_beside_others_are_known_worse():
    bright, faint = height_variances(_square(40, (0, 0, 1.0), (0.5, 0.5, 0.2)), 3.0, 50.0)
    assert faint > 5 * bright
    (crowded,) = height_variances(_square(7, (0, 0, 1.0)), 3.0, 50.0)
    (alone,) = height_variances(_square(60, (0, 0, 1.0)), 3.0, 50.0)
    assert crowded > alone


@pytest.mark.parametrize(
    ("zone", "count"), [("Si [110]", 2), ("InP [110]", 2), ("SrTiO3 [001]", 1), ("Au [110]", 2)]
)
def test_a_cell_may_hold_the_crystal_more_than_once(zone, count):
    found = list(_zone(zone, 10.0).symmetries())
    assert len(found) == count
    assert found[0] == [(k, (0, 0)) for k in range(len(found[0]))]
    for onto in found:
        assert sorted(k for k, _ in onto) == list(range(len(onto)))


def _cells(count, spacing):
    flat = torch.eye(2).repeat(count, 1, 1) * spacing
    return Cells(
        flat, torch.zeros(count, 1, 2), torch.ones(count, 1), torch.full((count,), spacing)
    )


def test_counts_tell_and_without_them_chance_does():
    cells, sigma = _cells(60, 12.0), torch.full((60,), 2.4)
    random = torch.Generator().manual_seed(2)
    assert ideal_hit_rate(cells, sigma, 100.0, random) == 1
    assert ideal_hit_rate(cells, sigma, 1e-4, random) < 0.5  # one of some seven


def test_only_crystals_that_spread_are_observed():
    shares = observed("dumbbells", (0.3, 100.0), 20, 4)
    assert shares is not None
    assert shares[0] < shares[1] == 1
    assert observed("one vacancy", (1.0,), 4, 4) is None
    assert observed("grain boundary", (1.0,), 4, 4) is None
