"""Which drifts are expected, once the first few pairs of a frame agree."""

import math

import numpy as np
import pytest
from drifting_series import SHAPE, drifting

from stemzoo.alignment.foresight import Foresight, is_first
from stemzoo.registration.answers import UNKNOWN, Drift
from stemzoo.registration.pair import Estimator, Expected

PATH = np.array([(0.0, 0.0), (1.0, -2.0), (3.0, -1.0), (4.5, 0.5), (5.0, 3.0)])


def drift(still, at, off=(0.0, 0.0), ambiguous=False):
    dy, dx = PATH[at] - PATH[still] + off
    return Drift(dy, dx, (0.1, 0.1), ambiguous, math.nan, ())


def seen(foresight, frames):
    for at in range(1, frames):
        assert foresight.see(at, {i: drift(i, at) for i in range(at) if is_first(at - i)})


def test_frames_are_first_compared_with_near_and_far_ones():
    assert [apart for apart in range(1, 65) if is_first(apart)] == [1, 3, 9, 27]


def test_drifts_of_frames_that_agree_are_expected():
    foresight = Foresight(5)
    assert foresight.expected(0, 1) is None
    seen(foresight, 5)
    for still, at in [(0, 3), (1, 4)]:
        np.testing.assert_allclose(foresight.expected(still, at).shift, PATH[at] - PATH[still])


@pytest.mark.parametrize(
    "wrong", [drift(3, 4, off=(20, 0)), drift(3, 4, off=(0, 1.6)), drift(3, 4, ambiguous=True)]
)
def test_nothing_is_expected_of_a_frame_whose_pairs_contradict_or_doubt(wrong):
    foresight = Foresight(5)
    seen(foresight, 4)
    assert not foresight.see(4, {0: drift(0, 4), 2: drift(2, 4), 3: wrong})
    assert foresight.expected(1, 4) is None


def test_most_of_all_pairs_place_a_frame_for_those_after_it():
    foresight = Foresight(5)
    seen(foresight, 3)
    wrong = drift(2, 3, off=(20, 0))
    foresight.look_back(3, {0: drift(0, 3), 1: drift(1, 3), 2: wrong})
    assert foresight.expected(0, 3) is None  # two thirds are not most
    foresight.look_back(3, {still: drift(still, 3) for still in range(3)})
    np.testing.assert_allclose(foresight.expected(0, 3).shift, PATH[3])


def test_frames_that_cannot_be_compared_have_no_place():
    foresight = Foresight(5)
    seen(foresight, 2)
    assert not foresight.see(2, {0: UNKNOWN, 1: UNKNOWN})
    assert not foresight.see(3, {2: drift(2, 3)})
    assert foresight.expected(2, 3) is None


def test_a_drift_is_confirmed_by_the_peak_where_it_is_expected():
    judge = Estimator(SHAPE, None, threads=1)
    still, moving = (judge.frame(image) for image in drifting([(0, 0), (3.4, -5.7)]))
    found = judge.confirmed(still, moving, Expected((3.0, -5.5), (0.3, 0.3)))
    assert found is not None
    assert not found.ambiguous
    np.testing.assert_allclose((found.dy, found.dx), (3.4, -5.7), atol=0.15)
    assert judge.confirmed(still, moving, Expected((1.0, -8.5), (0.3, 0.3))) is None
    blank = judge.frame(np.zeros(SHAPE, np.float32))
    assert judge.confirmed(still, blank, Expected((0.0, 0.0), (0.3, 0.3))) is None
