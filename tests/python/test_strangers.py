"""A frame that shows nothing of its series is rejected, and the others stay.

The stand-in for a micrograph carries its own noise through the series, as crops of one do: where it
correlates best with a frame of noise moves along with it, and all pairs agree.
"""

import numpy as np
import pytest
from drifting_series import steps
from moving_specimens import crystal

import stemzoo
from stemzoo.alignment.strangers import strangers_by_average, strangers_by_pairs
from stemzoo.registration.answers import CHANCE, UNKNOWN, Drift

SIDE, FRAMES, MARGIN = 128, 20, 24
MODELS = ["drift-lattice", None]


def micrograph(seed):
    side = SIDE + 2 * MARGIN
    clean = crystal((side, side), period=12.3, spread=0.2).image((side, side))
    return clean + np.random.default_rng(seed).normal(0, 0.15, clean.shape)


def series(seed, bad, dose=None):
    """Crops of a micrograph along a path, of which those `bad` are noise."""
    random = np.random.default_rng(seed)
    path = np.rint(steps(FRAMES, seed, size=1.5)).clip(-MARGIN, MARGIN).astype(int)
    scene = micrograph(seed)
    tops = MARGIN - path
    frames = np.stack([scene[y : y + SIDE, x : x + SIDE] for y, x in tops])
    if dose:
        frames = random.poisson(np.maximum(frames, 0) / frames.mean() * dose).astype(float)
    for at in bad:
        frames[at] = random.normal(frames.mean(), frames.std(), (SIDE, SIDE))
    return frames, path.astype(float)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("seed", "bad", "dose"),
    [
        (0, [7], None),
        (1, [7], None),
        (2, [0], None),
        (3, [19], 10),
        (4, [7, 8], None),
        (5, [3, 12], 3),
    ],
)
def test_frames_of_noise_are_rejected_and_their_neighbours_stay(model, seed, bad, dose):
    frames, path = series(seed, bad, dose)
    found = stemzoo.align(frames, model, threads=1)
    assert np.flatnonzero(found.rejected).tolist() == bad
    assert np.isnan(found.shifts[bad]).all()
    good = ~found.rejected
    assert not found.ambiguous[good].any()
    off = (found.shifts - path)[good]
    np.testing.assert_allclose(off - off[0], 0, atol=0.3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dose", [1, None])
def test_a_series_without_strangers_keeps_all_its_frames(model, dose):
    frames, path = series(6, [], dose)
    found = stemzoo.align(frames, model, threads=1)
    assert not found.rejected.any()
    np.testing.assert_allclose(found.shifts, path, atol=0.5)


@pytest.mark.parametrize("model", MODELS)
def test_a_resumed_alignment_knows_its_strangers(model, tmp_path):
    frames, _ = series(0, [7])
    for _ in range(2):
        found = stemzoo.align(frames, model, resume=tmp_path / "pairs.npz", threads=1)
        assert np.flatnonzero(found.rejected).tolist() == [7]


def drifts(frames, unlike):
    """All pairs, of which those for which unlike(first, second) correlate by chance."""
    return {
        (one, two): Drift(1, 1, (0.1, 0.1), False, 0.5, (), CHANCE if unlike(one, two) else "")
        for two in range(frames)
        for one in range(two)
    }


def test_a_frame_whose_pairs_are_all_chance_is_a_stranger_where_others_are_not():
    found = strangers_by_pairs(drifts(9, lambda *ends: 4 in ends), 9)
    assert np.flatnonzero(found).tolist() == [4]
    one_is_enough = drifts(9, lambda *ends: 4 in ends and ends != (3, 4))
    assert not strangers_by_pairs(one_is_enough, 9).any()


def test_where_few_pairs_stand_out_nobody_is_a_stranger():
    assert not strangers_by_pairs(drifts(9, lambda *ends: True), 9).any()
    assert not strangers_by_pairs(drifts(9, lambda *ends: ends != (2, 5)), 9).any()
    assert not strangers_by_pairs({(0, 1): UNKNOWN}, 2).any()


def test_beside_the_average_a_stranger_correlates_as_chance_does():
    scores = np.array([0.5, 0.6, 0.02, np.nan, 0.4, 0.5, 0.6])
    chances = np.where(np.isnan(scores), np.nan, 0.01)
    assert np.flatnonzero(strangers_by_average(scores, chances)).tolist() == [2]
    assert not strangers_by_average(scores / 10, chances).any()  # half of the usual is chance, too
    scores[4] = 0.045  # beyond chance, and less than a tenth of what the others have
    assert np.flatnonzero(strangers_by_average(scores, chances / 2)).tolist() == [2, 4]
    assert not strangers_by_average(np.full(3, np.nan), np.full(3, np.nan)).any()
