"""Where the drift may be, and how probable each place is."""

import numpy as np
import pytest

from stemzoo.candidates import STRIDE, UNLIKELY, between, log_prior, weighed

FIELD = (256, 320)
SHIFTS = np.array([(3.0, -4.0), (20.5, 1.0), (-14.0, 37.5)])


def flat(value=0.0):
    return np.full((91, 111), value, np.float32)


def test_a_surface_is_read_between_its_pixels():
    y, x = np.mgrid[-45:46, -55:56]
    found = between(2.0 * y - 3.0 * x, SHIFTS)
    np.testing.assert_allclose(found, 2 * SHIFTS[:, 0] - 3 * SHIFTS[:, 1], atol=1e-9)


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
    logits = SHIFTS @ (0.1, 0.02) / STRIDE + log_prior(SHIFTS, FIELD)
    expected = np.sort(np.exp(logits) / np.exp(logits).sum())[::-1]
    np.testing.assert_allclose(found.probability, expected, rtol=1e-4)


def test_what_is_too_unlikely_is_not_told():
    odds = flat()
    odds[45 + 1 : 45 + 3, 55 - 3 : 55 - 1] = -np.log(UNLIKELY) + 10
    assert len(weighed(SHIFTS, odds, FIELD).shifts) == 1


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
