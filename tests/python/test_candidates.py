"""Where the drift may be, and how probable each place is."""

import numpy as np
import pytest

from stemzoo.registration.candidates import (
    DOUBT,
    NEAR,
    STRIDE,
    Expected,
    between,
    is_sharp,
    lags,
    log_prior,
    middle,
    plain_answer,
    prior_surface,
    weighed,
    with_likeliest,
)

FIELD = (256, 320)
SHIFTS = np.array([(3.0, -4.0), (20.5, 1.0), (-14.0, 37.5)])


def flat(value=0.0):
    return np.full((91, 111), value, np.float32)


def test_a_surface_is_read_between_its_pixels():
    y, x = np.mgrid[-45:46, -55:56]
    found = between(2.0 * y - 3.0 * x, SHIFTS)
    np.testing.assert_allclose(found, 2 * SHIFTS[:, 0] - 3 * SHIFTS[:, 1], atol=1e-9)


def test_a_coarse_surface_has_the_same_places():
    y, x = np.mgrid[-45:46, -55:56]
    odds = -np.hypot(4 * y - SHIFTS[1, 0], 4 * x - SHIFTS[1, 1])
    assert weighed(SHIFTS, odds, FIELD, 0.0, 4).shifts[0] == pytest.approx(SHIFTS[1])
    prior = prior_surface((45, 55), (80, 100), FIELD, 4)
    assert np.isfinite(prior).sum() == 41 * 51
    odds = flat()
    odds[45 + 10, 55 - 15] = 50.0
    np.testing.assert_array_equal(with_likeliest(SHIFTS, odds, prior, 4), [*SHIFTS, (40, -60)])
    beside = np.array([(40 + 1.2 * NEAR, -60 - 1.2 * NEAR)])
    np.testing.assert_array_equal(with_likeliest(beside, odds, prior, 4), beside)


def test_the_middle_of_a_surface_has_its_shifts():
    y, x = np.mgrid[-45:46, -55:56]
    for axis, whole in enumerate((y, x)):
        found = middle(whole.astype("f4"), (3, 7))
        assert found.shape == (7, 15)
        assert found[3, 7] == 0
        assert np.ptp(found) == (6, 14)[axis]


def test_beyond_a_surface_its_edge_counts():
    y, _ = np.mgrid[-45:46, -55:56]
    found = between(y.astype(float), np.array([(45.0, 55.0), (400.0, 0.0), (-400.0, -400.0)]))
    np.testing.assert_allclose(found, (45, 45, -45), atol=2e-3)


def test_probabilities_sum_to_one_best_first():
    odds = flat()
    odds[45 + 10, 55] = odds[45 + 11, 55] = 4.0  # at (20 to 22, 0) px
    found = weighed(SHIFTS, odds, FIELD)
    np.testing.assert_array_equal(found.shifts[0], SHIFTS[1])
    assert found.probability.sum() == pytest.approx(1)
    assert (np.diff(found.probability) <= 0).all()


def test_probabilities_are_those_of_the_log_odds_and_what_was_known_before():
    y, x = np.mgrid[-45:46, -55:56]
    odds = (0.1 * y + 0.02 * x).astype("f4")
    found = weighed(SHIFTS, odds, FIELD)
    before = np.exp(log_prior(SHIFTS, FIELD))
    told = before * np.exp(SHIFTS @ (0.1, 0.02) / STRIDE)
    # Unless the features mislead, and then it is what was known before.
    expected = (1 - DOUBT) * told / told.sum() + DOUBT * before / before.sum()
    expected = np.sort(expected)[::-1]
    np.testing.assert_allclose(found.probability, expected, rtol=1e-4)


def test_no_evidence_is_beyond_doubt():
    odds = flat()
    odds[45 + 1 : 45 + 3, 55 - 3 : 55 - 1] = 1e6  # at the first shift
    found = weighed(SHIFTS, odds, FIELD)
    assert 1 - DOUBT < found.probability[0] < 1
    assert len(found.shifts) == 3


def test_what_is_too_unlikely_is_not_told():
    far = np.array([(0.0, 0.0), (2.0, 0.0), (1e5, 1e5)])
    assert len(weighed(far, flat(), FIELD).shifts) == 2


def test_the_likeliest_shift_is_a_candidate_where_no_peak_is_near():
    extent = (45, 55)
    prior = prior_surface(extent, (80, 100), FIELD)
    odds = flat()
    odds[45 + 20, 55 - 30] = 50.0
    found = with_likeliest(SHIFTS, odds, prior)
    np.testing.assert_array_equal(found, [*SHIFTS, (40, -60)])
    beside = np.array([(40 + 0.6 * NEAR, -60 - 0.6 * NEAR)])
    np.testing.assert_array_equal(with_likeliest(beside, odds, prior), beside)
    np.testing.assert_array_equal(with_likeliest(SHIFTS, flat(), prior), SHIFTS)
    np.testing.assert_array_equal(with_likeliest(SHIFTS[:0], odds, prior), [(40, -60)])


def test_no_shift_beyond_the_reach_is_likely():
    extent = lags((20, 30), FIELD)
    prior = prior_surface(extent, (20, 30), FIELD)
    assert prior.shape == (2 * extent[0] + 1, 2 * extent[1] + 1)
    y, x = np.nonzero(np.isfinite(prior))
    assert (np.ptp(y) + 1, np.ptp(x) + 1) == (21, 31)  # every other pixel up to 20 and 30
    assert prior.max() == prior[extent] == 0


def test_lags_are_shorter_than_the_features_of_a_frame():
    assert lags((300, 300), (64, 70)) == (31, 31)
    assert lags((300, 300), (64, 73), 4) == (15, 17)


@pytest.mark.parametrize("level", [0.0, 3000.0, -3000.0])
def test_only_differences_of_log_odds_count(level):
    found = weighed(SHIFTS, flat(level), FIELD)
    np.testing.assert_allclose(
        found.probability, weighed(SHIFTS, flat(), FIELD).probability, rtol=1e-6
    )


def test_short_drifts_are_likelier_and_none_is_impossible():
    lengths = log_prior(np.array([(0.0, 0.0), (5.0, 0.0), (0.0, 20.0), (85.0, 0.0)]), (256, 256))
    assert lengths[0] == 0
    assert (np.diff(lengths) < 0).all()
    assert lengths[-1] == pytest.approx(-8, abs=0.5)


LATTICE = np.array([(4.0, 1.0, 9.0, 0.2), (-7.0, 1.0, 8.9, 0.2), (15.0, 1.0, 8.8, 0.05)])


def test_a_peak_that_stands_alone_needs_no_features():
    assert plain_answer(LATTICE, None) is None
    assert plain_answer(np.array([(4, 1, 9, 0.2), (-7, 1, 4.4, 0.2)]), None) == 0
    beside = np.array([(4, 1, 9, 0.2), (5, 1, 8.5, 0.2), (-7, 1, 4.4, 0.2)])  # of one broad peak
    assert plain_answer(beside, None) == 0
    assert plain_answer(LATTICE[:0], None) is None


def test_where_a_drift_is_expected_only_one_peak_may_lie():
    assert plain_answer(LATTICE, Expected((-6.8, 1.2), (0.5, 0.5))) == 1
    assert plain_answer(LATTICE, Expected((-1.5, 1.0), (0.5, 0.5))) is None  # between two
    assert plain_answer(LATTICE, Expected((-6.8, 1.2), (3.0, 3.0))) is None  # too unsure


def test_a_broad_peak_does_not_say_where_it_is():
    assert is_sharp(LATTICE, (4.2, 1.1))
    assert not is_sharp(LATTICE, (15.0, 1.0))
    assert not is_sharp(LATTICE, (0.0, 1.0))
    assert not is_sharp(LATTICE[:0], (0.0, 0.0))
