import numpy as np
import pytest
import torch

from training.networks.lattice_residual import LatticeResidual
from training.networks.spectral import Transforms

SIDE = 512
LAYER = LatticeResidual(Transforms(128))


def waves(*frequencies):
    """The sum of plane waves of unit amplitude; `frequencies` in cycles per pixel, (y, x)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return sum(np.cos(2 * np.pi * (fy * y + fx * x)) for fy, fx in frequencies)


def noise(seed, deviation=0.5):
    return np.random.default_rng(seed).normal(0, deviation, (SIDE, SIDE))


@torch.no_grad()
def changed(image, estimate):
    """What the layer adds to the estimate."""
    image, estimate = (torch.tensor(a, dtype=torch.float32)[None, None] for a in (image, estimate))
    return (LAYER(image, estimate) - estimate)[0, 0].numpy()


def rms(image):
    return float(np.sqrt(np.mean(np.square(image))))


LATTICE = waves((0.11, 0.03), (-0.03, 0.11))
WEAKENED = waves((0.21, 0.17))


def test_a_weakened_lattice_frequency_is_returned():
    truth = LATTICE + 0.1 * WEAKENED
    estimate = LATTICE + 0.04 * WEAKENED
    added = changed(truth + noise(1), estimate)
    assert rms(estimate + added - truth) < 0.5 * rms(estimate - truth)


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_is_not_returned(seed):
    assert rms(changed(LATTICE + noise(seed), LATTICE)) < 1e-3


def test_noise_with_a_colour_is_not_returned():
    kernel = np.exp(-np.arange(16) / 2)
    afterglow = np.apply_along_axis(np.convolve, 1, noise(2), kernel / kernel.sum(), "same")
    assert rms(changed(LATTICE + afterglow, LATTICE)) < 1e-3


def test_mains_lines_stay_removed():
    assert rms(changed(LATTICE + noise(3) + 0.1 * WEAKENED, LATTICE)) < 1e-3


def test_streaks_of_displaced_rows_stay_removed():
    shifts = np.random.default_rng(4).normal(0, 1.0, SIDE)
    x = np.arange(SIDE)[None] + shifts[:, None]
    y = np.arange(SIDE)[:, None]
    jittered, mean = 0, 0
    for fy, fx in ((0.11, 0.03), (-0.03, 0.11)):
        jittered = jittered + np.cos(2 * np.pi * (fy * y + fx * x))
        mean = mean + waves((fy, fx)) * np.cos(2 * np.pi * fx * shifts).mean()
    assert rms(changed(jittered + noise(5, 0.05), mean)) < 0.05 * rms(jittered - mean)


def test_what_one_window_has_is_no_peak():
    spot = np.zeros((SIDE, SIDE))
    spot[100:150, 300:350] = WEAKENED[100:150, 300:350]
    estimate = LATTICE + 0.05 * WEAKENED
    assert rms(changed(estimate + noise(6) + spot, estimate)) < 1e-2


def test_a_frame_of_one_window_is_left_alone():
    image = (LATTICE + 0.3 * WEAKENED + noise(7))[:64, :64]
    assert rms(changed(image, (LATTICE + 0.05 * WEAKENED)[:64, :64])) < 1e-3
