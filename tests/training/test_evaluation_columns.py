"""Columns, their bounds, seams and Bragg peaks, on synthetic pictures with known results."""

import numpy as np
import pytest

from training.evaluation.columns import (
    detected,
    matched,
    position_bounds,
    score,
    width,
)
from training.evaluation.seams import bragg_peaks, bragg_power, seam_power
from training.evaluation.specimens import SPECIMEN_MARGIN, specimens

SPECIMENS = specimens()


def picture(columns, side, sigma):
    """Gaussians of given (y, x, height)."""
    y, x = np.mgrid[:side, :side]
    image = np.zeros((side, side))
    for row, column, height in columns:
        image += height * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * sigma**2))
    return image


def lattice(spacing, side, seed=1):
    """Columns off the pixel grid, of uneven heights."""
    random = np.random.default_rng(seed)
    places = np.arange(spacing, side - spacing / 2, spacing) + 0.3
    rows, columns = (each.ravel() for each in np.meshgrid(places, places, indexing="ij"))
    return np.column_stack([rows, columns, random.uniform(0.3, 1, rows.size)])


@pytest.mark.parametrize("spacing", [5, 8.5, 14, 30])
def test_columns_are_found_where_they_are(spacing):
    true = lattice(spacing, 150)
    image = picture(true, 150, 0.22 * spacing)
    assert width(image, spacing) == pytest.approx(0.22 * spacing, rel=0.1)
    answer = score(detected(image, spacing), true, spacing, image.shape, spacing)
    assert answer.precision == answer.recall == answer.f1 == 1
    # Fits of single Gaussians are biased a little towards brighter neighbours.
    assert answer.error < 0.015 * spacing


def test_a_missing_column_an_invented_one_and_a_weak_one_are_told_apart():
    true = lattice(12, 150)
    true[60, 2] = 0.2
    seen = np.delete(true, [50, 60], axis=0)
    seen = np.vstack([seen, [true[40, 0] + 6, true[40, 1] + 6, 0.5]])
    found = detected(picture(seen, 150, 2), 12)
    answer = score(found, true, 12, (150, 150), 10)
    assert answer.precision == 1 - 1 / len(seen)
    assert answer.recall == 1 - 2 / len(true)
    assert answer.weak_recall == 0
    assert answer.f1 == pytest.approx(2 / (1 / answer.precision + 1 / answer.recall))
    faint = score(detected(picture(true, 150, 2), 12), true, 12, (150, 150), 10)
    assert faint.recall == faint.weak_recall == 1


def test_columns_in_the_margin_are_matched_but_not_counted():
    true = np.array([[10.0, 50, 1], [50, 50, 1]])
    found = np.array([[9.6, 50, 1], [50, 50.3, 1], [3, 3, 1]])
    answer = score(found, true, 10, (100, 100), 10)
    assert (answer.precision, answer.recall) == (1, 1)
    assert answer.error == pytest.approx(((0.4**2 + 0.3**2) / 2) ** 0.5)
    # At 10 px the found one has left the counted area; the true one there is still matched.
    assert answer.f1 == 1


def test_each_column_is_matched_once():
    found = np.array([[10.0, 10], [10.4, 10], [30, 30]])
    true = np.array([[10.1, 10], [34, 30]])
    ours, theirs = matched(found, true, 3)
    assert (ours.tolist(), theirs.tolist()) == ([0], [0])


@pytest.mark.parametrize("image", [np.zeros((64, 64)), np.ones((64, 64))])
def test_an_even_picture_has_no_columns(image):
    found = detected(image, 8)
    assert found.shape == (0, 3)
    answer = score(found, lattice(8, 64), 8, image.shape, 8)
    assert answer.recall == answer.f1 == 0
    assert np.isnan(answer.precision)
    assert np.isnan(answer.error)


def test_maxima_of_a_plateau_are_one_column():
    image = np.clip(picture(lattice(16, 120), 120, 4), 0, 0.25)
    found = detected(image, 16)
    assert score(found, lattice(16, 120), 16, image.shape, 12).precision == 1


def test_the_bound_of_a_lone_column_is_its_width_over_the_root_of_its_counts():
    sigma, peak = 2.5, 40.0
    image = picture([(31.3, 32.6, peak)], 64, sigma)
    electrons = 2 * np.pi * sigma**2 * peak
    bound = position_bounds(image, np.array([[31.3, 32.6, 1]]), 20)
    assert bound == pytest.approx([2**0.5 * sigma / electrons**0.5], rel=0.01)


def test_the_bound_on_a_bright_ground_is_that_of_white_noise():
    sigma, peak, ground = 2.5, 10.0, 1e5
    image = ground + picture([(32, 32, peak)], 64, sigma)
    # The integral of a Gaussian's squared slope along one axis is half of pi times its height^2.
    each = (ground / (np.pi * peak**2 / 2)) ** 0.5
    bound = position_bounds(image, np.array([[32, 32, 1]]), 24)
    assert bound == pytest.approx([2**0.5 * each], rel=0.01)


def test_the_bound_is_reached_by_a_fit_and_not_passed():
    true = lattice(12, 160)
    random = np.random.default_rng(3)
    clean = 1 + 200 * picture(true, 160, 2.4)
    inner = np.all((true[:, :2] > 15) & (true[:, :2] < 145), axis=1)
    bound = (position_bounds(clean, true[inner], 12) ** 2).mean() ** 0.5
    errors = [
        score(detected(random.poisson(clean), 12), true, 12, clean.shape, 15).error
        for _ in range(5)
    ]
    assert bound < np.mean(errors) < 2 * bound


def test_columns_too_close_to_part_have_worse_bounds():
    apart = np.array([[32.0, 20, 100], [32, 44, 100]])
    close = np.array([[32.0, 30, 100], [32, 34, 100]])
    far, near = (position_bounds(picture(each, 64, 2), each, 12).max() for each in (apart, close))
    assert near > 1.2 * far


def test_no_electrons_give_no_bound():
    assert np.isinf(position_bounds(np.zeros((32, 32)), np.array([[16, 16, 1]]), 8)).all()


def test_seams_have_their_own_power_and_noise_has_none():
    random = np.random.default_rng(5)
    whole = random.normal(size=(256, 320))
    noise = 0.1 * random.normal(size=whole.shape)
    assert abs(seam_power(whole, whole + noise, 32)) < 0.002
    seams = np.zeros_like(whole)
    seams[::32] = 0.2  # one row of 32, its mean taken out: variance 0.04 (1/32 - 1/32^2)
    power = 0.04 * (1 / 32 - 1 / 32**2)
    assert seam_power(whole, whole + seams, 32) == pytest.approx(power, rel=0.01)
    assert seam_power(whole.T, (whole + seams).T, (64, 32)) == pytest.approx(power, rel=0.01)
    # Another period, or a constant, gives no seams.
    assert abs(seam_power(whole, whole + seams, 37)) < 0.2 * power
    assert seam_power(whole, whole + 3, 32) == pytest.approx(0, abs=1e-12)


def test_seams_that_change_sign_along_the_edge_count():
    whole = np.zeros((256, 256))
    seams = np.zeros_like(whole)
    seams[::64] = np.random.default_rng(6).normal(size=256)
    assert seam_power(whole, seams, 64) > 0.01


def test_a_step_too_long_for_the_frame_is_refused():
    with pytest.raises(ValueError, match="less than two periods of 40 px"):
        seam_power(np.zeros((64, 64)), np.ones((64, 64)), 40)


def test_bragg_peaks_are_those_of_the_lattice():
    y, x = np.mgrid[:256, :256]
    truth = 1 + np.cos(2 * np.pi * y / 8) * np.cos(2 * np.pi * x / 16)
    expected = {(sy * 32 % 256, sx * 16 % 256) for sy in (1, -1) for sx in (1, -1)}
    assert {tuple(map(int, place)) for place in np.argwhere(bragg_peaks(truth))} == expected


def test_a_residual_with_a_part_of_the_lattice_has_power_at_its_bragg_peaks():
    random = np.random.default_rng(7)
    truth = picture(lattice(10, 200), 200, 2.2)
    noise = random.normal(size=truth.shape)
    coloured = noise + np.roll(noise, 1, axis=0)
    assert bragg_power(noise, truth) == pytest.approx(1, abs=0.25)
    assert bragg_power(coloured, truth) == pytest.approx(1, abs=0.25)
    assert bragg_power(noise + truth, truth) > 5
    assert np.isnan(bragg_power(noise, noise))


@pytest.mark.parametrize("specimen", SPECIMENS, ids=[each.name for each in SPECIMENS])
def test_specimens_show_their_columns(specimen):
    image = specimen.image
    assert image.shape == (288, 288)
    assert image.dtype == np.float32
    assert (image.min() >= 0, image.max()) == (True, 1)
    assert 5 <= specimen.spacing <= 30
    found = detected(image, specimen.spacing)
    answer = score(found, specimen.columns, specimen.spacing, image.shape, SPECIMEN_MARGIN)
    # Oxygen beside titanium, 0.14 nm away, is mostly a shoulder.
    assert answer.precision > 0.9
    assert answer.recall > 0.7
    assert answer.error < 0.1 * specimen.spacing
