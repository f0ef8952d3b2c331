import pytest
import torch

from training.simulate import resave
from training.simulate.frames import FRAME_EDGE, frames
from training.simulate.optics import Regrid, filtered, filters
from training.simulate.scan import SCAN
from training.simulate.scenes import render_scenes


def random(seed=3):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def scene():
    return render_scenes(10, 64 + 2 * FRAME_EDGE, random()).float()


def lag_one(noise):
    noise = noise - noise.mean()
    return float((noise[:, :, 1:] * noise[:, :, :-1]).mean() / noise.square().mean())


@pytest.mark.parametrize("straight", [True, False])
def test_frames_are_whole_and_their_truth_is_clean(scene, straight):
    noisy, truth = frames(scene, random(), 0.5, SCAN, straight=straight)
    assert noisy.shape == truth.shape == (10, 64, 64)
    assert torch.isfinite(noisy).all()
    assert torch.isfinite(truth).all()
    assert (noisy != truth).flatten(1).any(dim=1).all()


def test_the_same_seed_makes_the_same_frames(scene):
    first, again = (frames(scene, random(7), 0.5, SCAN, straight=True) for _ in range(2))
    assert torch.equal(first[0], again[0])


def test_filters_keep_the_mean_and_give_noise_a_colour():
    transfer = filters(16, 64, 64, random())
    torch.testing.assert_close(transfer[:, 0, 0].abs(), torch.ones(16))
    white = torch.randn(16, 64, 64, generator=random())
    assert abs(lag_one(white)) < 0.02
    assert lag_one(filtered(white, transfer)) > 0.15


def test_zooming_keeps_a_level_and_a_ramp():
    level = torch.full((8, 64, 64), 2.5)
    torch.testing.assert_close(Regrid(8, 64, random())(level), level, rtol=1e-4, atol=1e-4)
    ramp = torch.arange(64.0).expand(8, 64, 64)
    regrid = Regrid(8, 64, random())
    inner = (slice(None), slice(24, 40), slice(24, 40))  # a spline's wrapping edges left out
    torch.testing.assert_close(regrid(ramp)[inner], regrid.x[inner], rtol=0, atol=0.05)


@pytest.mark.parametrize("effect", [resave.hum, resave.lost_lines, resave.eight_bits, resave.jpeg])
def test_what_programs_do_is_mild(effect):
    image = torch.rand(4, 64, 64, generator=random())
    done = effect(image, random())
    assert done.shape == image.shape
    assert not torch.equal(done, image)
    assert (done - image).std() < 0.6 * image.std()
