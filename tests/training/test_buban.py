"""Buban & Choi's auto-encoder: its lattice, its batches, its evaluation and the published error."""

import math

import numpy as np
import pytest
import torch

import stemzoo
from stemzoo.cli.demo.phantoms import Specimen, perovskite, ruddlesden_popper
from training.evaluation.column_finder import find_columns
from training.evaluation.models import buban_autoencoder as figures
from training.recipe import load_recipe
from training.simulate.srtio3 import COLUMN_SIGMA, PERIOD, SR_HEIGHT, TIO_HEIGHT, WINDOW, lattices

pytestmark = pytest.mark.slow

RANDOM = 90_000


def _random(seed=RANDOM):
    return torch.Generator().manual_seed(seed)


def test_a_lattice_has_its_heights_its_period_and_its_mean():
    windows = lattices(500, _random())
    assert windows.shape == (500, WINDOW, WINDOW)
    assert windows.amax().item() == pytest.approx(SR_HEIGHT, abs=0.01)
    # A Gaussian's volume is 2 pi sigma^2 of its height.
    mean = (SR_HEIGHT + TIO_HEIGHT) * 2 * math.pi * (COLUMN_SIGMA / PERIOD) ** 2
    assert windows.mean().item() == pytest.approx(mean, rel=0.01)
    straight, period = lattices(20, _random(), (0.0, 0.0)), int(PERIOD)
    torch.testing.assert_close(straight[:, period:], straight[:, :-period])
    torch.testing.assert_close(straight[..., period:], straight[..., :-period])
    turned = lattices(20, _random(), (45.0, 45.0))
    assert (turned[:, period:] - turned[:, :-period]).abs().max() > 0.5


def test_every_pass_brings_fresh_noise_to_the_same_lattices():
    recipe = load_recipe("buban-autoencoder", samples=64, batch_size=32)
    recipe.prepare(torch.device("cpu"), smoke=True)
    assert all(map(torch.equal, recipe.batch(5), recipe.batch(5)))
    (first, target), (again, same_target) = recipe.batch(0), recipe.batch(2)
    other_target = recipe.batch(1)[1]

    def likeness(one, two):
        pairs = torch.stack([one.flatten(1), two.flatten(1)], dim=1)
        return torch.stack([torch.corrcoef(pair)[0, 1] for pair in pairs])

    assert likeness(target, same_target).min() > 0.9999
    assert likeness(target, other_target).mean() < 0.5
    assert likeness(first - target, again - same_target).abs().max() < 0.2
    # Normalised as by the runtime, up to the variation of a window about its image.
    assert first.mean(dim=(1, 2, 3)).abs().max() < 0.13
    assert (first.std(dim=(1, 2, 3)) - 1).abs().max() < 0.13


def test_every_reading_of_the_signal_to_noise_ratio_is_what_it_says():
    clean = lattices(200, _random()).double().numpy()
    mean, std = float(clean.mean()), float(clean.std())
    ratios = []
    for level in figures.noise_levels(mean, std).values():
        noise = figures._noisy(clean, level) - clean
        assert abs(noise.mean()) < 0.02 * level
        ratios.append(
            [
                clean.var() / noise.var(),
                clean.std() / noise.std(),
                clean.mean() / noise.std(),
                clean.max() / np.ptp(noise),
                clean.max() / np.abs(noise).max(),
                clean.max() / noise.std(),
            ]
        )
    np.testing.assert_allclose(np.diag(ratios), figures.SNR, rtol=0.02)


def test_columns_are_found_where_they_are():
    random = np.random.default_rng(3)
    y, x = (grid.ravel() * 15 + random.uniform(-2, 2, 49) for grid in np.mgrid[1:8, 1:8])
    weight = random.uniform(0.5, 1, 49)
    image = Specimen(y, x, weight, 2.5, background=0.3).image((120, 120))
    found = find_columns(image + random.normal(0, 0.02, image.shape), 13, 2.5)
    assert len(found) == 49
    apart = np.hypot(found[:, :1] - y, found[:, 1:2] - x)
    assert apart.min(axis=1).max() < 0.15
    np.testing.assert_allclose(found[:, 2], weight[apart.argmin(axis=1)], atol=0.06)


def test_the_elongation_at_the_fault_is_measured_and_none_is_invented():
    shape = (figures.FAULT_SIDE // 3, figures.FAULT_SIDE)  # planes are vertical
    plain = perovskite(shape, RANDOM).image(shape)
    assert figures._elongation(plain)["elongation"] == pytest.approx(0, abs=0.5)
    # SrO planes 0.66 cells apart, where planes are half a cell apart elsewhere.
    fault = ruddlesden_popper(shape, RANDOM).image(shape)
    seen = figures._elongation(fault)
    assert seen["elongation"] == pytest.approx(32, abs=1.5)
    assert seen["over_five"] == pytest.approx(32, abs=1.5)
    assert figures._elongation(np.zeros(shape))["elongation"] == 0


@pytest.mark.parametrize("shape", [(28, 28), (97, 61), (20, 300)])
def test_the_zoo_model_runs_by_name_on_any_size(shape):
    noisy = perovskite(shape, 1).image(shape) * 20
    clean = stemzoo.denoise(noisy, model="buban-autoencoder")
    assert clean.shape == shape
    np.testing.assert_allclose(
        stemzoo.denoise(7 * noisy - 3, model="buban-autoencoder"), 7 * clean - 3, atol=2e-2
    )


def test_the_zoo_model_is_within_the_published_error():
    model = stemzoo.load("buban-autoencoder")
    clean = figures._windows(300)
    errors = figures._errors(model, clean, figures.WHOLE_RANGE_STD)
    assert errors["mean_absolute"] <= 10
    assert errors["raw"] > 70
