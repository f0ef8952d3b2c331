"""Scores, bounds and test images of the evaluation, and the comparisons of Williams et al."""

import numpy as np
import pytest

from stemzoo.cli.demo.phantoms import perovskite, psnr
from training.evaluation.measures import ssim
from training.evaluation.models.common import gains
from training.evaluation.models.restoration import ALL_DISTORTIONS, ROW_JITTER, pictures
from training.evaluation.models.williams_hourglass import RAW_PSNR, RAW_SSIM, exposures
from training.evaluation.rows import row_bound, row_shifts
from training.experiments.williams_comparison import CONDITIONS, VARIANTS, pairs, taught

pytestmark = pytest.mark.slow


def test_row_shifts_are_found_to_a_few_hundredths():
    truth = perovskite((96, 128), seed=1).image((96, 128))
    shifts = np.random.default_rng(2).normal(size=96)
    phase = np.exp(-2j * np.pi * shifts[:, None] * np.fft.rfftfreq(128))
    moved = np.fft.irfft(np.fft.rfft(truth) * phase, 128)
    assert np.nanmax(np.abs(row_shifts(truth, truth))) < 0.01
    found = row_shifts(moved, truth)
    assert np.nanstd(found) == pytest.approx(shifts.std(), rel=0.15)
    clear = truth.std(axis=1) > 0.3 * truth.std(axis=1).max()
    np.testing.assert_array_equal(np.isfinite(found), clear)
    np.testing.assert_allclose(found[clear], shifts[clear], atol=0.05)


def test_the_raw_pictures_of_the_hourglass_are_as_published():
    taken = exposures(1, 384)
    raw = np.mean([psnr(one.raw, one.truth) for one in taken])
    assert raw == pytest.approx(RAW_PSNR, abs=0.1)
    similar = np.mean([ssim(one.raw, one.truth) for one in taken])
    assert similar == pytest.approx(RAW_SSIM, abs=0.02)
    assert taken[0].truth.max() == pytest.approx(1)


def test_pictures_to_restore_are_reproducible_and_err():
    for conditions in (ALL_DISTORTIONS, ROW_JITTER):
        first, again = (pictures(1, 1000.0, conditions, 64) for _ in range(2))
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)
        assert np.abs(first[0] - first[1]).max() > 50


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_to_tune_to_are_worse_than_noise_alone(condition):
    noisy, truth = pairs(condition, 4, 5)
    error = (noisy - truth).square().mean(dim=(1, 2))
    counting = truth.mean(dim=(1, 2))  # the variance of Poisson noise
    assert error.mean() > 1.1 * counting.mean()


def test_gains_are_means_ofpairs():
    truth = perovskite((64, 64), seed=1).image((64, 64))
    raw, clean = truth + 0.1, truth + 0.01
    found = gains([(raw, clean, truth)])
    assert found["clean"] - found["raw"] == pytest.approx(20, abs=0.01)
    assert found["clean_ssim"] > found["raw_ssim"]


def test_every_way_of_teaching_the_hourglass_is_tried(tmp_path):
    rows = taught(0.0, tmp_path, smoke=True)
    assert [row["key"] for row in rows] == list(VARIANTS)
    assert all(np.isfinite((row["clean"], row["clean_ssim"])).all() for row in rows)


def test_the_bound_of_rows_falls_with_the_root_of_the_dose():
    truth = perovskite((64, 256), seed=1).image((64, 256))
    assert row_bound(100 * truth) == pytest.approx(row_bound(truth) / 10)
    # The bound of a Gaussian column of N electrons is sigma / sqrt(N); of two, sqrt(2) less.
    x = np.arange(128.0)
    one = 50 * np.exp(-((x - 40) ** 2) / (2 * 3.0**2))
    row = np.stack([one, one])
    assert row_bound(row) == pytest.approx(3 / one.sum() ** 0.5, rel=0.01)
    both = row + np.roll(row, 40, axis=1)
    assert row_bound(both) == pytest.approx(row_bound(row) / 2**0.5, rel=0.01)
