"""Pairs of crystals: sign of the drift, defects, disturbances, Cramer-Rao bound, and scores."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from stemzoo.registration.pair import Candidate, Drift
from training.evaluation.models.drift_trials import Trial, compared, drawn, setups, summary, trials
from training.simulate.bound import bound, information, overlap, slope
from training.simulate.crystal_pairs import FINE_PER_PIXEL, MOVING_SHAPES, SPECIMEN_KINDS
from training.simulate.disturbances import Disturbance, record_pair
from training.simulate.hexagons import GaussianColumns, picture
from training.simulate.lattice_pairs import (
    BACKGROUND,
    LATTICE_CASES,
    ScenePairs,
    draw_lattices,
    on_background,
)
from training.simulate.scan import EDGE, coefficients, sample

pytestmark = pytest.mark.slow

INNER = slice(EDGE, -EDGE)


def _random(seed=1):
    return torch.Generator().manual_seed(seed)


def _ramp(axis, size=64, batch=1):
    """A scene with a slope of 0.01 per px, so that pixel values give the sampled position."""
    place = torch.arange(size + 2 * EDGE) / 100
    wide = (place[:, None] if axis == 0 else place).expand(batch, len(place), len(place))
    return ScenePairs(1 + wide, 1 + wide, torch.zeros(batch, 2))


def _read_at(frame, dose, axis):
    """Sampled minus nominal position of each pixel of a frame of a ramp."""
    place = (frame.double() / dose - 1) * 100 - EDGE
    pixel = torch.arange(frame.shape[-1], dtype=torch.float64)
    return place - (pixel[:, None] if axis == 0 else pixel)


@pytest.mark.parametrize("case", [*LATTICE_CASES, *SPECIMEN_KINDS, *MOVING_SHAPES])
def test_features_move_by_the_drift(case):
    scenes = drawn(case, 2, _random(), max_drift=8.0)
    assert scenes.drift.abs().max() <= 8
    # moving(r) = reference(r - d), by interpolation.
    back = -scenes.drift[:, :, None, None].expand(2, 2, scenes.size, scenes.size)
    moved = sample(coefficients(scenes.reference), back)
    error = (moved - scenes.moving[:, INNER, INNER]).abs()
    # The spline rounds sharp edges.
    assert error.mean() < (0.04 if case in MOVING_SHAPES else 2e-3)
    wrong = sample(coefficients(scenes.reference), -back)
    assert (wrong - scenes.moving[:, INNER, INNER]).abs().mean() > 4 * error.mean()


@pytest.mark.parametrize("case", ["one vacancy", "perovskites", "islands"])
def test_scenes_follow_from_their_seed(case):
    first, again, other = (drawn(case, 2, _random(seed)) for seed in (4, 4, 5))
    assert torch.equal(first.moving, again.moving)
    assert not torch.equal(first.moving, other.moving)


@pytest.mark.parametrize("name", SPECIMEN_KINDS)
def test_a_dose_is_that_of_a_crystal_without_faults(name, monkeypatch):
    faulty = drawn(name, 4, _random(), max_drift=4.0)
    monkeypatch.setitem(
        SPECIMEN_KINDS, name, replace(SPECIMEN_KINDS[name], defects={}, border="none", film=False)
    )
    perfect = drawn(name, 4, _random(), max_drift=4.0)
    brightest = perfect.reference.amax(dim=(1, 2))
    assert brightest.mean() == pytest.approx(1, abs=0.01)
    assert faulty.reference.amax(dim=(1, 2)).mean() > 1.05


def test_unknown_cases_are_refused():
    with pytest.raises(ValueError, match="no scenes of 'two vacancies'; expected one of finite"):
        drawn("two vacancies", 1, _random())


def test_drifts_of_shapes_are_whole_fine_pixels():
    steps = FINE_PER_PIXEL * drawn("writing", 3, _random(), max_drift=6.0).drift
    assert (steps - steps.round()).abs().max() < 1e-5


@pytest.mark.parametrize("reach", [16.0, 85.0])
def test_the_vacancy_is_in_both_frames(reach):
    pure, faulty = (
        draw_lattices(case, 4, _random(), max_drift=reach)
        for case in ("pure lattice", "one vacancy")
    )
    assert torch.equal(pure.drift, faulty.drift)
    lost_at = []
    for whole, less in ((pure.reference, faulty.reference), (pure.moving, faulty.moving)):
        lost = (whole - less)[:, INNER, INNER]
        assert lost.amax(dim=(1, 2)).min() > 0.8  # one column, whole
        far = lost.flatten(1).sum(1) / lost.amax(dim=(1, 2))
        assert far.max() < 2 * math.pi * (0.24 * 24) ** 2 * 1.2  # and no other
        place = lost.flatten(1).argmax(1)
        lost_at.append(torch.stack([place // 256, place % 256], -1))
    assert (lost_at[1] - lost_at[0] - pure.drift).abs().max() <= 1


@pytest.mark.parametrize("reach", [16.0, 85.0])
def test_the_particle_lies_inside_both_frames(reach):
    scenes = draw_lattices("finite particle", 8, _random(), max_drift=reach)
    for scene in (scenes.reference, scenes.moving):
        frame = scene[:, INNER, INNER]
        for edge in (frame[:, 0], frame[:, -1], frame[:, :, 0], frame[:, :, -1]):
            assert edge.max() < BACKGROUND + 0.02
        assert frame.amax(dim=(1, 2)).min() > 0.8


def test_columns_spread_by_a_tenth():
    columns = GaussianColumns(*(torch.ones(4, 5000) for _ in range(3)), torch.ones(4))
    factor = LATTICE_CASES["column-intensity spread"](columns, torch.zeros(4, 2), 256, _random())
    assert factor.mean() == pytest.approx(1, abs=0.005)
    assert factor.std() == pytest.approx(0.1, rel=0.03)


def test_counts_are_poisson_at_the_dose():
    flat = torch.full((2, 160, 160), 0.5)
    pairs = record_pair(
        ScenePairs(flat, flat, torch.zeros(2, 2)), 20.0, _random(), Disturbance(ratio=4.0)
    )
    for frames, mean in ((pairs.reference, 10.0), (pairs.moving, 2.5)):
        assert frames.mean().item() == pytest.approx(mean, rel=0.02)
        assert frames.var().item() == pytest.approx(mean, rel=0.05)
    assert not torch.equal(pairs.reference[0], pairs.reference[1])


def test_rows_jitter_along_both_axes_apart_in_both_frames():
    for axis in (0, 1):
        pairs = record_pair(_ramp(axis, 256), 1e9, _random(axis), Disturbance(jitter=0.5))
        rows = [_read_at(frame, 1e9, axis)[0] for frame in (pairs.reference, pairs.moving)]
        for off in rows:
            assert off.std(dim=1).max() < 0.05  # a row as a whole
            assert off.mean(dim=1).std().item() == pytest.approx(0.5, rel=0.2)
        first, second = (off.mean(dim=1) for off in rows)
        assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 0.3


def test_only_the_moving_frame_is_scaled_about_its_middle():
    pairs = record_pair(_ramp(1, batch=8), 1e9, _random(), Disturbance(scale=0.02))
    assert _read_at(pairs.reference, 1e9, 1).abs().max() < 0.05
    off = _read_at(pairs.moving, 1e9, 1).mean(dim=1)
    assert off.mean(dim=1).abs().max() < 0.01
    slopes = (off[:, -1] - off[:, 0]) / 63
    assert slopes.abs().allclose(torch.full((8,), 0.02, dtype=torch.float64), atol=1e-3)
    assert slopes.min() < 0 < slopes.max()


def test_drift_in_the_scan_grows_from_row_to_row():
    axes = [
        _read_at(
            record_pair(_ramp(axis), 1e9, _random(), Disturbance(stretch=0.02)).moving, 1e9, axis
        )
        for axis in (0, 1)
    ]
    along = [off[0].mean(dim=1) for off in axes]
    assert math.hypot(*(float(off[-1] - off[0]) for off in along)) == pytest.approx(
        0.02 * 64, rel=0.05
    )
    assert all(abs(float(off.mean())) < 0.02 for off in along)


def test_stripes_are_the_same_in_both_frames():
    flat = torch.full((1, 160, 160), 1.0)
    pairs = record_pair(
        ScenePairs(flat, flat, torch.zeros(1, 2)), 1e6, _random(), Disturbance(stripes=0.2)
    )
    first, second = pairs.reference[0] / 1e6, pairs.moving[0] / 1e6
    assert (first - second).abs().max() < 0.01
    assert first.mean(0).std().item() == pytest.approx(0.2, rel=0.25)
    assert first.mean(1).std().item() == pytest.approx(0.2, rel=0.25)


def test_hot_pixels_and_constant_rows():
    flat = torch.full((20, 96, 96), 1.0)
    scenes = ScenePairs(flat, flat, torch.zeros(20, 2))
    pairs = record_pair(scenes, 100.0, _random(), Disturbance(hot=100.0))
    spots = [(frames == 1e4).flatten(1) for frames in (pairs.reference, pairs.moving)]
    assert all((spot.sum(1) == 1).all() for spot in spots)
    same = (spots[0].int().argmax(1) == spots[1].int().argmax(1)).float().mean()
    assert 0.2 < same < 0.8
    pairs = record_pair(scenes, 100.0, _random(), Disturbance(constant=5))
    for frames in (pairs.reference, pairs.moving):
        assert ((frames.std(dim=2) == 0).sum(1) == 5).all()


def test_brightness_and_borders():
    flat = torch.full((20, 96, 96), 1.0)
    trouble = Disturbance(gain=2.0, offset=1.0, blank=24)
    pairs = record_pair(ScenePairs(flat, flat, torch.zeros(20, 2)), 1e4, _random(), trouble)
    means = pairs.moving.nanmean(dim=(1, 2)) / 1e4
    assert (((means - 3).abs() < 0.02) | ((means - 1.5).abs() < 0.02)).all()
    for frames in (pairs.reference, pairs.moving):
        assert frames.isnan().any()
        assert frames[:, 24:-24, 24:-24].isfinite().all()


def test_the_bound_is_that_of_finite_differences():
    size, step, dose = 64, 0.05, 7.0
    full = size + 2 * EDGE
    spots = torch.tensor([[full / 2 - 7.3, full / 2 + 4.9]])
    columns = GaussianColumns(
        spots, spots.flip(1) + 0.4, torch.tensor([[1.0, 0.6]]), torch.tensor([1.6])
    )

    def seen(dy, dx):
        return on_background(picture(columns, full, torch.tensor([[dy, dx]])))

    scenes = ScenePairs(seen(0.0, 0.0), seen(0.3, -0.2), torch.tensor([[0.3, -0.2]]))
    variance = np.zeros(2)
    for dy, dx in ((0.0, 0.0), (0.3, -0.2)):
        here = seen(dy, dx).double()
        slopes = [
            (seen(dy + y, dx + x).double() - seen(dy - y, dx - x).double()) / (2 * step)
            for y, x in ((step, 0), (0, step))
        ]
        fisher = [[float((dose * a * b / here).sum()) for a in slopes] for b in slopes]
        variance += np.diag(np.linalg.inv(fisher))
    found = bound(information(scenes), (dose, dose))[0].numpy()
    np.testing.assert_allclose(found, np.sqrt(variance), rtol=0.01)


def test_the_bound_of_rows_that_jitter():
    rows, worth, dose, jitter = 100, 3.0, 2.0, 0.5
    alike = worth * torch.eye(2, dtype=torch.float64).expand(2, 1, rows, 2, 2)
    still = 1 / (rows * worth * dose) + 1 / (rows * worth * 3 * dose)
    shaken = still + 2 * jitter**2 / rows  # the mean of so many rows, in each frame
    assert bound(alike, (dose, 3 * dose)).square().tolist()[0] == pytest.approx([still] * 2)
    assert bound(alike, (dose, 3 * dose), jitter).square().tolist()[0] == pytest.approx(
        [shaken] * 2
    )


@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_an_estimate_on_the_counts_reaches_the_bound(jitter):
    dose = 30.0
    scenes = draw_lattices("column-intensity spread", 80, _random(), size=96, max_drift=2.0)
    pairs = record_pair(scenes, dose, _random(2), Disturbance(jitter=jitter))
    rows = information(scenes)
    displaced = []
    frames = (scenes.reference, pairs.reference, 1), (scenes.moving, pairs.moving, -1)
    for (scene, counts, sign), fisher in zip(frames, rows.sum(2), strict=True):
        ideal = scene.double()
        weight = overlap(sign * scenes.drift, scenes.size) / ideal[:, INNER, INNER]
        left = counts.double() / dose - ideal[:, INNER, INNER]
        slopes = (slope(ideal, axis)[:, INNER, INNER] for axis in (1, 2))
        score = torch.stack([(weight * along * left).sum((1, 2)) for along in slopes], -1)
        displaced.append(torch.linalg.solve(fisher, score))  # one step of Fisher scoring
    error = (displaced[1] - displaced[0]) / bound(rows, (dose, dose), jitter)
    assert error.square().mean().sqrt().item() == pytest.approx(1, abs=0.15)  # of 160: 6 % rms


def test_nobody_knows_a_drift_of_nothing_or_along_an_edge():
    flat = torch.full((1, 96, 96), 1.0)
    edge = torch.where(torch.arange(96) < 48, 0.2, 1.0).expand(1, 96, 96)
    for scene in (flat, edge):
        found = bound(information(ScenePairs(scene, scene, torch.zeros(1, 2))), (10.0, 10.0))
        assert found.isinf().all()


@pytest.mark.parametrize(
    ("case", "median"),
    [("finite particle", 0.076), ("one vacancy", 0.043)],
)
def test_lattices_are_as_well_known_as_they_should_be(case, median):
    scenes = draw_lattices(case, 30, _random())
    found = float(bound(information(scenes), (1.0, 1.0)).median())
    assert found == pytest.approx(median, rel=0.25)  # of 30: their spacings alone make 7 % rms


def test_every_cell_has_its_trials_from_its_own_seed():
    assert {setup.count for setup in setups() if setup.group in ("lattices", "unseen")} == {200}
    setup = next(setup for setup in setups(smoke=True) if setup.label == "borders of NaN")
    (label, first), (_, second) = trials(setup)
    assert label == "borders of NaN"
    assert np.ma.isMaskedArray(first.moving)
    assert first.moving.dtype == np.float32
    assert not np.array_equal(first.drift, second.drift)


def _trial():
    frame = np.zeros((4, 4), np.float32)
    return Trial(frame, frame, np.array([3.0, -2.0]), np.array([0.1, 0.2]))


def _answer(dy, dx, ambiguous=False, candidates=(), sigma=(0.15, 0.15)):
    return compared(Drift(dy, dx, sigma, ambiguous, 0.5, candidates), _trial())


def test_answers_are_told_from_the_truth():
    right, hop = _answer(3.1, -2.2), _answer(9.0, -2.0)
    unsure = _answer(9.0, -2.0, True, (Candidate(3.2, -2.0, 0.3),))
    none = _answer(math.nan, math.nan, True, sigma=(math.inf, math.inf))
    found = summary([right, hop, unsure, none])
    assert found == {
        "trials": 4,
        "within": 0.25,
        "ambiguous": 0.5,
        "wrong": 0.25,
        "contained": 0.5,
        "rmse": 1.0,  # an error of one bound along either axis
        "sigma": 0.5,  # 0.1 is within 0.15, 0.2 is not
    }
    assert summary([hop])["rmse"] is None
    assert summary([_answer(3.0, -2.0, sigma=(math.nan, math.nan))])["sigma"] is None
