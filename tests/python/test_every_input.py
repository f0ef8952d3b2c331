"""Every kind of array at every entry point: the native contiguous result, or a named error."""

import numpy as np
import pytest

import stemzoo

pytestmark = pytest.mark.slow

NCC_SHIFT = 6


def told(found):
    """The numbers of a drift, but for its candidates."""
    return np.array([found.dy, found.dx, *found.sigma, found.ambiguous, found.score])


ENTRY_POINTS = {
    "denoise": stemzoo.denoise,
    "model": lambda image: stemzoo.load("denoise-live", threads=1)(image),
    "ncc reference": lambda image: stemzoo.ncc(image, np.eye(48, 40), NCC_SHIFT),
    "ncc moving": lambda image: stemzoo.ncc(np.eye(48, 40), image, NCC_SHIFT),
    "NccReference": lambda image: stemzoo.NccReference(image, NCC_SHIFT)(np.eye(48, 40)),
    "drift reference": lambda image: told(stemzoo.drift(image, MOVED, None)),
    "drift moving": lambda image: told(stemzoo.drift(MOVED, image, None)),
    "Tiling.split": lambda image: stemzoo.Tiling((48, 40), 16, 8).split(image),
}
TAKES_STACKS = ("denoise", "model", "ncc moving")

COUNTS = np.random.default_rng(3).poisson(30, (48, 40))
MOVED = np.roll(COUNTS, (3, -2), (0, 1)).astype("f4")

SAME_VALUES = {
    "u1": COUNTS.astype("u1"),
    "u2": COUNTS.astype("u2"),
    "i2": COUNTS.astype("i2"),
    "i4": COUNTS.astype("i4"),
    "u8": COUNTS.astype("u8"),
    "f2": COUNTS.astype("f2"),
    "f4": COUNTS.astype("f4"),
    "f8": COUNTS.astype("f8"),
    "long double": COUNTS.astype("longdouble"),
    ">f4": COUNTS.astype(">f4"),
    ">f8": COUNTS.astype(">f8"),
    ">i2": COUNTS.astype(">i2"),
    ">u4": COUNTS.astype(">u4"),
    "list": COUNTS.tolist(),
    "read-only": np.broadcast_to(COUNTS.astype("f4"), (48, 40)),
    "negative strides": np.ascontiguousarray(COUNTS[::-1, ::-1].astype("f4"))[::-1, ::-1],
    "Fortran order": np.asfortranarray(COUNTS.astype("f4")),
    "every other pixel": np.repeat(np.repeat(COUNTS.astype("u2"), 2, 0), 2, 1)[::2, ::2],
    "unaligned": np.frombuffer(b"\0" + COUNTS.astype("f4").tobytes(), "u1")[1:]
    .view("f4")
    .reshape(48, 40),
    "empty mask": np.ma.MaskedArray(COUNTS.astype("f4"), False),
}

REFUSED = {
    "complex": (COUNTS.astype("c8"), "dtype complex64; expected real"),
    "object": (COUNTS.astype(object), "dtype object; expected real"),
    "text": (np.full((48, 40), "a"), "expected real"),
    "dates": (np.zeros((48, 40), "M8[s]"), "expected real"),
    "0-size": (np.zeros((0, 40)), "holds no pixels"),
    "1-D": (np.zeros(40), r"shape \(40,\); expected a 2-D image"),
    "0-D": (np.float32(3), r"shape \(\); expected a 2-D image"),
    "4-D": (np.zeros((2, 2, 48, 40)), "expected a 2-D image"),
    "RGB": (np.zeros((48, 40, 3)), r"looks like a colour picture .*\.mean\(axis=-1\), or, if its"),
    "RGBA": (np.zeros((48, 40, 4), "u1"), r"colour .*, 4 channels\); .* numpy\.moveaxis\("),
}

NOT_FINITE = {
    "NaN": np.where(COUNTS.max() == COUNTS, np.nan, COUNTS),
    "inf": np.where(COUNTS.max() == COUNTS, np.inf, COUNTS),
    "-inf f4": np.where(COUNTS.max() == COUNTS, -np.inf, COUNTS).astype("f4"),
}


CASES = [(entry, kind) for entry in ENTRY_POINTS for kind in SAME_VALUES]
CASES.remove(("Tiling.split", "empty mask"))  # it takes no masks, see below


@pytest.mark.parametrize(("entry", "kind"), CASES)
def test_the_same_values_give_the_same_result(entry, kind):
    image = SAME_VALUES[kind]
    result = ENTRY_POINTS[entry](image)
    native = np.ascontiguousarray(image)
    native = native.astype(native.dtype.newbyteorder("="))
    np.testing.assert_array_equal(result, ENTRY_POINTS[entry](native))
    # Wider types are subtracted from in float64, so their last float32 bit may differ.
    expected = ENTRY_POINTS[entry](COUNTS.astype("f4"))
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("entry", ENTRY_POINTS)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_named(entry, kind):
    image, message = REFUSED[kind]
    with pytest.raises(ValueError, match=message):
        ENTRY_POINTS[entry](image)


@pytest.mark.parametrize("entry", [name for name in ENTRY_POINTS if name != "Tiling.split"])
@pytest.mark.parametrize("kind", NOT_FINITE)
def test_what_is_not_finite_is_refused_unless_masked(entry, kind):
    image = NOT_FINITE[kind]
    with pytest.raises(ValueError, match="mask"):
        ENTRY_POINTS[entry](image)
    assert np.isfinite(np.ma.filled(ENTRY_POINTS[entry](np.ma.masked_invalid(image)), 0)).all()


def test_tiling_only_cuts_so_nan_passes_through():
    image = NOT_FINITE["NaN"]
    tiles = stemzoo.Tiling(image.shape, 16, 8, weights="crop")
    np.testing.assert_array_equal(tiles.blend(tiles.split(image)), image.astype("f4"))


def test_tiling_refuses_masks():
    with pytest.raises(ValueError, match="fill the masked pixels"):
        stemzoo.Tiling((48, 40), 16, 8).split(np.ma.MaskedArray(COUNTS, False))


@pytest.mark.parametrize("entry", ["denoise", "model"])
def test_one_pixel_has_no_contrast(entry):
    with pytest.raises(ValueError, match="one pixel"):
        ENTRY_POINTS[entry](np.ones((1, 1)))


@pytest.mark.parametrize("entry", TAKES_STACKS)
def test_a_stack_gives_what_its_frames_give(entry):
    stack = np.stack([COUNTS, COUNTS[::-1], 3 * COUNTS]).astype("u2")
    expected = np.stack([ENTRY_POINTS[entry](frame) for frame in stack])
    np.testing.assert_array_equal(ENTRY_POINTS[entry](stack), expected)


@pytest.mark.parametrize("entry", [name for name in ENTRY_POINTS if name not in TAKES_STACKS])
def test_a_stack_is_refused_where_one_image_is_needed(entry):
    with pytest.raises(ValueError, match="expected a 2-D image"):
        ENTRY_POINTS[entry](np.zeros((2, 48, 40)))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(
    "entry",
    [
        stemzoo.restore,
        lambda image: stemzoo.denoise(image, series=True),
        lambda image: stemzoo.denoise(np.ma.masked_equal(image, 0)),
        lambda image: stemzoo.align(image, None),
        lambda image: stemzoo.DriftTracker(image, None),
    ],
)
def test_a_colour_picture_is_no_stack(entry, channels):
    with pytest.raises(ValueError, match="looks like a colour picture"):
        entry(np.repeat(COUNTS[..., None], channels, -1))


def test_a_stack_of_narrow_frames_is_one():
    stack = np.repeat(COUNTS.T[:3, :4, None], 40, -1)
    assert stemzoo.denoise(stack, "denoise-live").shape == (3, 4, 40)
    few = np.random.default_rng(1).poisson(9, (2, 20, 3))
    assert stemzoo.denoise(few, "denoise-live").shape == (2, 20, 3)
