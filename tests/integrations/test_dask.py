"""Dask arrays in, lazy arrays out, of the same pixels as without Dask."""

import numpy as np
import pytest

pytest.importorskip("dask", reason="needs stemzoo[dask]: make test-integrations")

import dask
import dask.array as da
from small_models import dense, smoothing

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.inference import model as loaded
from stemzoo.integrations.sent import Sent
from tests.integrations.long_series import series

pytestmark = pytest.mark.filterwarnings("default")  # Dask's own

MODEL = "denoise-live"
SHAPE = (96, 80)


@pytest.fixture(autouse=True)
def two_threads():
    with dask.config.set(scheduler="threads", num_workers=2):
        yield


def counts(shape=SHAPE, seed=1):
    return expose(perovskite(shape, 1).image(shape), 20, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def stack():
    return np.stack([counts(seed=seed) for seed in range(5)]).astype(np.float32)


@pytest.mark.parametrize("chunks", [(1, 96, 80), (2, 50, 33), (5, 96, 80)])
@pytest.mark.parametrize("dtype", ["u2", ">i4", "f4"])
def test_frames_are_blocks(stack, chunks, dtype):
    clean = stemzoo.denoise(da.from_array(stack.astype(dtype), chunks=chunks), MODEL)
    assert (clean.dtype, clean.shape) == (np.float32, stack.shape)
    assert clean.chunks[0] == da.core.normalize_chunks(chunks, stack.shape)[0]
    np.testing.assert_array_equal(clean.compute(), stemzoo.denoise(stack.astype(dtype), MODEL))


def test_nothing_runs_before_it_is_asked_for():
    def fail():
        raise AssertionError("computed")

    frames = da.from_delayed(dask.delayed(fail)(), (4, 96, 80), np.float32)
    for lazy in (frames, frames[0]):
        assert stemzoo.denoise(lazy, MODEL).dtype == np.float32
        assert stemzoo.restore(lazy).dtype == np.float32


def test_masks_go_along(stack):
    masked = np.ma.MaskedArray(stack, stack > 15)
    clean = stemzoo.denoise(da.from_array(masked, chunks=(2, -1, -1)), MODEL).compute()
    expected = stemzoo.denoise(masked, MODEL)
    np.testing.assert_array_equal(np.ma.getmaskarray(clean), masked.mask)
    np.testing.assert_array_equal(clean.data, expected.data)


def test_all_frames_by_one_mean_and_std(stack):
    given = {"mean": float(stack.mean()), "std": float(stack.std())}
    clean = stemzoo.denoise(da.from_array(stack, chunks=(1, -1, -1)), MODEL, **given)
    np.testing.assert_array_equal(clean.compute(), stemzoo.denoise(stack, MODEL, **given))
    with pytest.raises(ValueError, match="expected both"):
        stemzoo.denoise(da.from_array(stack), MODEL, mean=1.0)


def test_scans_are_restored_along_the_axis_of_the_first(stack):
    for turned in (stack, stack.transpose(0, 2, 1)):
        found = stemzoo.restore(da.from_array(turned, chunks=(2, -1, -1)))
        np.testing.assert_allclose(found.compute(), stemzoo.restore(turned), rtol=1e-5, atol=1e-5)


def test_one_scan_is_restored_as_a_whole(stack):
    image = da.from_array(stack[0], chunks=40)
    np.testing.assert_array_equal(stemzoo.restore(image).compute(), stemzoo.restore(stack[0]))
    found = stemzoo.restore(image, details=True)
    np.testing.assert_array_equal(found.rows, stemzoo.restore(stack[0], details=True).rows)


@pytest.fixture(params=["tiles", "windows"])
def small_tiles(request, tmp_path, monkeypatch):
    """A network in tiles of 64 px, or in windows of 16 px."""
    monkeypatch.setattr(loaded, "MAX_TILE", 64)
    monkeypatch.setattr("stemzoo.integrations.mosaic.MAX_TILE", 64)
    monkeypatch.setattr("stemzoo.integrations.mosaic.LEAST_PART", 32)
    path = tmp_path / "small.onnx"
    weight = np.random.default_rng(1).normal(size=(256, 256)) / 16
    windows = dense(16, 4, weight, np.zeros(256))
    path.write_bytes(smoothing() if request.param == "tiles" else windows)
    return stemzoo.load(path, trust=True)


def test_a_large_image_in_windows_is_that_of_the_whole(small_tiles):
    image = counts((300, 170)).astype(np.float32)
    image[100, 100] = 1e5  # a hot pixel
    clean = stemzoo.denoise(da.from_array(image, chunks=(90, 64)), small_tiles)
    assert clean.npartitions > 8
    expected = stemzoo.denoise(image, small_tiles)
    np.testing.assert_allclose(clean.compute(), expected, atol=1e-5 * np.ptp(expected))
    assert clean.chunks[0][0] < 100


@pytest.mark.parametrize("dtype", ["?", ">f4", "f2", "u1"])
def test_a_large_image_of_any_dtype(small_tiles, dtype):
    image = counts((300, 170)).astype(dtype)
    clean = stemzoo.denoise(da.from_array(image, chunks=90), small_tiles)
    expected = stemzoo.denoise(image, small_tiles)
    np.testing.assert_allclose(clean.compute(), expected, atol=1e-5 * np.ptp(expected))


def test_a_large_masked_image(small_tiles):
    image = counts((300, 170)).astype(np.float32)
    masked = np.ma.MaskedArray(image, np.zeros(image.shape, bool))
    masked[:100] = np.ma.masked
    clean = stemzoo.denoise(da.from_array(masked, chunks=90), small_tiles).compute()
    expected = stemzoo.denoise(masked, small_tiles)
    np.testing.assert_array_equal(np.ma.getmaskarray(clean), masked.mask)
    np.testing.assert_allclose(clean.filled(0), expected.filled(0), atol=1e-5 * np.ptp(expected))


def test_what_is_no_number_is_refused_in_a_part_too(small_tiles):
    image = counts((300, 170)).astype(np.float32)
    image[200, 3] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity; replace those pixels"):
        stemzoo.denoise(da.from_array(image, chunks=90), small_tiles).compute()


def test_map_blocks_needs_no_dtype(stack):
    frames = da.from_array(stack, chunks=(1, -1, -1))
    clean = da.map_blocks(stemzoo.denoise, frames, model=MODEL)
    assert clean.dtype == np.float32
    np.testing.assert_array_equal(clean.compute(), stemzoo.denoise(stack, MODEL))
    for empty in (np.zeros((0, 0)), np.zeros((1, 1))):
        with pytest.raises(ValueError, match=r"holds no pixels|has one pixel"):
            stemzoo.denoise(empty)


def test_a_pair_and_a_surface_are_numbers(stack):
    still, moving = stack[0], np.roll(stack[0], 2, 0)
    lazy = [da.from_array(image, chunks=40) for image in (still, moving)]
    assert stemzoo.drift(*lazy) == stemzoo.drift(still, moving)
    np.testing.assert_array_equal(stemzoo.ncc(*lazy, 8), stemzoo.ncc(still, moving, 8))


@pytest.mark.parametrize("frames", [1, 2, 20, 90])
def test_alignment_of_parts_is_that_of_the_whole(frames):
    lazy = series(frames, side=64, chunk=7)
    told = []
    found = stemzoo.align(lazy, None, progress=lambda *step: told.append(step))
    expected = stemzoo.align(lazy.compute(), None)
    np.testing.assert_allclose(found.shifts, expected.shifts, atol=1e-5)
    np.testing.assert_allclose(found.sigma, expected.sigma, atol=1e-5)
    np.testing.assert_array_equal(found.rejected, expected.rejected)
    np.testing.assert_array_equal(found.coverage, expected.coverage)
    np.testing.assert_allclose(found.average, expected.average, rtol=1e-4, atol=1e-4)
    assert told[-1][0] == told[-1][1]


def test_an_alignment_goes_on_where_it_was_cut(tmp_path):
    lazy = series(90, side=64, chunk=7)

    class Cut(Exception):
        pass

    def cut(done, total):
        raise Cut

    with pytest.raises(Cut):
        stemzoo.align(lazy, None, resume=tmp_path / "pairs.npz", progress=cut)
    whole = stemzoo.align(lazy, None)
    again = stemzoo.align(lazy, None, resume=tmp_path / "pairs.npz")
    np.testing.assert_array_equal(again.shifts, whole.shifts)


def test_masked_frames_are_aligned_by_what_they_show():
    frames = series(6, side=64).compute().astype(np.float32)
    masked = np.ma.MaskedArray(frames, np.zeros(frames.shape, bool))
    masked.mask[2, :, :12] = True
    found = stemzoo.align(da.from_array(masked, chunks=(2, -1, -1)), None)
    expected = stemzoo.align(masked, None)
    np.testing.assert_allclose(found.shifts, expected.shifts, atol=1e-5)
    np.testing.assert_array_equal(found.coverage, expected.coverage)


def test_unknown_sizes_and_colours_are_refused(stack):
    unknown = da.from_array(stack)[da.from_array(stack[:, 0, 0]) > 0]
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        stemzoo.denoise(unknown, MODEL)
    with pytest.raises(ValueError, match="complex"):
        stemzoo.denoise(da.from_array(stack + 1j), MODEL)
    with pytest.raises(ValueError, match="stack has shape"):
        stemzoo.align(da.from_array(stack[0]))


def test_a_task_takes_one_thread_unless_more_are_given():
    assert Sent.of(stemzoo.load(MODEL)).opened().threads == 1
    assert Sent.of(stemzoo.load(MODEL, threads=2)).opened().threads == 2
