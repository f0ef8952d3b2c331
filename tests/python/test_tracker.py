"""A tracker follows, predicts, renews its reference, and knows how well it does.

What a tracker makes of answers, whatever the frames, is tested in tests/cpp/test_tracker.cpp.
"""

import math

import numpy as np
import pytest
from drifting_series import drifting
from moving_specimens import crystal

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.registration.answers import CHANCE


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


def test_a_blank_frame_says_nothing():
    random = np.random.default_rng(4)
    image = random.random((48, 48))
    track = stemzoo.DriftTracker(image, model=None)
    assert math.isnan(track.push(np.zeros((48, 48))).dy)
    again = track.push(image)
    assert (again.dy, again.dx) == pytest.approx((0, 0), abs=0.05)


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


def test_the_prediction_makes_nothing_of_noise():
    specimen = perovskite((128, 128), 1)
    resolved = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        views = [expose(specimen.image((128, 128), (k, 0)), 100, random) for k in range(3)]
        track = stemzoo.DriftTracker(views[0], None)
        assert not any(track.push(view).ambiguous for view in views[1:])
        assert track.push(np.ones((128, 128), np.float32)).ambiguous
        for _ in range(3):
            found = track.push(random.poisson(9, (128, 128)))
            assert found.ambiguous != found.resolved
            resolved += found.resolved
    assert resolved <= 1  # by chance, of 60


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


IMAGE = np.random.default_rng(0).random((40, 48))


def started(times=()):
    track = stemzoo.DriftTracker(IMAGE, None)
    for time in times:
        track.push(IMAGE, time)
    return track


def test_the_rate_is_known_from_the_second_position_on():
    track = started()
    assert all(map(math.isnan, track.rate))
    assert track.rate_sigma == (math.inf, math.inf)
    first = track.predict()
    assert (first.dy, first.dx) == (0, 0)
    assert first.sigma == (13, 13)  # a third of the frame
    track.push(IMAGE)
    assert track.rate == pytest.approx((0, 0), abs=0.05)
    assert max(track.rate_sigma) < 13


def test_a_frame_that_cannot_be_used_is_named_and_changes_nothing():
    track = started([None] * 8)
    before = track.predict()
    with pytest.raises(
        ValueError, match=r"frame has shape \(40, 40\) and the reference \(40, 48\)"
    ):
        track.push(np.ones((40, 40)))
    with pytest.raises(ValueError, match=r"frame holds NaN or inf.*masked_invalid\(frame\)"):
        track.push(np.where(np.indices(IMAGE.shape).sum(0) == 30, np.nan, IMAGE))
    with pytest.raises(ValueError, match=r"time is 9.0, and the frames before had none"):
        track.push(IMAGE, time=9.0)
    with pytest.raises(ValueError, match=r"time is 3, before the last frame's 8"):
        track.predict(3)
    assert track.predict() == before


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ((1.0, None), "time is None, and the frames before had one"),
        ((1.0, 1.0), "expected one after the last frame's 1.0"),
        ((5.0, 1.0), "expected one after the last frame's 5.0"),
        ((5.0, math.nan), "time is nan"),
        ((math.inf,), "time is inf"),
    ],
)
def test_time_runs_one_way(times, message):
    *good, bad = times
    track = started(good)
    with pytest.raises(ValueError, match=message):
        track.push(IMAGE, bad)


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
