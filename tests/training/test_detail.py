import numpy as np
import pytest
import torch
from run_files import checkpoint

import stemzoo
from training.evaluation.cases import cases
from training.loop.compact_checkpoint import average_weights
from training.networks.detail import Detail, as_detail, explained, features, over_windows
from training.networks.half_spectra import mirrored, transposed
from training.networks.spectral import FLOOR, Transforms, power
from training.recipe import load_recipe
from training.train_detail import Examples, learn, main, train_detail

SIDE = 32
TRANSFORMS = Transforms(SIDE)


def image(seed, side=4 * SIDE, frames=2):
    return torch.randn((frames, 1, side, side), generator=torch.Generator().manual_seed(seed))


def log_power(pictures, gain=1.0):
    return (power(TRANSFORMS.spectra(gain * pictures)[0]) + gain**2 * FLOOR).log()


def seen(picture, estimate, gain=1.0, offset=0.0):
    """What `Detail` sees of a picture and its estimate, with the power as the noise's."""
    observed = log_power(picture, gain)
    picture, estimate = gain * picture + offset, gain * estimate + offset
    return over_windows(TRANSFORMS, picture, estimate, observed, observed)


def test_detail_takes_the_noise_for_white_at_the_lowest_power():
    observed = log_power(image(0))
    observed[..., 10:22, :] -= 5  # the highest frequencies of ky
    estimate = 0 * observed + 3
    torch.testing.assert_close(as_detail(observed, estimate, torch.zeros(())), estimate)
    white = as_detail(observed, estimate, torch.ones(()))
    torch.testing.assert_close(white, 0 * observed + white[:, :1, :1, :1, :1])
    assert white.max() < observed.mean()


@torch.no_grad()
def test_the_choice_is_the_same_in_four_orientations():
    part = Detail(TRANSFORMS, symmetric=True)
    given = seen(image(0), image(1))
    for turned in (mirrored, transposed):
        torch.testing.assert_close(
            part.choice(turned(given)), part.choice(given), rtol=1e-4, atol=1e-4
        )


@torch.no_grad()
def test_the_choice_does_not_depend_on_gain_and_offset():
    expected = features(seen(image(0), image(1)))
    brighter = features(seen(image(0), image(1), gain=2.0, offset=1.0))
    torch.testing.assert_close(brighter, expected, rtol=1e-4, atol=1e-4)


def test_harmonics_explain_detail_but_not_noise():
    (windows, _), (other, _) = (TRANSFORMS.spectra(image(seed, 8 * SIDE)) for seed in (2, 3))
    count = windows[0].shape[1] * windows[0].shape[2]
    whole = power(windows).sum((1, 2))
    of_noise = (explained(windows, other) / whole).mean()
    assert 0.8 / count < of_noise < 2 / count  # windows overlap
    torch.testing.assert_close(explained(windows, windows), whole)


def test_it_learns_which_frames_have_detail():
    rough = torch.arange(64) % 2
    pattern = (
        torch.cos(torch.arange(4 * SIDE) * 2.1)[None, None, None] * 4 * rough[:, None, None, None]
    )
    noise = image(4, frames=64)
    examples = Examples(features(seen(noise + pattern, 0 * noise)), 2.0 * rough - 1)
    part = Detail(TRANSFORMS, symmetric=False)
    assert learn(part, examples, examples.split(0)[0], epochs=100) == 100
    with torch.no_grad():
        chosen = part.logits(examples.seen).mean(0) > 0
    assert (chosen == rough.bool()).float().mean() > 0.9


@pytest.mark.slow
def test_the_part_goes_into_the_whole_checkpoint(tmp_path):
    recipe = load_recipe("denoise-atomic", sees_detail=True, scenes=16, crop=128, batch_size=2)
    train_detail(recipe, 4, 1, tmp_path, smoke=True)
    state = checkpoint(tmp_path)
    recipe.network().load_state_dict(state["average"])
    for name, weight in average_weights(recipe).items():
        torch.testing.assert_close(state["average"][name], weight)
    assert sum(state["devices"].values()) == pytest.approx(state["spent"])


def test_a_network_without_the_part_is_refused():
    with pytest.raises(SystemExit, match="lobato-restore has no part that tells detail"):
        main(["lobato-restore"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["denoise-atomic", "denoise-live"])
def test_a_published_model_leaves_clean_specimens_as_they_are(name):
    clean = {case.subject: case.truth for case in cases(["specimens"])}
    for subject, truth in clean.items():
        error = stemzoo.denoise(truth.astype(np.float32), model=name) - truth
        psnr = 20 * np.log10(np.ptp(truth) / np.sqrt(np.square(error).mean()))
        assert psnr >= 45, f"{subject}: {psnr:.1f} dB against itself"
