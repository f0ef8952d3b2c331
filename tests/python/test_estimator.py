"""The classical estimator, and what every estimator is: signs, troubles, doubts, threads.

How often the network tells lattice vectors apart is a figure in its card.
"""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from moving_specimens import crystal, pair, particle
from small_models import features

import stemzoo
from stemzoo.common.errors import ModelError
from stemzoo.inference.model import Model
from stemzoo.model_file.contract import LOOK
from stemzoo.registration.pair import Estimator

SHIFT = (5.3, -7.6)
SPECIMENS = {"particle": particle(), "strong defects": crystal(spread=0.3)}


def classical(reference, moving, **settings):
    return stemzoo.drift(reference, moving, None, **settings)


def require_near(found, shift, within=0.5):
    assert math.dist((found.dy, found.dx), shift) < within, found
    assert not found.ambiguous
    told = [candidate.probability for candidate in found.candidates]
    assert sum(told) <= 0.2 + 1e-6
    assert told == sorted(told, reverse=True)


@pytest.fixture(scope="module", params=SPECIMENS)
def frames(request):
    return pair(SPECIMENS[request.param], SHIFT)


def test_the_drift_is_how_far_features_moved(frames):
    there, back = classical(*frames), classical(*frames[::-1])
    require_near(there, SHIFT, within=0.1)
    assert 0.5 < there.score <= 1
    assert math.dist((there.dy, there.dx), SHIFT) < 5 * math.hypot(*there.sigma)
    assert (back.dy, back.dx) == pytest.approx((-there.dy, -there.dx), abs=0.02)
    assert back.sigma == pytest.approx(there.sigma, rel=0.2)


def test_a_frame_has_not_moved_from_itself(frames):
    require_near(classical(frames[0], frames[0]), (0, 0), within=1e-3)


STRIPES = np.random.default_rng(7).normal(0, 20, 128)


def hot(frame):
    frame[40, 50] = 1e4


def very_hot_in_a_corner(frame):
    frame[0, 127] = 1e7


def stripes_down(frame):
    frame += STRIPES


def stripes_across(frame):
    frame += STRIPES[:, None]


def constant_rows(frame):
    frame[60:63] = 500


def dead_column(frame):
    frame[:, 30] = 0


def border_of_nan(frame):
    frame[:12] = np.nan
    frame[:, -9:] = np.nan


@pytest.mark.parametrize(
    "trouble",
    [
        hot,
        very_hot_in_a_corner,
        stripes_down,
        stripes_across,
        constant_rows,
        dead_column,
        border_of_nan,
    ],
    ids=lambda trouble: trouble.__name__,
)
def test_what_stands_still_on_the_detector_does_not_count(frames, trouble):
    spoilt = [frame.copy() for frame in frames]
    for frame in spoilt:
        trouble(frame)
    require_near(classical(*spoilt), SHIFT)


def test_borders_of_nan_on_other_sides(frames):
    still, moved = (frame.copy() for frame in frames)
    still[:20] = np.nan
    moved[:, :25] = np.nan
    require_near(classical(still, moved), SHIFT)


def test_masked_pixels_say_nothing(frames):
    masks = [np.zeros(frame.shape, bool) for frame in frames]
    masks[0][30:50, 70:80] = masks[1][50:58, 20:60] = True
    first, second = (
        [np.where(mask, value, frame) for mask, frame in zip(masks, frames, strict=True)]
        for value in (np.nan, 1e5)
    )
    found = [classical(*map(np.ma.MaskedArray, spoilt, masks)) for spoilt in (first, second)]
    require_near(found[0], SHIFT)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: 3 * frame + 40,
        lambda frame: -frame,
        lambda frame: frame.astype("f8") + 1e6,
        lambda frame: frame.astype("f8") * 1e30,
    ],
)
def test_brightness_says_nothing(frames, change):
    require_near(classical(change(frames[0]), change(frames[1])), SHIFT)


def test_frames_may_differ_in_brightness(frames):
    require_near(classical(frames[0], 3 * frames[1] + 40), SHIFT)
    require_near(classical(frames[0].astype("f8") + 1e6, frames[1]), SHIFT)


@pytest.mark.parametrize("specimen", SPECIMENS)
def test_doses_may_differ(specimen):
    require_near(classical(*pair(SPECIMENS[specimen], SHIFT, ratio=3)), SHIFT)
    require_near(classical(*pair(SPECIMENS[specimen], SHIFT, ratio=1 / 3)), SHIFT)


@pytest.mark.parametrize("specimen", SPECIMENS)
def test_a_third_of_the_frame_is_within_reach(specimen):
    start, far = (-20.1, 20.2), (41.3, -40.2)  # so that the particle stays in view
    frames = pair(SPECIMENS[specimen], np.add(start, far), start=start)
    found = classical(*frames)
    if specimen == "particle":
        require_near(found, far)
    else:  # a fifth of the crystal is left in common: too little to be sure without a network
        assert found.ambiguous or math.dist((found.dy, found.dx), far) < 0.5
    found = classical(*frames, max_shift=30)
    assert max(abs(found.dy), abs(found.dx)) < 34


@pytest.mark.parametrize("shape", [(101, 103), (97, 160), (131, 64), (127, 90), (61, 90)])
def test_frames_of_any_shape(shape):
    require_near(classical(*pair(particle(shape, 7.0), SHIFT, shape)), SHIFT)
    require_near(classical(*pair(crystal(shape, spread=0.3), SHIFT, shape)), SHIFT)


def test_a_perfect_lattice_is_ambiguous_and_the_truth_among_its_candidates():
    found = classical(*pair(crystal(), SHIFT, dose=5))
    assert found.ambiguous
    others = [(dy, dx) for dy, dx, _ in found.candidates]
    assert min(math.dist(shift, SHIFT) for shift in [(found.dy, found.dx), *others]) < 0.3
    assert 0.3 < sum(candidate.probability for candidate in found.candidates) <= 1
    assert all(math.dist(shift, (found.dy, found.dx)) > 2 for shift in others)


@pytest.mark.parametrize("level", [0, 0.1, 3.5, 1e6 + 0.1])
def test_blank_frames_have_no_drift(frames, level):
    blank = np.full(frames[0].shape, level)
    for given in ((frames[0], blank), (blank, frames[1]), (blank, blank)):
        found = classical(*given)
        assert found.ambiguous
        assert math.isnan(found.dy)
        assert found.sigma == (math.inf, math.inf)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_sure_drift(seed):
    random = np.random.default_rng(seed)
    assert classical(*random.poisson(3, (2, 128, 128))).ambiguous
    assert classical(*random.normal(size=(2, 96, 130))).ambiguous


@pytest.mark.parametrize("shape", [(2, 2), (15, 64), (64, 15)])
def test_frames_under_sixteen_pixels_are_too_small(shape):
    frame = np.random.default_rng(2).random(shape)
    found = classical(frame, frame)
    assert found.ambiguous
    assert math.isnan(found.dx)


@pytest.mark.parametrize("shape", [(16, 16), (17, 300), (19, 16)])
def test_small_frames_have_an_answer(shape):
    frame = np.random.default_rng(2).random(shape)
    found = classical(frame, frame)
    assert (found.dy, found.dx) == pytest.approx((0, 0), abs=0.1)


def test_an_unrefined_answer_is_near_and_says_so(frames):
    estimator = Estimator((128, 128), None)
    still, moved = map(estimator.frame, frames)
    found = estimator.pair(still, moved, refined=False)
    assert math.dist((found.dy, found.dx), SHIFT) < 0.5
    assert min(found.sigma) > 0.1
    assert found.candidates == estimator.pair(still, moved).candidates[: len(found.candidates)]


def test_threads_share_an_estimator(frames):
    estimator = Estimator((128, 128), None, threads=1)
    alone = [estimator.frame(frame) for frame in frames]
    expected = estimator.pair(*alone)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(estimator.frame, [frames[0], frames[1]] * 4))
        found = list(pool.map(estimator.pair, made[::2], made[1::2]))
        found += pool.map(estimator.pair, alone[:1] * 4, alone[1:] * 4)
    assert all(answer == expected for answer in found)
    assert Estimator((128, 128), None, threads=3).pair(*alone) == expected


def test_a_pair_is_what_drift_says(frames):
    estimator = Estimator((128, 128), None, max_shift=20)
    assert estimator.pair(*map(estimator.frame, frames)) == classical(*frames, max_shift=20)


def test_a_network_that_does_as_the_classical_way_says_the_same(frames, tmp_path):
    path = tmp_path / "features.onnx"
    path.write_bytes(features())
    found = stemzoo.drift(*frames, Model(path, threads=1))
    expected = classical(*frames)
    assert (found.dy, found.dx) == pytest.approx((expected.dy, expected.dx), abs=1e-3)
    assert found.ambiguous == expected.ambiguous
    with pytest.raises(ValueError, match=r"drift-test reads .* not images; use stemzoo\.drift"):
        Model(path, threads=1)(frames[0])


@pytest.mark.parametrize("max_shift", [0, -1, 40, 2.5, (3, 4), True])
def test_a_wrong_max_shift_says_what_is_right(max_shift):
    with pytest.raises(ValueError, match="expected a whole number of pixels from 1 to 39"):
        Estimator((40, 48), None, max_shift=max_shift)


def test_max_shift_is_a_third_of_the_frame_or_what_is_asked():
    assert Estimator((96, 128), None).max_shift == 32
    assert Estimator((96, 128), None, max_shift=np.int64(95)).max_shift == 95


def test_a_frame_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"live has shape \(40, 48\); expected \(48, 40\)"):
        Estimator((48, 40), None).frame(np.zeros((40, 48)), "live")


def test_networks_that_read_surfaces_make_no_features():
    with pytest.raises(ValueError, match="vasudevan-drift reads correlations, and makes no feat"):
        Estimator((64, 64), "vasudevan-drift")
    with pytest.raises(ValueError, match="denoise-live is a model for denoise; drift needs"):
        Estimator((64, 64), "denoise-live")


@pytest.mark.parametrize(
    ("kind", "advice"), [(0, "use a later version of the model"), (2, "use a later stemzoo")]
)
def test_networks_that_read_other_looks_are_refused(kind, advice, tmp_path):
    assert LOOK == 1
    path = tmp_path / "other.onnx"
    path.write_bytes(features(look=kind))
    with pytest.raises(ModelError, match=rf"reads looks of kind {kind}, .* kind 1; {advice}"):
        Estimator((64, 64), Model(path))


def test_fine_features_are_only_made_where_coarse_ones_leave_doubt():
    estimator = Estimator((256, 256), None)
    for spread, strides in ((0.0, {2, 4}), (0.3, {4})):
        scene = crystal((256, 256), period=12.5, spread=spread)
        still, moved = map(estimator.frame, pair(scene, SHIFT, (256, 256)))
        estimator.pair(still, moved)
        assert {stride for stride in (2, 4) if still.has_features(stride)} == strides, spread


def test_a_drift_does_not_change(frames):
    with pytest.raises(dataclasses.FrozenInstanceError):
        classical(*frames).dy = 0


def test_a_short_reach_knows_as_well_what_stands_out():
    """Chance is judged by shifts that are not asked for, too."""
    shape = (256, 256)
    still, moved = pair(crystal(shape, spread=0.1), (3.0, -4.0), shape, dose=3)
    for reach in (85, 14):
        estimator = Estimator(shape, None, max_shift=reach)
        found = estimator.pair(estimator.frame(still), estimator.frame(moved))
        assert not found.ambiguous
        assert np.hypot(found.dy - 3, found.dx + 4) < 0.5
