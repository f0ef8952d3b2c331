"""Looks at frames, features' log-odds and peaks, beside a few lines of NumPy."""

import numpy as np
import pytest
from look_reference import look
from moving_specimens import crystal, pair, particle

from stemzoo import _core

SHAPES = [(128, 128), (96, 152), (101, 131), (32, 48), (62, 61)]


def frames(shape):
    yield pair(crystal(shape, spread=0.2), (0, 0), shape, dose=20)[0]
    yield pair(particle(shape, 7.0), (0, 0), shape, dose=100)[0]
    yield np.random.default_rng(3).normal(5, 2, shape).astype("f4")


@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_looks_are_those_of_the_reference(shape, stride):
    for frame in frames(shape):
        expected = look(frame.astype("f8"), stride)
        found, _ = _core.look(frame, stride, 1)
        assert found.shape == (3, shape[0] // 8 * 8 // stride, shape[1] // 8 * 8 // stride)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=5e-3)


def test_a_shared_scene_is_worth_more_than_noise():
    scene, _, noise = (_worth(_core.look(frame)[0]) for frame in frames((128, 128)))
    assert noise < 0.3 < scene


def _worth(seen):
    return np.abs(seen[2]).sum() / np.abs(seen[0]).sum()


@pytest.mark.parametrize("dose", [1, 100])
def test_a_lattice_without_faults_leaves_only_noise(dose):
    """However high it is: what is left is as strong as noise, and frames have none in common."""
    scene = crystal((256, 256), spread=0.0)
    frames = pair(scene, (0, 0), (256, 256), dose=dose)
    rests = [_core.look(frame)[0][0] for frame in frames]
    noise = _core.look(np.random.default_rng(1).poisson(dose, (256, 256)).astype("f4"))[0][0]
    for rest in rests:
        assert rest.std() == pytest.approx(noise.std(), rel=0.15)
    assert abs(np.corrcoef(*(rest.ravel() for rest in rests))[0, 1]) < 0.05


def test_only_a_coarse_lattice_shows_all_at_a_coarse_look():
    for spacing, needed in ((8, 2), (24, 4)):
        y, x = np.mgrid[:256, :256] * (2 * np.pi / spacing)
        frame = np.random.default_rng(2).poisson(3 + np.cos(y + 0.2 * x) + np.cos(x)).astype("f4")
        assert [_core.look(frame, stride)[1] for stride in (2, 4)] == [needed, needed]
    assert _core.look(np.ones((64, 64), "f4"))[1] == 2


def test_looks_have_two_strides():
    with pytest.raises(ValueError, match="stride is 3; expected 2 or 4"):
        _core.look(np.zeros((64, 64), "f4"), 3)
    with pytest.raises(ValueError, match="frame is 15 x 64 pixels; expected at least 16"):
        _core.look(np.zeros((15, 64), "f4"), 2)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_log_odds_are_sums_over_overlaps(count):
    first, second = np.random.default_rng(count).normal(size=(2, count, 15, 22)).astype("f4")
    made = [_core.Features(maps, (6, 4), 1) for maps in (first, second)]
    found = _core.log_odds(*made, 1)
    assert found.shape == (13, 9)
    signs = np.where(np.arange(count) < count / 2, 1.0, -1.0)[:, None, None]
    for dy in range(-6, 7):
        for dx in range(-4, 5):
            here = np.s_[:, max(0, -dy) : 15 - max(0, dy), max(0, -dx) : 22 - max(0, dx)]
            there = np.s_[:, max(0, dy) : 15 + min(0, dy), max(0, dx) : 22 + min(0, dx)]
            expected = (signs * first[here] * second[there]).sum()
            assert found[dy + 6, dx + 4] == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(_core.log_odds(*made[::-1], 1), found[::-1, ::-1], atol=1e-4)


def test_features_that_do_not_fit_are_refused():
    maps = np.zeros((2, 8, 9), "f4")
    with pytest.raises(ValueError, match=r"there are 3 features; expected one, or an even number"):
        _core.Features(np.zeros((3, 8, 9), "f4"), (2, 2))
    with pytest.raises(ValueError, match=r"2 dimension\(s\); expected \(maps, rows, columns\)"):
        _core.Features(maps[0], (2, 2))
    with pytest.raises(ValueError, match="differ in size, number or reach"):
        _core.log_odds(_core.Features(maps, (2, 2)), _core.Features(maps, (2, 3)))


def test_peaks_are_the_highest_places_of_the_correlation():
    still, moved = pair(crystal(spread=0.1), (4.4, -3.2), dose=50)
    made = [_core.DriftFrame(frame - frame.mean(), None, 1) for frame in (still, moved)]
    found = _core.peaks(*made, (30, 24), 100, 1)[:, :2]
    # One for each lattice vector, and no others.
    places = [(4.4 + 11 * a, -3.2 + 11 * b) for a in range(-3, 3) for b in range(-1, 3)]
    for place in places:
        assert np.hypot(*(found - place).T).min() < 0.35, place
    assert np.abs(found).max(0) == pytest.approx((28.6, 18.8), abs=0.4)
    for shift in found:
        cells = (shift - (4.4, -3.2)) / 11
        assert np.abs(cells - cells.round()).max() < 0.05
    np.testing.assert_array_equal(_core.peaks(*made, (30, 24), 4, 1)[:, :2], found[:4])


def test_overlap_correlation_is_pearsons():
    still, moved = pair(crystal(spread=0.1), (4, -3), dose=50)
    made = [_core.DriftFrame(frame, None, 1) for frame in (still, moved)]
    expected = np.corrcoef(still[:-4, 3:].ravel(), moved[4:, :-3].ravel())[0, 1]
    assert _core.overlap_correlation(*made, (4.2, -2.7)) == pytest.approx(expected, abs=1e-5)
    assert _core.overlap_correlation(*made, (200.0, 0.0)) == 0


@pytest.mark.parametrize("shift", [(np.nan, 0.0), (0.0, np.inf), (-np.inf, np.nan)])
def test_no_overlap_is_asked_for_at_a_drift_that_is_no_number(shift):
    frame = _core.DriftFrame(np.random.default_rng(3).random((32, 40)), None, 1)
    with pytest.raises(ValueError, match=r"drift is \(.*expected two finite numbers of pixels"):
        _core.overlap_correlation(frame, frame, shift)
    assert _core.overlap_correlation(frame, frame, (1e300, 0.0)) == 0
