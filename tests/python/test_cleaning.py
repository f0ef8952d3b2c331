"""What is no image in a frame is taken out, and what cannot be used is refused by its name."""

import numpy as np
import pytest
from moving_specimens import crystal, pair, particle

from stemzoo import _core
from stemzoo.registration.pair import masked_image

FRAME = pair(crystal(spread=0.3), (0, 0))[0]


def cleaned(frame, name):
    image, mask = masked_image(frame, name)
    return _core.DriftEstimator(image.shape, (1, 1)).prepare(image, mask, name)


def test_a_plain_frame_only_loses_its_mean():
    clean = cleaned(FRAME, "image")
    assert clean.valid is None
    assert clean.pixels.dtype == np.float32
    np.testing.assert_allclose(clean.pixels, FRAME - FRAME.mean(dtype="f8"), atol=1e-4)


def test_the_given_frame_is_left_as_it_is():
    frame = FRAME.copy()
    frame[40, 50] = 1e4
    frame[60] = 0
    before = frame.copy()
    cleaned(frame, "image")
    np.testing.assert_array_equal(frame, before)
    frame -= cleaned(frame, "image").pixels  # and none of it is handed out
    assert not np.shares_memory(frame, cleaned(frame, "image").pixels)


@pytest.mark.parametrize("offset", [1e6, -1e6, 2**40])
def test_an_offset_costs_no_digits(offset):
    wide = cleaned(FRAME.astype("f8") + offset, "image")
    np.testing.assert_allclose(wide.pixels, cleaned(FRAME, "image").pixels, atol=1e-3)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_no_unit_is_too_large_or_too_small(scale):
    plain, scaled = (cleaned(FRAME.astype("f8") * by, "image").pixels for by in (1, scale))
    assert np.isfinite(np.square(scaled)).all()
    np.testing.assert_allclose(scaled / scaled.std(), plain / plain.std(), atol=1e-4)


def test_a_sum_beyond_the_type_is_no_infinity():
    large = FRAME.astype("f4") * np.float32(1e35)
    assert large.sum(dtype="f8") > np.finfo("f4").max  # else it tests nothing
    assert _core.missing_pixels(large, None, "image") is None


@pytest.mark.parametrize(
    "border",
    [np.s_[:9], np.s_[-9:], np.s_[:, :7], np.s_[:, -7:], np.s_[0, 0], np.s_[127, 127]],
)
def test_nan_from_an_edge_on_is_missing_pixels(border):
    frame = FRAME.astype("f4")
    frame[border] = np.nan
    clean = cleaned(frame, "image")
    np.testing.assert_array_equal(clean.valid, np.isfinite(frame))
    assert np.isfinite(clean.pixels).all()
    assert not clean.pixels[border].any()


def test_a_slanted_border_is_one():
    frame = np.where(np.add.outer(np.arange(128), 3 * np.arange(128)) < 90, np.nan, FRAME)
    np.testing.assert_array_equal(cleaned(frame, "image").valid, np.isfinite(frame))


def test_masked_pixels_may_join_a_border():
    frame = np.ma.MaskedArray(FRAME.astype("f4"), False)
    frame[0] = np.ma.masked
    frame.data[1:4] = np.nan  # reached from the edge through what is masked
    frame[50, 60:64] = np.ma.masked
    frame.data[50, 60:64] = np.inf
    valid = np.ones(FRAME.shape, bool)
    valid[:4] = valid[50, 60:64] = False
    np.testing.assert_array_equal(cleaned(frame, "image").valid, valid)


@pytest.mark.parametrize(
    ("place", "value"),
    [((5, 5), np.nan), ((64, 0), np.inf), ((0, 0), -np.inf), (np.s_[3, 4:125], np.nan)],
)
def test_other_holes_are_refused_with_what_to_do(place, value):
    frame = FRAME.astype("f4")
    frame[place] = value
    with pytest.raises(ValueError, match=r"moving holds NaN or inf.*masked_invalid\(moving\)"):
        cleaned(frame, "moving")
    clean = cleaned(np.ma.masked_invalid(frame), "moving")
    np.testing.assert_array_equal(clean.valid, np.isfinite(frame))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.full((8, 8), np.nan), "every pixel of it is NaN or masked"),
        (np.ma.MaskedArray(np.ones((8, 8)), True), "every pixel of it is masked"),
        (np.ones((1, 8)), r"it has shape \(1, 8\), which shows no drift along both axes"),
        (np.ones(8), "expected a 2-D image"),
    ],
)
def test_frames_that_show_nothing_are_refused(frame, message):
    with pytest.raises(ValueError, match=message):
        cleaned(frame, "it")


@pytest.mark.parametrize("value", [0, 40, 4000])
def test_dead_lines_are_no_image(value):
    frame = FRAME.copy()
    frame[60:62] = value
    frame[:, 30] = value
    clean = cleaned(frame, "image")
    dead = np.zeros(frame.shape, bool)
    dead[60:62] = dead[:, 30] = True
    np.testing.assert_array_equal(~clean.valid, dead)
    # No line is left: their values are those of their neighbours.
    assert abs(clean.pixels[60:62].mean() - clean.pixels[[59, 62]].mean()) < 1
    assert clean.pixels[:, 30].std() < 1.2 * clean.pixels[:, [29, 31]].std()


def test_a_blank_frame_has_no_dead_lines():
    for value in (0, 0.1, 1e6 + 0.1):
        clean = cleaned(np.full((20, 30), value), "image")
        assert clean.valid is None
        assert np.ptp(clean.pixels) == 0


@pytest.mark.parametrize("value", [-2000, 1000, 1e6])
@pytest.mark.parametrize("place", [(64, 51), (0, 0), (127, 3)])
def test_hot_pixels_become_like_their_neighbours(value, place):
    frame = FRAME.copy()
    frame[place] = value
    error = cleaned(frame, "image").pixels - FRAME
    error -= np.median(error)
    assert abs(error[place]) < np.ptp(FRAME)
    error[place] = 0
    assert np.abs(error).max() < 1e-3 * max(1, abs(value) / 1e5)


def test_hot_pixels_beside_hotter_ones_are_found():
    frame = FRAME.copy()
    places = [(20, 30), (20, 31), (90, 4)]
    for place, value in zip(places, (1e6, 2e6, 2000), strict=True):
        frame[place] = value
    error = cleaned(frame, "image").pixels - FRAME
    assert np.ptp(error) < 2 * np.ptp(FRAME)


def test_columns_are_not_hot():
    """Bright columns on little background: what stands far out here are their tops."""
    for dose in (3, 30, 3000):
        frame = pair(particle(period=40.0), (0, 0), dose=dose)[0]
        np.testing.assert_allclose(cleaned(frame, "image").pixels, frame - frame.mean(), atol=1e-3)


@pytest.mark.parametrize("axis", [0, 1])
def test_stripes_are_taken_out(axis):
    stripes = np.expand_dims(np.random.default_rng(7).normal(0, 20, 128), axis)
    clean = cleaned(FRAME + stripes, "image").pixels
    assert np.abs(clean.mean(axis)).max() < 1  # of stripes of 20
    assert np.corrcoef(clean.ravel(), FRAME.ravel())[0, 1] > 0.75


def test_a_crystal_along_the_axes_has_no_stripes():
    for dose in (3, 30, 300):
        frame = pair(crystal(), (0, 0), dose=dose)[0]
        np.testing.assert_allclose(cleaned(frame, "image").pixels, frame - frame.mean(), atol=1e-3)


def test_frames_in_any_order_are_cleaned_alike():
    frame = FRAME.copy()
    frame[20, 30] = 1e5
    expected = cleaned(frame, "image").pixels
    np.testing.assert_array_equal(cleaned(np.asfortranarray(frame), "image").pixels, expected)


def test_cleaned_pixels_are_read_only_and_stay_while_they_are_used():
    pixels = cleaned(FRAME, "image").pixels
    before = pixels.copy()
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 1
    others = [cleaned(FRAME + 1, "image") for _ in range(3)]
    assert not any(np.shares_memory(pixels, other.pixels) for other in others)
    np.testing.assert_array_equal(pixels, before)
