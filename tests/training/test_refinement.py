import numpy as np
import torch

from training.networks.refinement import RARE, Refinement
from training.networks.spectral import Transforms

SIDE = 512
CERTAIN = 20.0  # logit
DEVIATION = 0.5


def layer(logit):
    """An untrained layer with the same gain at all frequencies."""
    made = Refinement(Transforms(128))
    torch.nn.init.constant_(made.last.bias, logit)
    return made


def waves(*frequencies):
    """The sum of plane waves of unit amplitude; `frequencies` in cycles per pixel, (y, x)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return sum(np.cos(2 * np.pi * (fy * y + fx * x)) for fy, fx in frequencies)


def noise(seed):
    return np.random.default_rng(seed).normal(0, DEVIATION, (SIDE, SIDE))


def white(image):
    """Its log noise power in every window, if its noise is white."""
    windows = image.shape[0] // 64
    return torch.full((1, windows, windows, 128, 65), 2 * np.log(DEVIATION))


def tensors(*images):
    return (torch.tensor(image, dtype=torch.float32)[None, None] for image in images)


@torch.no_grad()
def refined(made, image, estimate):
    return made(*tensors(image, estimate), white(image))[0, 0].numpy()


def rms(image):
    return float(np.sqrt(np.mean(np.square(image))))


LATTICE = waves((0.11, 0.03), (-0.03, 0.11))
WEAKENED = waves((0.21, 0.17))
TRUTH, ESTIMATE = LATTICE + 0.2 * WEAKENED, LATTICE + 0.12 * WEAKENED


def test_what_was_weakened_of_a_lattice_is_returned():
    better = refined(layer(CERTAIN), TRUTH, ESTIMATE)
    assert rms(better - TRUTH) < 0.25 * rms(ESTIMATE - TRUTH)


def test_a_loss_below_the_noise_is_found():
    better = refined(layer(CERTAIN), TRUTH + noise(1), ESTIMATE)
    assert rms(better - TRUTH) < 0.5 * rms(ESTIMATE - TRUTH)


def test_little_of_the_noise_is_returned():
    removed = noise(2)
    better = refined(layer(CERTAIN), LATTICE + removed, LATTICE)
    assert rms(better - LATTICE) < 0.03 * rms(removed)


def test_an_estimate_is_raised_to_twice_itself_at_most():
    better = refined(layer(CERTAIN), 4 * TRUTH, ESTIMATE)  # the regression is 3, its limit 1
    np.testing.assert_allclose(better[64:-64, 64:-64], 2 * ESTIMATE[64:-64, 64:-64], atol=0.1)


def test_a_layer_without_gain_changes_nothing():
    np.testing.assert_allclose(refined(layer(-CERTAIN), TRUTH, ESTIMATE), ESTIMATE, atol=1e-5)


def test_gains_are_small_before_training():
    certain, untrained = (
        refined(made, TRUTH, ESTIMATE) - ESTIMATE
        for made in (layer(CERTAIN), Refinement(Transforms(128)))
    )
    np.testing.assert_allclose(untrained, certain / (1 + np.exp(-RARE)), atol=1e-4)


def test_after_training_gains_are_squared():
    half, quarter = (
        refined(made, TRUTH, ESTIMATE) - ESTIMATE for made in (layer(0), layer(0).eval())
    )
    np.testing.assert_allclose(quarter, half / 2, atol=1e-5)


@torch.no_grad()
def test_it_follows_gain_and_offset():
    torch.manual_seed(5)
    made = layer(0)
    torch.nn.init.normal_(made.last.weight, std=0.3)
    image, estimate = tensors(TRUTH + noise(6), ESTIMATE)
    expected = 3 * made(image, estimate, white(TRUTH)) + 5
    found = made(3 * image + 5, 3 * estimate + 5, white(TRUTH) + 2 * np.log(3))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=3e-3)
