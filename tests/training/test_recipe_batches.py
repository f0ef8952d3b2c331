"""Windows of scenes and their normalisation, as used by every image recipe."""

import pytest
import torch

from training.recipes.shared.batches import as_run, generator, windows

CPU = torch.device("cpu")


def test_windows_come_from_the_scenes_in_every_orientation():
    scenes = torch.arange(64 * 64).view(1, 64, 64).float()
    seen = windows(scenes, 8, 200, generator(1, 1, CPU))
    steps = {
        (int(window[0, 1] - window[0, 0]), int(window[1, 0] - window[0, 0])) for window in seen
    }
    assert steps == {(a, b) for a in (1, -1) for b in (64, -64)} | {
        (a, b) for a in (64, -64) for b in (1, -1)
    }


def test_a_window_larger_than_the_scenes_is_refused():
    with pytest.raises(SystemExit, match="windows of 70 px do not fit scenes of 64 px"):
        windows(torch.zeros(1, 64, 64), 70, 1, generator(1, 1, CPU))


def test_pictures_are_normalised_together():
    random = generator(1, 2, CPU)
    clean = 100 * torch.rand(64, 32, 32, generator=random)
    noisy = torch.poisson(clean, generator=random)
    given, target = as_run(noisy, clean, random)
    assert given.shape == target.shape == (64, 1, 32, 32)
    assert given.mean(dim=(1, 2, 3)).abs().max() < 0.45
    assert 0.7 < given.std(dim=(1, 2, 3)).min() < given.std(dim=(1, 2, 3)).max() < 1.4
    ratio = (given - target)[:, 0] / (noisy - clean)
    assert (ratio.amax(dim=(1, 2)) / ratio.amin(dim=(1, 2)) < 1.01).all()  # one scale for both


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_picture_of_one_level_does_not_blow_up_its_target(level):
    clean = torch.rand(8, 32, 32, generator=generator(1, 3, CPU))
    _, target = as_run(torch.full_like(clean, level), clean, generator(1, 3, CPU))
    assert target.isfinite().all()
    assert target.abs().max() < 20
