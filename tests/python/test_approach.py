"""Edges drift, too, and no sharp peak tells how far."""

import math

import numpy as np
import pytest

from stemzoo import _core, drift
from stemzoo.registration.pair import Estimator

DRIFT = (6.3, -4.4)


def cleaned(frame):
    return Estimator(frame.shape, None).frame(frame)


def corner(shift, dose=100.0, side=128):
    """Counts of a quarter plane whose edges cross the frame, smooth over two pixels."""
    y, x = np.mgrid[:side, :side] - np.reshape(shift, (2, 1, 1))
    down, across = (1 / (1 + np.exp(-away)) for away in (y - 50 + 0.3 * x, x - 70 - 0.2 * y))
    return np.random.default_rng(3).poisson(dose * (0.2 + 0.8 * down * across)).astype("f4")


@pytest.fixture(scope="module")
def frames():
    return corner((0, 0)), corner(DRIFT)


@pytest.mark.parametrize("off", [(0, 0), (5, 0), (0, 5), (-5, -5)])
def test_edges_are_approached_from_afar(frames, off):
    start = (DRIFT[0] + off[0], DRIFT[1] + off[1])
    clean = [cleaned(frame) for frame in frames]
    assert math.dist(_core.coarse_approach(*clean, start), DRIFT) < 1


def test_lost_pixels_are_no_edges(frames):
    lost = [np.where(np.arange(128) < 10, np.nan, frame) for frame in frames]
    clean = [cleaned(frame) for frame in lost]
    assert math.dist(_core.coarse_approach(*clean, (DRIFT[0] + 5, DRIFT[1])), DRIFT) < 1


def test_what_has_no_edges_stays_where_it_is():
    clean = [cleaned(np.random.default_rng(n).poisson(9, (64, 64))) for n in (1, 2)]
    assert _core.coarse_approach(*clean, (3.0, -2.0)) == (3.0, -2.0)


@pytest.mark.parametrize("side", [16, 24, 40])
def test_frames_too_small_to_shrink_are_refined_as_they_are(side):
    y = np.mgrid[:side, :side][0]
    smooth = 50 * (1 + 0.8 * np.tanh((y - 8) / 3))
    still = np.random.default_rng(1).poisson(smooth).astype("f4")
    moved = np.roll(still, (1, 2), (0, 1))
    clean = [cleaned(frame) for frame in (still, moved)]
    assert np.isfinite(_core.coarse_approach(*clean, (1.0, 2.0))).all()
    found = drift(still, moved, None)
    assert found.ambiguous or math.dist((found.dy, found.dx), (1, 2)) < 1


def test_a_drift_of_edges_is_found(frames):
    found = drift(*frames, None)
    assert math.dist((found.dy, found.dx), DRIFT) < 0.3
