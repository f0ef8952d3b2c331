"""Rows of a scan put straight by restore-scan, and what it says of them."""

import numpy as np
import pytest
from scipy.ndimage import shift

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite, psnr

SHAPE = (192, 192)
PEAK = 50


@pytest.fixture(scope="module")
def model():
    return stemzoo.load("restore-scan")


@pytest.fixture(scope="module")
def truth():
    image = perovskite(SHAPE, 91).image(SHAPE)
    return image * (PEAK / image.max())


@pytest.fixture(scope="module")
def jitter():
    return np.random.default_rng(3).normal(0, 1, SHAPE[0])


@pytest.fixture(scope="module")
def jittered(truth, jitter):
    moved = [shift(row, -d, mode="reflect") for row, d in zip(truth, jitter, strict=True)]
    return np.random.default_rng(4).poisson(np.maximum(moved, 0)).astype(np.float32)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_rows_are_found_along_either_axis(model, truth, jitter, jittered, axis):
    frame = jittered if axis == "x" else jittered.T
    found = stemzoo.restore(frame, model, details=True)
    assert found.fast_axis == axis
    along = found.rows[:, 1 if axis == "x" else 0]
    assert np.corrcoef(along, jitter)[0, 1] > 0.9
    image = found.image if axis == "x" else found.image.T
    assert psnr(image, truth) > psnr(stemzoo.denoise(jittered), truth) + 2
    assert found.sigma.shape == found.rows.shape == (SHAPE[0], 2)


def test_the_same_correction_straightens_anything_else(model, truth, jitter, jittered):
    found = stemzoo.restore(jittered, model, details=True, fast_axis="x")
    moved = [shift(row, -d, mode="reflect") for row, d in zip(truth, jitter, strict=True)]
    inner = (slice(None), slice(8, -8))
    before, after = (np.std((a - truth)[inner]) for a in (np.array(moved), found.apply(moved)))
    assert after < 0.4 * before


def test_a_frame_without_jitter_comes_back_as_denoise_gives_it(model, truth):
    counts = expose(truth, PEAK, np.random.default_rng(5))
    found = stemzoo.restore(counts, model, details=True)
    assert np.abs(found.rows).max() < 0.05
    plain = stemzoo.denoise(counts)
    assert psnr(found.image, truth) > psnr(plain, truth) - 0.1


def test_an_offset_and_a_gain_change_nothing(model, jittered):
    plain = stemzoo.restore(jittered, model, fast_axis="x", details=True)
    other = stemzoo.restore(3 * jittered + 100, model, fast_axis="x", details=True)
    np.testing.assert_allclose(other.rows[1:-1], plain.rows[1:-1], atol=0.02)
    # The first and the last row have neighbours on one side only: rounding alone moves them within
    # their error.
    ends = [0, -1]
    assert (np.abs(other.rows - plain.rows)[ends] <= plain.sigma[ends]).all()
    np.testing.assert_allclose(other.image, 3 * plain.image + 100, atol=0.5)


def test_stacks_and_masks_keep_their_kind(model, jittered):
    pair = stemzoo.restore(np.stack([jittered, jittered]), model, fast_axis="x")
    assert pair.shape == (2, *SHAPE)
    np.testing.assert_array_equal(pair[0], pair[1])
    masked = np.ma.MaskedArray(jittered, np.zeros(SHAPE, bool))
    masked[3:6, 4:9] = np.ma.masked
    assert isinstance(stemzoo.restore(masked, model, fast_axis="x"), np.ma.MaskedArray)


@pytest.mark.parametrize("shape", [(1, 2), (20, 20), (8, 100), (36, 60)])
def test_small_frames_are_only_denoised(model, shape):
    image = np.random.default_rng(1).poisson(9, shape)
    found = stemzoo.restore(image, model, details=True)
    assert found.image.shape == shape
    assert not found.rows.any()


def test_what_cannot_be_done_is_said(model):
    image = np.eye(40)
    with pytest.raises(ValueError, match="fast_axis is 'z'; expected 'x', 'y' or None"):
        stemzoo.restore(image, model, fast_axis="z")
    with pytest.raises(ValueError, match="details were asked of 2-D data by lobato-restore"):
        stemzoo.restore(image, "lobato-restore", details=True)
    with pytest.raises(ValueError, match="NaN or infinity"):
        stemzoo.restore(np.full((40, 40), np.nan), model)
