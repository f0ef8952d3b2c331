"""`restore` on multislice specimens: rows move where they have moved, and nowhere else."""

import numpy as np
import pytest

import stemzoo
from training.evaluation.cases import CASE_SEED, coloured, jittered, specimen_scenes
from training.evaluation.colours import COLOURS, white

# Most rows of the particle show vacuum; the pilots of the others have the largest errors.
HARD = ("au-110-twin-coarse", "au-particle-coarse", "laalo3-srtio3-coarse", "srtio3-001-coarse")


def scene(name):
    return next(each for each in specimen_scenes() if each.name == name)


def rows_of(noisy):
    return stemzoo.restore(noisy, details=True, fast_axis="x").rows[:, 1]


@pytest.mark.parametrize("peak", [300.0, 30_000.0])
@pytest.mark.parametrize("name", HARD)
def test_rows_of_a_still_frame_stay(name, peak):
    noisy, _ = coloured(scene(name), white, peak, CASE_SEED + 350)
    assert not rows_of(noisy).any()


def test_rows_stay_under_smoothed_noise():
    smoothed = COLOURS["smoothed by 0.9 px"]
    for peak in (5.0, 30.0):
        noisy, _ = coloured(scene("au-particle-coarse"), smoothed, peak, CASE_SEED + 500)
        assert not rows_of(noisy).any()


@pytest.mark.parametrize("name", HARD)
def test_rows_that_have_moved_are_found(name):
    for peak in (300.0, 30_000.0):
        noisy, _ = jittered(scene(name), 0.3, peak, CASE_SEED + 400)
        assert 0.2 < np.std(rows_of(noisy)) < 0.6
