"""A tracker follows, predicts, renews its reference, and knows how well it does.

Where the question is what a tracker makes of answers, a stand-in gives them.
"""

import math

import numpy as np
import pytest
from drifting_series import drifting
from moving_specimens import crystal

import stemzoo
from stemzoo.registration import tracker
from stemzoo.registration.doubt import CHANCE
from stemzoo.registration.motion import Motion
from stemzoo.registration.pair import Candidate, Drift

REACH = 16
SIGMA = (0.1, 0.2)
LIKENESS = 0.7  # of frames, wherever the stand-in is asked for it
NOTHING = Drift(math.nan, math.nan, (math.inf, math.inf), True, 0.0, ())


def sure(dy, dx, sigma=SIGMA):
    return Drift(dy, dx, sigma, False, 0.9, ())


def open_question(*shifts):
    """The first shift is the answer, at 0.4, and the others may as well be."""
    first, *others = shifts
    told = tuple(Candidate(*shift, 0.6 / len(others)) for shift in others)
    return Drift(*first, SIGMA, True, 0.8, told)


@pytest.fixture
def answers(monkeypatch):
    """What the estimator says of one frame after the other; each frame's first pixel names it.

    `answers.references` are the names of the references it was asked about.
    """

    class Answers(list):
        pass

    given = Answers()

    class Estimator:
        def __init__(self, shape, model, *, max_shift, threads):
            self.max_shift = max_shift

        def frame(self, image, name):
            return int(image[0, 0])

        def pair(self, reference, moving, *, expected=None):
            given.references.append(reference)
            return given.pop(0)

        def likeness(self, reference, moving, shift):
            return LIKENESS

        def beyond_chance(self, reference, moving, shift):
            return given.alike

    given.references = []
    given.alike = True
    monkeypatch.setattr(tracker, "Estimator", Estimator)
    return given


def frame(name=0):
    image = np.zeros((64, 64))
    image[0, 0], image[1, 1] = name, 1
    return image


def started(**options):
    return stemzoo.DriftTracker(frame(), max_shift=REACH, **options)


def pushed(track, answers, *drifts):
    """Push a frame for every answer; the frames are named 1, 2, ..."""
    answers.extend(drifts)
    return [track.push(frame(name + 1)) for name in range(len(drifts))]


def test_it_follows_frames_beyond_its_reach_and_back():
    specimen = drifting([(0, 0)], shape=(400, 400))[0]
    walk = [(9 * k, -5 * k) for k in range(1, 14)]
    path = walk + walk[-2::-1]

    def seen(dy, dx):
        return specimen[180 - dy : 276 - dy, 150 - dx : 246 - dx]

    track = stemzoo.DriftTracker(seen(0, 0), model=None, max_shift=24)
    found = [track.push(seen(*shift)) for shift in path]
    assert max(map(max, path)) > 4 * 24
    np.testing.assert_allclose([(d.dy, d.dx) for d in found], path, atol=0.3)
    assert not any(d.ambiguous or d.resolved for d in found)
    assert track.rate == pytest.approx((-9, 5), abs=0.3)


def test_the_reference_is_renewed_halfway_and_errors_add_in_quadrature(answers):
    track = started()
    found = pushed(track, answers, sure(8, 3), sure(2, 8.5), sure(3, 1), sure(-9, 0), sure(1, 1))
    assert answers.references == [0, 0, 2, 2, 4]
    places = [(d.dy, d.dx) for d in found]
    assert places == [(8, 3), (2, 8.5), (5, 9.5), (-7, 8.5), (-6, 9.5)]
    for drift, links in zip(found, (1, 1, 2, 2, 3), strict=True):
        assert drift.sigma == pytest.approx(tuple(s * math.sqrt(links) for s in SIGMA))
    assert track.predict().sigma > found[-1].sigma


@pytest.mark.parametrize("shape", [(64, 64), (30, 64)])
def test_the_reference_is_never_renewed_unless_the_share_is_passed(answers, shape):
    """The share is of max_shift, but of a third of the field where that is less."""
    image = np.eye(*shape)
    track = stemzoo.DriftTracker(image, max_shift=20, renew=0.8)
    answers.extend(
        [sure(0, 0.79 * min(20, shape[0] // 3)), sure(-0.81 * min(20, shape[0] // 3), 0)]
    )
    for name in (1, 2):
        image[0, 0] = name
        track.push(image)
    answers.append(sure(0, 0))
    track.push(image)
    assert answers.references == [1, 1, 2]


def test_with_renew_none_the_first_reference_stays(answers):
    pushed(started(renew=None), answers, sure(15, 0), sure(15, 0))
    assert answers.references == [0, 0]


@pytest.mark.parametrize("far", [NOTHING, open_question((12, 0), (-12, 0))])
def test_no_reference_is_taken_that_is_blank_or_ambiguous(answers, far):
    track = started()
    found = pushed(track, answers, sure(1, 0), far, sure(1, 0))
    assert answers.references == [0, 0, 0]
    assert found[1].ambiguous
    assert found[2].dy == 1


def test_what_says_nothing_changes_nothing(answers):
    track = started()
    pushed(track, answers, sure(1, -2), sure(2, -4))
    rate, known, later = track.rate, track.rate_sigma, track.predict(4)
    (nothing,) = pushed(track, answers, NOTHING)
    assert math.isnan(nothing.dy)
    assert nothing.sigma == (math.inf, math.inf)
    assert nothing.ambiguous
    assert (track.rate, track.rate_sigma) == (rate, known)
    assert track.predict() == later  # time has passed, though


def test_a_blank_frame_says_nothing():
    random = np.random.default_rng(4)
    image = random.random((48, 48))
    track = stemzoo.DriftTracker(image, model=None)
    assert math.isnan(track.push(np.zeros((48, 48))).dy)
    again = track.push(image)
    assert (again.dy, again.dx) == pytest.approx((0, 0), abs=0.05)


def test_rate_and_prediction_of_a_steady_drift(answers):
    track = started(renew=None)
    assert all(map(math.isnan, track.rate))
    assert track.rate_sigma == (math.inf, math.inf)
    first = track.predict()
    assert (first.dy, first.dx) == (0, 0)
    assert first.sigma == (REACH, REACH)
    pushed(track, answers, *(sure(0.5 * k, -0.25 * k) for k in range(1, 13)))
    assert track.rate == pytest.approx((0.5, -0.25), abs=0.01)
    assert max(track.rate_sigma) < 0.3
    expected = track.predict()
    assert (expected.dy, expected.dx) == pytest.approx((6.5, -3.25), abs=0.02)
    assert track.predict(20).sigma > expected.sigma


def test_rates_are_per_unit_of_the_times_given(answers):
    track = started(renew=None)
    answers.extend(sure(0.5 * k, 0) for k in range(8))
    for k in range(8):
        track.push(frame(k), time=100 + 0.25 * k)
    assert track.rate == pytest.approx((2, 0), abs=0.05)
    assert track.predict().dy == pytest.approx(4, abs=0.05)
    assert track.predict(time=103).dy == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("jolt", [0.0, 0.1, 1.0])
def test_two_thirds_of_predictions_hold_within_one_sigma(jolt):
    """On the motion the filter is made for; on a steadier one it may only be too careful."""
    random = np.random.default_rng(7)
    held = []
    for _ in range(60):
        motion, place, rate = Motion(0, (0, 0), (0, 0), 80), np.zeros(2), random.normal(0, 3, 2)
        for time in range(1, 50):
            before, rate = rate, rate + random.normal(0, jolt, 2)
            place = place + (before + rate) / 2
            if time > 5:
                for axis, true in zip(motion.at(time), place, strict=True):
                    held.append(abs(axis.position - true) < math.sqrt(axis.position_variance))
            motion.measure(time, tuple(random.normal(place, 0.1)), (0.1, 0.1))
    assert np.mean(held) > 0.64
    assert jolt == 0 or np.mean(held) < 0.72


STEADY = [sure(0.5 * k, 0) for k in range(1, 9)]  # the next is at (4.5, 0)


def test_a_prediction_chooses_among_lattice_vectors(answers):
    track = started(renew=None)
    right = open_question((-5.5, 0), (4.6, 0.1), (14.5, 0), (4.5, 10))
    found = pushed(track, answers, *STEADY, right)[-1]
    assert (found.dy, found.dx) == (4.6, 0.1)
    assert found.resolved
    assert not found.ambiguous
    assert found.score == LIKENESS
    assert found.sigma > SIGMA  # a candidate is not as exact as an answer
    assert found.candidates[0] == pytest.approx((-5.5, 0, 0.4))
    told = [candidate.probability for candidate in found.candidates[1:]]
    assert told == pytest.approx([0.2, 0.2])
    assert track.predict().dy == pytest.approx(5, abs=0.15)


def test_a_prediction_chooses_nothing_that_chance_makes(answers):
    answers.alike = False
    found = pushed(started(renew=None), answers, *STEADY, open_question((-5.5, 0), (4.6, 0.1)))[-1]
    assert (found.ambiguous, found.resolved, found.dy) == (True, False, -5.5)


def test_a_frame_of_noise_has_no_place_and_changes_nothing():
    shape, step = (128, 128), np.array([0.8, -0.5])
    scene = crystal(shape, spread=0.3)
    track = stemzoo.DriftTracker(scene.image(shape), model=None)
    for number in range(1, 6):
        track.push(scene.image(shape, number * step))
    found = track.push(np.random.default_rng(0).random(shape))
    assert found.ambiguous
    assert found.reason == CHANCE
    again = track.push(scene.image(shape, 7 * step))
    assert not again.ambiguous
    assert math.dist((again.dy, again.dx), 7 * step) < 0.1


def test_the_answer_itself_may_be_the_one_expected(answers):
    found = pushed(started(), answers, *STEADY, open_question((4.5, 0), (-5.5, 0)))[-1]
    assert (found.dy, found.sigma, found.score, found.resolved) == (4.5, SIGMA, 0.8, True)


def test_candidates_are_since_the_first_reference_too(answers):
    track = started()
    pushed(track, answers, *(sure(4 * k, 0) for k in (1, 2, 3)), sure(4, 0), sure(8, 0))
    found = pushed(track, answers, open_question((2, 0), (12, 0)))[-1]
    assert answers.references[-1] == 3
    assert (found.dy, found.resolved) == (24, True)
    assert found.candidates == (pytest.approx((14, 0, 0.4)),)


@pytest.mark.parametrize(
    "shifts",
    [
        [(-5.5, 0), (14.5, 0)],  # neither is expected
        [(4.4, 0), (4.6, 0)],  # both are
        [(-5.5, 0)],
    ],
)
def test_what_a_prediction_does_not_settle_stays_ambiguous(answers, shifts):
    track = started()
    before = [*STEADY, open_question(*shifts)]
    found = pushed(track, answers, *before)[-1]
    assert found.ambiguous
    assert not found.resolved
    assert (found.dy, found.dx) == shifts[0]
    assert [(dy, dx) for dy, dx, _ in found.candidates] == shifts[1:]
    assert track.predict().dy == pytest.approx(5, abs=0.05)


@pytest.mark.parametrize(("deviations", "resolved"), [(5, False), (7, True)])
def test_a_prediction_must_rule_out_all_other_candidates(answers, deviations, resolved):
    """A candidate not far enough from the expected place is a hop that would not be noticed."""
    track = started()
    pushed(track, answers, *STEADY)
    expected = track.predict()
    away = deviations * math.hypot(expected.sigma[0], SIGMA[0])
    open_still = open_question((4.5, 0), (expected.dy + away, 0))
    assert pushed(track, answers, open_still)[0].resolved == resolved


def test_the_score_of_a_resolved_frame_is_the_correlation_where_it_was_put():
    """The eighth frame, looked at without a prediction, fits at every lattice vector."""
    shape, step = (128, 128), np.array([1.5, -1.0])
    uneven, even = crystal(shape, spread=0.3), crystal(shape)
    track = stemzoo.DriftTracker(uneven.image(shape), model=None)
    for number in range(1, 8):
        track.push(uneven.image(shape, number * step))
    found = track.push(even.image(shape, 8 * step))
    assert found.resolved
    assert math.dist((found.dy, found.dx), 8 * step) < 1
    assert 0.8 < found.score <= 1
    told = [candidate.probability for candidate in found.candidates]
    assert told == sorted(told, reverse=True)
    assert sum(told) <= 1 + 1e-9


def test_nothing_is_settled_before_the_rate_is_known(answers):
    track = started()
    found = pushed(track, answers, open_question((1, 0)), open_question((1, 0), (60, 0)))
    assert all(d.ambiguous for d in found)


def test_a_frame_that_cannot_be_used_is_named_and_changes_nothing(answers):
    track = started()
    pushed(track, answers, *STEADY)
    before = track.predict()
    with pytest.raises(
        ValueError, match=r"frame has shape \(64, 60\) and the reference \(64, 64\)"
    ):
        track.push(np.ones((64, 60)))
    with pytest.raises(ValueError, match=r"time is 9.0, and the frames before had none"):
        track.push(frame(), time=9.0)
    with pytest.raises(ValueError, match=r"time is 3, before the last frame's 8"):
        track.predict(3)
    assert track.predict() == before


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ((1.0, None), "time is None, and the frames before had one"),
        ((1.0, 1.0), "expected a finite one, after the last frame's 1.0"),
        ((5.0, 1.0), "expected a finite one, after the last frame's 5.0"),
        ((5.0, math.nan), "time is nan"),
        ((math.inf,), "time is inf"),
    ],
)
def test_time_runs_one_way(answers, times, message):
    track = started()
    *good, bad = times
    answers.extend(sure(0, 0) for _ in times)
    for time in good:
        track.push(frame(), time)
    with pytest.raises(ValueError, match=message):
        track.push(frame(), bad)


IMAGE = np.random.default_rng(0).random((40, 48))


@pytest.mark.parametrize(
    ("reference", "options", "message"),
    [
        (IMAGE[0], {}, r"reference has shape \(48,\); expected a 2-D image"),
        (IMAGE[:0], {}, "holds no pixels"),
        (IMAGE.astype("c8"), {}, "reference has dtype complex64"),
        (np.full((40, 40), 3), {}, "every pixel of reference is 3"),
        (IMAGE, {"renew": 0}, "renew is 0; expected a share of max_shift"),
        (IMAGE, {"renew": 1.5}, "renew is 1.5"),
        (IMAGE, {"renew": math.nan}, "renew is nan"),
    ],
)
def test_a_tracker_that_cannot_start_says_why(reference, options, message):
    with pytest.raises(ValueError, match=message):
        stemzoo.DriftTracker(reference, model=None, **options)
