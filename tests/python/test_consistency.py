"""Which drifts of pairs agree, and what path follows: numbers only."""

from dataclasses import replace

import numpy as np
import pytest
from pair_measurements import NOISE, VECTORS, banded, measured, walk

from stemzoo.alignment.consistency import consistent_path
from stemzoo.alignment.least_squares import solve_differences

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("frames", "band"), [(2, 1), (30, 29), (130, 20), (500, 5)])
def test_blocks_solve_what_the_whole_matrix_solves(frames, band):
    random = np.random.default_rng(0)
    first, second = banded(frames, band)
    weights = random.uniform(0.5, 2, (len(first), 2))
    differences = random.normal(size=(len(first), 2))
    pinned = frames // 3
    positions, variances = solve_differences(first, second, differences, weights, frames, pinned)
    rows = np.arange(len(first))
    for axis in range(2):
        design = np.zeros((len(first), frames))
        design[rows, second], design[rows, first] = 1, -1
        design = np.delete(design, pinned, 1)
        normal = design.T @ (weights[:, axis, None] * design)
        expected = np.linalg.solve(normal, design.T @ (weights[:, axis] * differences[:, axis]))
        found = np.delete(positions[:, axis], pinned)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
        variance = np.diagonal(np.linalg.inv(normal))
        np.testing.assert_allclose(np.delete(variances[:, axis], pinned), variance, rtol=1e-4)
    assert not positions[pinned].any()


@pytest.mark.parametrize("others", [0, 4])
@pytest.mark.parametrize(("frames", "band"), [(30, 29), (120, 10)])
@pytest.mark.parametrize("seed", range(4))
def test_a_fifth_of_hopped_pairs_leaves_an_exact_path(frames, band, others, seed):
    path = walk(frames, seed)
    pairs = measured(path, band, seed, others=others, noise=0)
    found = consistent_path(pairs, frames)
    np.testing.assert_allclose(found.positions, path, atol=1e-4)
    assert not found.rejected.any()


@pytest.mark.parametrize("seed", range(4))
def test_hopped_pairs_are_corrected_where_they_know_better_and_left_out_where_not(seed):
    path = walk(20, seed)
    with_others = measured(path, 19, seed, noise=NOISE / 2)  # no error beyond the gate
    true = path[with_others.second] - path[with_others.first]
    hopped = np.abs(with_others.shifts[:, 0] - true).max(1) > 1
    assert hopped.any()
    found = consistent_path(with_others, 20)
    np.testing.assert_array_equal(found.used > 0, hopped)
    assert (found.used[~hopped] == 0).all()
    rows = np.arange(len(true))
    np.testing.assert_allclose(with_others.shifts[rows, found.used], true, atol=0.5)
    without = measured(path, 19, seed, others=0, noise=NOISE / 2)
    hopped = np.abs(without.shifts[:, 0] - true).max(1) > 1
    np.testing.assert_array_equal(consistent_path(without, 20).used, np.where(hopped, -1, 0))


def test_with_candidates_two_fifths_may_hop():
    for seed in range(4):
        path = walk(25, seed)
        found = consistent_path(measured(path, 24, seed, hops=0.4), 25)
        np.testing.assert_allclose(found.positions, path, atol=0.3)


def test_two_frames_are_what_their_pair_says():
    pairs = measured(walk(2, 0), 1, 0, hops=0)
    found = consistent_path(pairs, 2)
    np.testing.assert_allclose(found.positions, [(0, 0), pairs.shifts[0, 0]])
    np.testing.assert_allclose(found.sigma, [(0, 0), (NOISE, NOISE)], rtol=1e-4)
    assert not found.rejected.any()
    assert not found.ambiguous.any()


def test_three_frames_that_contradict_each_other_are_ambiguous():
    pairs = measured(walk(3, 0), 2, 0, hops=0, others=0)
    pairs.shifts[1, 0] += VECTORS[0]
    found = consistent_path(pairs, 3)
    assert found.ambiguous[1:].all()


def test_a_frame_whose_pairs_are_all_wrong_is_rejected():
    path = walk(24, 1)
    pairs = measured(path, 23, 1)
    bad = (pairs.first == 7) | (pairs.second == 7)
    random = np.random.default_rng(2)
    pairs.shifts[bad] = random.uniform(-60, 60, pairs.shifts[bad].shape)
    found = consistent_path(pairs, 24)
    assert np.flatnonzero(found.rejected).tolist() == [7]
    assert np.isnan(found.positions[7]).all()
    assert np.isnan(found.sigma[7]).all()
    assert (found.used[bad] == -1).all()
    np.testing.assert_allclose(np.delete(found.positions - path, 7, 0), 0, atol=0.3)


def test_when_the_first_frame_is_rejected_the_next_is_where_the_path_starts():
    path = walk(20, 1)
    pairs = measured(path, 19, 1)
    bad = pairs.first == 0
    pairs.shifts[bad] = np.random.default_rng(2).uniform(-60, 60, pairs.shifts[bad].shape)
    found = consistent_path(pairs, 20)
    assert np.flatnonzero(found.rejected).tolist() == [0]
    np.testing.assert_allclose(found.positions[1:], path[1:] - path[1], atol=0.3)
    assert not found.positions[1].any()


def test_pairs_that_were_not_measured_are_not_missed():
    path = walk(20, 3)
    pairs = measured(path, 19, 3)
    random = np.random.default_rng(4)
    gone = random.random(len(pairs)) < 0.4
    pairs.shifts[gone, 0] = np.nan
    pairs.sigma[gone] = np.inf
    found = consistent_path(pairs, 20)
    np.testing.assert_allclose(found.positions, path, atol=0.3)
    assert (found.used[gone] == -1).all()
    kept = np.flatnonzero(~gone)
    np.testing.assert_array_equal(consistent_path(pairs[kept], 20).positions, found.positions)


def test_a_frame_without_pairs_is_rejected():
    pairs = measured(walk(9, 3), 8, 3, hops=0)
    found = consistent_path(pairs[(pairs.first != 4) & (pairs.second != 4)], 9)
    assert np.flatnonzero(found.rejected).tolist() == [4]


def test_of_two_series_without_a_link_the_longer_has_places():
    pairs = measured(walk(20, 3), 19, 3, hops=0)
    apart = (pairs.first < 6) == (pairs.second < 6)
    found = consistent_path(pairs[apart], 20)
    assert np.flatnonzero(found.rejected).tolist() == list(range(6))


def test_nothing_measured_places_the_first_frame_alone():
    pairs = measured(walk(3, 0), 2, 0)
    found = consistent_path(pairs[np.zeros(3, bool)], 3)
    assert found.rejected.tolist() == [False, True, True]


def test_a_series_of_ambiguous_pairs_has_a_path_and_says_that_it_may_be_another():
    path = walk(20, 5)
    pairs = measured(path, 19, 5)
    found = consistent_path(replace(pairs, sure=np.zeros(len(pairs), bool)), 20)
    np.testing.assert_allclose(found.positions, path, atol=0.3)
    assert found.ambiguous[1:].all()
    assert not found.rejected.any()


def test_one_sure_pair_a_frame_is_enough_not_to_be_ambiguous():
    pairs = measured(walk(20, 5), 19, 5, hops=0)
    found = consistent_path(replace(pairs, sure=pairs.second - pairs.first == 1), 20)
    assert not found.ambiguous.any()
    without_ten = replace(
        pairs, sure=(pairs.second - pairs.first == 1) & (pairs.first != 10) & (pairs.second != 10)
    )
    found = consistent_path(without_ten, 20)
    # Both halves are sure within themselves; the frames from 10 on may all be elsewhere.
    assert np.flatnonzero(found.ambiguous).tolist() == list(range(10, 20))


def test_frames_that_drifted_out_of_reach_say_nothing():
    """Their pairs give lattice vectors at random, and are most pairs of the first and the last."""
    frames, reach = 40, 15.0
    path = walk(frames, 6) * 0.2 + np.arange(frames)[:, None] * (2.5, 1.0)
    path -= path[0]
    pairs = measured(path, frames - 1, 6, hops=0, others=0)
    far = np.abs(path[pairs.second] - path[pairs.first]).max(1) > reach
    random = np.random.default_rng(1)
    pairs.shifts[far, 0] = random.uniform(-reach, reach, (far.sum(), 2))
    found = consistent_path(pairs, frames, reach)
    np.testing.assert_allclose(found.positions, path, atol=0.4)
    assert not found.rejected.any()
    assert not found.ambiguous.any()


@pytest.mark.parametrize(
    ("noise", "own", "sigma"),
    [
        (0.05, 0.0, 0.05),  # errors of pairs
        (0.0, 0.05, 0.0707),  # errors of frames, which pairs share: residuals show none of them
        (0.04, 0.02, 0.049),  # both
        (0.3, 0.0, 0.1),  # pairs that claim to be three times surer than they are
    ],
)
@pytest.mark.parametrize(("frames", "band"), [(16, 15), (60, 6)])
def test_sigma_is_what_the_errors_are(noise, own, sigma, frames, band):
    scaled = []
    for seed in range(24):
        path = walk(frames, seed)
        pairs = measured(path, band, seed, hops=0.1, noise=noise, own=own, sigma=sigma)
        found = consistent_path(pairs, frames)
        assert not found.rejected.any()
        scaled.append((found.positions - path)[1:] / found.sigma[1:])
    # Errors of one series share those of its first frame: 48 independent ones, known to 10 %.
    assert 0.75 < np.sqrt(np.mean(np.square(scaled))) < 1.25


def test_a_hop_is_no_reason_to_think_less_of_sigma():
    for seed in range(10):
        path = walk(6, seed)
        pairs = measured(path, 5, seed, hops=0, others=0)
        pairs.shifts[3, 0] += VECTORS[seed % len(VECTORS)]
        found = consistent_path(pairs, 6)
        np.testing.assert_allclose(found.positions, path, atol=0.3)
        assert (found.sigma < 0.1).all()


def test_surer_pairs_count_more():
    path = walk(3, 0)
    pairs = measured(path, 2, 0, hops=0, others=0, noise=0)
    pairs.sigma[1] = 1.0  # the pair of the first and the last
    pairs.shifts[1, 0] += 0.5
    found = consistent_path(pairs, 3)
    np.testing.assert_allclose(found.positions, path, atol=0.01)


def test_a_long_series_is_solved_like_a_short_one():
    path = walk(2000, 8)
    found = consistent_path(measured(path, 8, 8, others=2), 2000)
    assert not found.rejected.any()
    steps = np.diff(found.positions - path, axis=0)
    assert np.abs(steps).max() < 0.5
