"""The simulator: reproducible, exact where it can be checked, and bounded."""

import math

import pytest
import torch

from training.simulate.detector import record
from training.simulate.render import convolve, probe, spread
from training.simulate.scan import jitter_rows
from training.simulate.scenes import BANDS, render_crystals, render_scenes
from training.simulate.texture import shapes


def _random(seed=1):
    return torch.Generator().manual_seed(seed)


def test_a_column_is_a_gaussian_at_its_exact_place():
    size, y, x, sigma = 64, 30.37, 25.81, 1.7
    transfer = probe(torch.tensor([sigma]), torch.zeros(1), torch.zeros(1), torch.zeros(1), size)
    canvas = spread(torch.tensor([[y]]), torch.tensor([[x]]), torch.ones(1, 1), size)
    image = convolve(canvas, transfer)[0]
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    truth = torch.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))
    # What the cubic spline aliases at 1.7 px is a few thousandths of the peak.
    assert (image - truth).abs().max() < 4e-3


def test_scenes_are_reproducible_scaled_and_finite():
    first, again = (render_scenes(24, 96, _random()) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, render_scenes(24, 96, _random(2)))
    assert first.shape == (24, 96, 96)
    assert first.isfinite().all()
    assert first.min() >= 0
    assert first.amax(dim=(1, 2)).float().allclose(torch.ones(24), atol=1e-3)


@pytest.mark.parametrize("spacing", [band for band, _ in BANDS])
def test_every_band_holds_crystals(spacing):
    images = render_crystals(4, 128, spacing, _random())
    contrast = images.std(dim=(1, 2)) / images.mean(dim=(1, 2))
    assert (contrast > 0.02).all()


def test_shapes_hold_blank_fields_too():
    images = shapes(48, 64, _random())
    flat = (images.amax(dim=(1, 2)) - images.amin(dim=(1, 2))) < 1e-6
    assert 0 < int(flat.sum()) < 24


def test_counts_have_the_mean_and_variance_of_electrons():
    scene = torch.full((1, 512, 512), 0.5)
    noisy, clean = record(scene.repeat(12, 1, 1), (40.0, 40.001), _random())
    assert clean.mean().item() == pytest.approx(20, rel=1e-3)
    assert noisy.mean().item() == pytest.approx(20, rel=1e-2)
    variances = noisy.var(dim=(1, 2))
    assert variances.min().item() == pytest.approx(20, rel=2e-2)  # Poisson alone
    assert variances.max().item() < 20 + 0.25 * 40 + 1  # and at most the stated readout noise


def test_jitter_moves_rows_by_what_it_says():
    row = torch.arange(64)
    image = torch.cos(2 * math.pi * row / 16).expand(1, 256, 64)
    moved = jitter_rows(image, torch.tensor([0.5]), _random())
    phase = torch.fft.rfft(moved[0])[:, 4].angle() * 16 / (2 * math.pi)
    assert phase.std().item() == pytest.approx(0.5, rel=0.35)
    assert torch.allclose(jitter_rows(image, torch.zeros(1), _random()), image, atol=1e-5)
