"""NCC through Python: the exact definition, at any offset, with and without masks."""

import numpy as np
import pytest

import stemzoo


def direct(reference, moving, shift, valid_a=None, valid_b=None):
    """The definition, lag by lag in float64."""
    a, b = np.asarray(reference, np.float64), np.asarray(moving, np.float64)
    valid_a = np.ones(a.shape, bool) if valid_a is None else valid_a
    valid_b = np.ones(b.shape, bool) if valid_b is None else valid_b
    surface = np.zeros((2 * shift + 1, 2 * shift + 1))
    rows, columns = a.shape
    for dy in range(-shift, shift + 1):
        for dx in range(-shift, shift + 1):
            here = np.s_[max(0, -dy) : rows - max(0, dy), max(0, -dx) : columns - max(0, dx)]
            there = np.s_[max(0, dy) : rows + min(0, dy), max(0, dx) : columns + min(0, dx)]
            both = valid_a[here] & valid_b[there]
            p, q = a[here][both], b[there][both]
            if len(p) >= 0.25 * a.size and p.std() > 0 and q.std() > 0:
                surface[shift + dy, shift + dx] = np.corrcoef(p, q)[0, 1]
    return surface


@pytest.fixture
def pair(lattice, random):
    moving = np.roll(lattice, (3, -2), (0, 1))
    return tuple(image + 0.05 * random.standard_normal(image.shape) for image in (lattice, moving))


@pytest.mark.parametrize("offset", [0, 1e2, 1e4, 1e6])
def test_exact_at_any_offset(pair, offset):
    reference, moving = (np.asarray(image + offset, np.float32) for image in pair)
    surface = stemzoo.ncc(reference, moving, max_shift=8)
    expected = direct(reference, moving, 8)
    assert np.abs(surface - expected).max() <= 1e-4
    assert np.abs(surface).max() <= 1
    assert surface.argmax() == expected.argmax()


def test_the_sign_is_where_features_moved(pair):
    surface = stemzoo.ncc(*pair, max_shift=8)
    assert np.unravel_index(surface.argmax(), surface.shape) == (8 + 3, 8 - 2)


def test_masked_pixels_do_not_count(pair, random):
    reference, moving = (image.copy() for image in pair)
    bad_a, bad_b = (random.random(image.shape) < 0.1 for image in pair)
    expected = direct(reference, moving, 5, ~bad_a, ~bad_b)
    reference[bad_a], moving[bad_b] = 1e9, np.nan
    masked = np.ma.MaskedArray(reference, bad_a), np.ma.MaskedArray(moving, bad_b)
    np.testing.assert_allclose(stemzoo.ncc(*masked, max_shift=5), expected, atol=1e-4)
    held = stemzoo.NccReference(masked[0], 5)
    np.testing.assert_allclose(held(masked[1]), expected, atol=1e-4)


def test_a_hot_pixel_fools_unless_masked(pair):
    reference, moving = (image.copy() for image in pair)
    reference[50, 40] = moving[50, 40] = 1e4
    assert stemzoo.ncc(reference, moving, 8).argmax() == 8 * 17 + 8
    hot = [np.ma.MaskedArray(image, image > 100) for image in (reference, moving)]
    surface = stemzoo.ncc(*hot, max_shift=8)
    assert np.unravel_index(surface.argmax(), surface.shape) == (11, 6)


@pytest.mark.parametrize("value", [0, 5, 1e6])
def test_a_constant_image_has_no_answer(pair, value):
    flat = np.full(pair[0].shape, value)
    assert not stemzoo.ncc(pair[0], flat, 8).any()
    assert not stemzoo.ncc(flat, pair[0], 8).any()


def test_reference_pair_and_stack_agree_to_the_bit(pair):
    reference, moving = pair
    alone = stemzoo.ncc(reference, moving, (8, 5), threads=1)
    assert alone.shape == (17, 11)
    held = stemzoo.NccReference(reference, (8, 5), threads=2)
    np.testing.assert_array_equal(held(moving), alone)
    stack = np.stack([moving, reference, moving[::-1]])
    np.testing.assert_array_equal(held(stack)[0], alone)
    np.testing.assert_array_equal(stemzoo.ncc(reference, stack, (8, 5)), held(stack))


def test_scale_and_offset_do_not_matter(pair):
    surface = stemzoo.ncc(pair[0], pair[1], 8)
    other = stemzoo.ncc(3 * pair[0] + 7, 0.1 * pair[1] - 2, 8)
    np.testing.assert_allclose(surface, other, atol=1e-5)


def test_little_overlap_is_no_evidence(pair):
    surface = stemzoo.ncc(*pair, max_shift=79, min_overlap=0.9)
    assert surface[0, 0] == 0
    assert surface[79 + 3, 79 - 2] > 0.8


@pytest.mark.parametrize("max_shift", [-1, 96, (3, 80), (1, 2, 3), 2.5])
def test_a_wrong_max_shift_says_the_range(pair, max_shift):
    with pytest.raises(ValueError, match=r"max_shift is .* less than the image's size \(96, 80\)"):
        stemzoo.ncc(*pair, max_shift=max_shift)


@pytest.mark.parametrize("min_overlap", [0, -1, 1.5, np.nan])
def test_a_wrong_min_overlap_is_refused(pair, min_overlap):
    with pytest.raises(ValueError, match="min_overlap"):
        stemzoo.ncc(*pair, max_shift=4, min_overlap=min_overlap)


def test_shapes_must_agree(pair):
    with pytest.raises(ValueError, match="96 x 79"):
        stemzoo.ncc(pair[0], pair[1][:, :79], 4)
