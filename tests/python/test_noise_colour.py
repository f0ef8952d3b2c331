"""Drifts of frames whose noise is correlated: estimated in csrc/spectrum, and made white."""

import math

import numpy as np
import pytest
import scipy.ndimage

import stemzoo
from stemzoo import _core
from stemzoo.cli.demo.phantoms import perovskite

SIDE = 192


def smoothed(frame):
    return scipy.ndimage.gaussian_filter(frame, 0.9)


def zoomed(frame):
    return scipy.ndimage.zoom(frame[::2, ::2], 2, order=3, mode="grid-mirror", grid_mode=True)


FILTERS = {"white": lambda frame: frame, "smoothed": smoothed, "zoomed": zoomed}


def counts(seed, by=(0, 0)):
    """Of one crystal, moved."""
    scene = perovskite((SIDE, SIDE), 1, spread=0.2).image((SIDE, SIDE), by)
    return np.random.default_rng(seed).poisson(10 * scene).astype(np.float64)


def colour(frame):
    return _core.NoiseColour(np.asarray(frame - frame.mean(), np.float32))


@pytest.mark.parametrize("name", FILTERS)
def test_filtered_counts_have_a_colour(name):
    assert colour(FILTERS[name](counts(1))).coloured == (name != "white")


@pytest.mark.parametrize("name", [name for name in FILTERS if name != "white"])
def test_errors_of_filtered_frames_are_within_sigma(name):
    misses = []
    for seed in range(12):
        still, moved = (FILTERS[name](counts(2 * seed + n, (2 * n, -4 * n))) for n in (0, 1))
        found = stemzoo.drift(still, moved, None, max_shift=6)
        misses += [(found.dy - 2) / found.sigma[0], (found.dx + 4) / found.sigma[1]]
    # A Gaussian has 0.68; of 24 numbers, 0.4 to 0.95.
    assert 0.4 <= np.mean(np.abs(misses) <= 1) <= 0.95
    assert math.sqrt(np.mean(np.square(misses))) < 1.8


def test_no_unit_changes_the_drift_of_a_coloured_pair():
    still, moved = (smoothed(counts(n, (3 * n, 0))) for n in (0, 1))
    one = stemzoo.drift(still, moved, None, max_shift=6)
    other = stemzoo.drift(4 * still + 3, 0.5 * moved - 1, None, max_shift=6)
    assert (one.dy, one.dx) == pytest.approx((other.dy, other.dx), abs=1e-3)
    assert one.sigma == pytest.approx(other.sigma, rel=1e-3)


def test_without_noise_the_colour_is_the_scenes():
    """Smooth and exact: a pair is compared as it is."""
    field = scipy.ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(256, 256)), 2)
    still, moved = field[20:212, 20:212], field[17:209, 22:214]
    assert colour(still).coloured
    found = stemzoo.drift(still, moved, None)
    assert (found.dy, found.dx) == pytest.approx((3, -2), abs=0.01)


def test_correlated_noise_is_not_stripes():
    """On a crystal along the axes, stripes would take the lattice with them."""
    frame = scipy.ndimage.gaussian_filter(counts(5), (1.5, 0))
    estimator = _core.DriftEstimator(frame.shape, (20, 20), None, 1)
    pixels = np.asarray(estimator.prepare(frame, None, "frame").pixels)
    np.testing.assert_allclose(pixels, frame - frame.mean(), atol=1e-4)
    striped = frame + np.random.default_rng(6).normal(size=SIDE)
    pixels = np.asarray(estimator.prepare(striped, None, "frame").pixels)
    np.testing.assert_allclose(pixels.mean(0), 0, atol=1e-4)


def test_a_colour_is_of_frames_of_one_shape():
    one = colour(counts(1))
    with pytest.raises(ValueError, match="192 x 192 and 96 x 192 pixels; expected one shape"):
        one.in_common(colour(counts(1)[:96]))
    with pytest.raises(ValueError, match="image is 96 x 192 pixels; expected 192 x 192"):
        one.whitened(np.zeros((96, 192), np.float32))


def test_unrelated_crystals_without_noise_are_not_made_of_noise():
    """Between Bragg peaks a spectrum without noise is smooth."""
    scene = perovskite((SIDE, SIDE), 1).image((SIDE, SIDE))
    assert colour(scene).coloured
    assert colour(scene).smoothness > 0.9
    assert abs(colour(smoothed(counts(1))).smoothness) < 0.15
