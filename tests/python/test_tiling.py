"""The laws of tiling, through the public class."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stemzoo
from stemzoo import _core

WEIGHTS = ["flat", "triangular", "hann", "crop"]
DTYPES = ["u1", "i1", "u2", "i4", "u8", "f2", "f4", "f8", ">f4", ">i2", "?"]


def pixels(shape, dtype="f4", seed=0):
    return np.random.default_rng(seed).uniform(0, 100, shape).astype(dtype)


def windows_by_numpy(image, tiles, multiple=1):
    """The definition: pad with numpy, then slice."""
    sides = []
    for side, tile in zip(image.shape, tiles.tile, strict=True):
        sides.append(max(tile, -(-side // multiple) * multiple))
    padded = image
    for axis in (0, 1):
        # Written out, as numpy.pad reflects a single pixel only with mode="edge".
        side = image.shape[axis]
        period = max(2 * (side - 1), 1)
        at = np.arange(sides[axis]) % period
        padded = np.take(padded, np.where(at < side, at, period - at), axis=axis)
    rows, cols = tiles.tile
    return np.stack([padded[y : y + rows, x : x + cols] for y, x in tiles.starts])


@st.composite
def tilings(draw):
    shape, tile, step = [], [], []
    multiple = draw(st.sampled_from([1, 1, 2, 8]))
    for _ in range(2):
        shape.append(draw(st.integers(1, 60)))
        tile.append(multiple * draw(st.integers(1, 24 // multiple)))
        step.append(multiple * draw(st.integers(1, tile[-1] // multiple)))
    weights = draw(st.sampled_from(WEIGHTS))
    return stemzoo.Tiling(
        tuple(shape), tuple(tile), tuple(step), weights=weights, multiple=multiple
    ), multiple


@given(tilings())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_sizes(case):
    tiles, multiple = case
    image = pixels(tiles.shape)
    batch = tiles.split(image)
    assert np.array_equal(batch, windows_by_numpy(image, tiles, multiple))
    if tiles.weights == "crop":
        assert np.array_equal(tiles.blend(batch), image)
    else:
        # Half a unit in the last place for each window added to a pixel.
        added = np.prod([t // s + 2 for t, s in zip(tiles.tile, tiles.step, strict=True)])
        np.testing.assert_allclose(tiles.blend(batch), image, rtol=4e-7 + 6e-8 * added)


def test_matches_numpy_pad():
    image = pixels((7, 5))
    tiles = stemzoo.Tiling(image.shape, (7, 5), (7, 5), multiple=(7, 5))
    assert len(tiles) == 1
    tiles = stemzoo.Tiling(image.shape, 32, 32)
    expected = np.pad(image, [(0, 25), (0, 27)], mode="reflect")
    assert np.array_equal(tiles.split(image)[0], expected)


def test_floating_window_of_the_paper():
    tiles = stemzoo.Tiling((512, 512), 28, 2)
    assert len(tiles) == 59049
    assert tiles.starts.shape == (59049, 2)
    assert tiles.starts[1].tolist() == [0, 2]
    assert tiles.starts[-1].tolist() == [484, 484]
    image = pixels((512, 512))
    np.testing.assert_allclose(tiles.blend(tiles.split(image)), image, rtol=2e-6)


@pytest.mark.parametrize("layout", ["plain", "fortran", "reversed", "stepped"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_and_strides(dtype, layout):
    image = pixels((43, 70), dtype)
    native = np.ascontiguousarray(image.astype(image.dtype.newbyteorder("=")))
    if layout == "fortran":
        image = np.asfortranarray(image)
    elif layout == "reversed":
        image = image[::-1, ::-1].copy()[::-1, ::-1]
    elif layout == "stepped":
        image = np.repeat(image, 3, axis=1)[:, 1::3]
    tiles = stemzoo.Tiling(image.shape, (20, 32), (13, 30))
    assert np.array_equal(tiles.split(image), tiles.split(native))
    assert np.array_equal(tiles.split(image), windows_by_numpy(native.astype("f4"), tiles))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_streaming_equals_all_at_once(weights, chunk):
    image = pixels((90, 77))
    tiles = stemzoo.Tiling(image.shape, 24, (10, 9), weights=weights)
    whole = tiles.blend(tiles.split(image))
    result = np.zeros(tiles.shape, np.float32)
    buffer = np.empty((chunk, *tiles.tile), np.float32)
    for first in range(0, len(tiles), chunk):
        batch = tiles.split(image, buffer, first=first)
        assert np.shares_memory(batch, buffer)
        assert tiles.blend(batch, result, first=first) is result
    assert np.array_equal(result, whole)


def test_streaming_needs_no_memory_of_its_own():
    image = np.zeros((1024, 1024), np.float32)
    tiles = stemzoo.Tiling(image.shape, 128, 16)
    result = np.zeros(tiles.shape, np.float32)
    buffer = np.empty((64, *tiles.tile), np.float32)
    tracemalloc.start()
    for first in range(0, len(tiles), len(buffer)):
        tiles.blend(tiles.split(image, buffer, first=first), result, first=first)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 16


def test_some_windows():
    image = pixels((40, 40))
    tiles = stemzoo.Tiling(image.shape, 16, 8)
    assert len(tiles.split(image, first=3)) == len(tiles) - 3
    some = tiles.split(image, first=3, count=2)
    assert np.array_equal(some, tiles.split(image)[3:5])
    alone = tiles.blend(some[:1], first=3)
    y, x = tiles.starts[3]
    assert alone[y : y + 16, x : x + 16].all()
    assert not alone[:, :x].any()
    assert tiles.split(image, count=0).shape == (0, 16, 16)


def test_blend_takes_any_batch_and_any_out():
    image = pixels((50, 61))
    tiles = stemzoo.Tiling(image.shape, 20, 15)
    batch = tiles.split(image)
    expected = tiles.blend(batch)
    assert np.array_equal(tiles.blend(batch.astype(">f8")), expected)
    assert np.array_equal(tiles.blend(np.asfortranarray(batch)), expected)
    assert np.array_equal(tiles.blend(batch.tolist()), expected)
    for out in [
        np.zeros((61, 50), np.float32).T,
        np.zeros((50, 61), np.float32)[::-1, ::-1],
        np.zeros((100, 122), np.float32)[::2, ::2],
    ]:
        assert np.array_equal(tiles.blend(batch, out), expected)


def test_not_a_number_passes_through():
    image = pixels((40, 40))
    image[20, 20] = np.nan
    image[3, 30] = np.inf
    tiles = stemzoo.Tiling(image.shape, 16, 8)
    back = tiles.blend(tiles.split(image))
    assert np.argwhere(~np.isfinite(back)).tolist() == [[3, 30], [20, 20]]
    assert np.isnan(back[20, 20])
    assert back[3, 30] == np.inf


def test_for_model_gives_what_the_whole_image_gives():
    def network(batch):  # every output pixel sees two pixels around it, zeros around the window
        padded = np.pad(batch, [(0, 0), (2, 2), (2, 2)])
        rows, cols = batch.shape[1:]
        return sum(
            np.float32(1 / (1 + dy + 3 * dx)) * padded[:, dy : dy + rows, dx : dx + cols]
            for dy in range(5)
            for dx in range(5)
        )

    image = pixels((101, 58))
    whole = stemzoo.Tiling.for_model(image.shape, 4, 2, 1024)
    assert len(whole) == 1
    assert whole.tile == (104, 60)
    tiles = stemzoo.Tiling.for_model(image.shape, 4, 2, 32)
    assert len(tiles) > 4
    assert tiles.weights == "crop"
    result = tiles.blend(network(tiles.split(image)))
    assert np.array_equal(result, whole.blend(network(whole.split(image))))


@pytest.mark.parametrize("shape", [(1024, 1024), (1500, 1090), (3000, 2049), (70, 1025)])
@pytest.mark.parametrize("halo", [1, 100, 256])
def test_tiles_of_a_network_start_at_multiples_and_halos_may_be_wide(shape, halo):
    tiles = stemzoo.Tiling.for_model(shape, 64, halo, 1024)
    assert (tiles.starts % 64 == 0).all()
    assert all(side % 64 == 0 and side <= 1024 for side in tiles.tile)
    ends = tiles.starts.max(0) + tiles.tile
    assert (ends % 64 == 0).all()
    assert (ends >= shape).all()
    assert (ends < np.add(shape, 64)).all()


def test_normalisation_keeps_the_contrast_of_counters():
    noise = np.random.default_rng(1).integers(-5, 6, (64, 80))
    image = (4_000_000_000 + noise).astype(np.uint32)
    mean, std, finite, limits = _core.measure(image)
    assert finite
    assert limits is None
    assert mean == pytest.approx(image.mean(dtype=np.longdouble), rel=1e-15)
    assert std == pytest.approx(noise.std(), rel=1e-9)
    tiles = _core.Tiling((64, 80), (32, 32), (24, 24), "hann", (1, 1))
    batch = tiles.split(image, 0, len(tiles), mean, 1 / std)
    out = np.empty((64, 80), np.float32)
    tiles.blend(batch, out, 0, std, 0.0)
    np.testing.assert_allclose(out, image - mean, atol=1e-5)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_measure_is_the_same_for_any_strides_and_threads(dtype):
    image = pixels((300, 517), dtype)
    plain = _core.measure(image, threads=1)
    assert plain[:2] == pytest.approx((image.mean(dtype="f8"), image.std(dtype="f8")), rel=1e-12)
    assert _core.measure(image, threads=4) == plain
    assert _core.measure(np.asfortranarray(image), threads=3) == plain
    assert _core.measure(image[::-1, ::-1].copy()[::-1, ::-1]) == plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 5), 2, 1), "image has 0 rows; expected 1 to"),
        (((5, 5, 5), 2, 1), "shape is .* expected .rows, columns."),
        (((5, 5.5), 2, 1), "5.5; expected a whole number"),
        (((5, 5), -2, 1), "tile is -2; expected a whole number"),
        (((5, 5), "2", 1), "tile is '2'; expected a whole number"),
        (((5, 5), 2, 3), "step is 3 rows for a tile of 2; expected 1 to 2"),
        (((5, 5), 2, True), "step is True; expected a whole number"),
        (((5, 5), 1 << 70, 1), "tile is 1180591620717411303424; expected"),
    ],
)
def test_refused_plans(arguments, message):
    with pytest.raises(ValueError, match=message):
        stemzoo.Tiling(*arguments)


def test_refused_options():
    with pytest.raises(ValueError, match="unknown weights 'gauss'; expected 'flat'"):
        stemzoo.Tiling((9, 9), 4, 2, weights="gauss")
    with pytest.raises(ValueError, match="tile has 4 rows; expected a multiple of 3"):
        stemzoo.Tiling((9, 9), 4, 2, multiple=3)
    with pytest.raises(ValueError, match=r"leaves nothing between two halos .* use at least 80"):
        stemzoo.Tiling.for_model((99, 99), 16, 30, 64)
    with pytest.raises(ValueError, match="halo is -1; expected a whole number"):
        stemzoo.Tiling.for_model((99, 99), 16, -1, 64)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((9, 10)), "image is 9 x 10; this tiling was made for 10 x 10"),
        (np.zeros((10, 10), complex), "image has dtype complex128"),
        (np.zeros((10, 10), "M8[s]"), "image has dtype datetime64"),
        (np.full((10, 10), "a"), "image has dtype <U1"),
        (np.full((10, 10), None), "image has dtype object"),
        (np.zeros((0, 10)), "holds no pixels"),
        (np.zeros(10), "expected a 2-D image"),
        (np.ma.masked_equal(np.zeros((10, 10)), 0), "fill the masked pixels first"),
    ],
)
def test_refused_images(image, message):
    with pytest.raises(ValueError, match=message):
        stemzoo.Tiling((10, 10), 4, 2).split(image)


def test_refused_windows():
    tiles = stemzoo.Tiling((10, 10), 4, 3)
    image = np.zeros((10, 10))
    with pytest.raises(
        ValueError, match="2 windows from number 8 on were asked for; this tiling has 9"
    ):
        tiles.split(image, first=8, count=2)
    with pytest.raises(ValueError, match="0 windows from number 10 on"):
        tiles.split(image, first=10)
    with pytest.raises(ValueError, match="first is -1; expected a whole number"):
        tiles.split(image, first=-1)
    with pytest.raises(ValueError, match=r"count is 1\.5; expected a whole number"):
        tiles.split(image, count=1.5)
    with pytest.raises(ValueError, match="9 windows from number 5 on"):
        tiles.blend(np.zeros((9, 4, 4)), first=5)
    with pytest.raises(ValueError, match=r"batch has shape \(9, 4, 5\); expected \(n, 4, 4\)"):
        tiles.blend(np.zeros((9, 4, 5)))
    with pytest.raises(ValueError, match="batch has dtype complex128"):
        tiles.blend(np.zeros((9, 4, 4), complex))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ([0.0], "out is list; expected a float32 array"),
        (np.zeros((9, 4, 5), "f4"), r"out has shape \(9, 4, 5\); expected \(9, 4, 4\) \(or more"),
        (np.zeros((9, 4, 4)), "out is a ndarray of dtype <f8; expected a plain float32"),
        (np.zeros((9, 4, 4), ">f4"), "dtype >f4; expected a plain float32"),
        (np.ma.zeros((9, 4, 4), "f4"), "out is a MaskedArray"),
        (np.zeros((18, 4, 4), "f4")[::2], "out is not C-contiguous"),
        (np.broadcast_to(np.float32(0), (9, 4, 4)), "out is read-only"),
    ],
)
def test_refused_batches_to_write(out, message):
    with pytest.raises(ValueError, match=message):
        stemzoo.Tiling((10, 10), 4, 3).split(np.zeros((10, 10)), out)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.zeros((10, 11), "f4"), r"out has shape \(10, 11\); expected \(10, 10\)"),
        (np.zeros((10, 10)), "out is a ndarray of dtype <f8"),
        (np.broadcast_to(np.float32(0), (10, 10)), "out is read-only"),
        (np.zeros((10, 10), [("a", "u1"), ("b", "f4")])["b"], "unaligned or its strides"),
    ],
)
def test_refused_images_to_write(out, message):
    with pytest.raises(ValueError, match=message):
        stemzoo.Tiling((10, 10), 4, 3).blend(np.zeros((9, 4, 4)), out)


def test_the_core_checks_memory_by_itself():
    tiles = _core.Tiling((10, 10), (4, 4), (3, 3), "flat", (1, 1))
    image = np.zeros((10, 10), np.float32)
    with pytest.raises(ValueError, match="out holds 3 windows; expected 2"):
        tiles.split(image, 0, 2, out=np.zeros((3, 4, 4), np.float32))
    with pytest.raises(ValueError, match="batch has the wrong shape or is not C-contiguous"):
        tiles.split(image, 0, 2, out=np.zeros((4, 4, 4), np.float32)[::2])
    with pytest.raises(ValueError, match="must be finite"):
        tiles.split(image, 0, 2, offset=np.nan)
    with pytest.raises(TypeError):
        tiles.blend(np.zeros((9, 4, 4)), image)
    with pytest.raises(ValueError, match="not writeable"):
        tiles.blend(np.zeros((9, 4, 4), np.float32), np.broadcast_to(np.float32(0), (10, 10)))
