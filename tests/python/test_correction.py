"""Corrections applied to what was recorded with a picture: laws, kinds of arrays, memory, files."""

import json
import tracemalloc

import numpy as np
import pytest

import stemzoo
from stemzoo.io import Micrograph
from stemzoo.registration.correction.correction import Correction
from stemzoo.registration.correction.recording import Recording

H, W, E = 40, 36, 7
random = np.random.default_rng(3)


def path(lines, dy, dx):
    """Drifts by (dy, dx), with jitter."""
    time = np.linspace(0, 1, lines)[:, None]
    return time * [dy, dx] + np.random.default_rng(lines).normal(0, 0.3, (lines, 2))


def merge():
    scans = (
        Recording((H, W), path(H, 3, -2), angle=0.0),
        Recording((W, H), path(W, 1, 2), angle=90.0),
        Recording((H, W), path(H, -1, 1), angle=-33.0),
    )
    return Correction("merge", (H, W), scans)


def alignment():
    frames = [((0, 0), (0, 0)), None, ((1.5, -2.25), (0.5, 0.2)), ((-3, 1), (0, 0))]
    recordings = [
        Recording((H, W), None)
        if frame is None
        else Recording((H, W), -np.array([frame[0]], float), rate=frame[1])
        for frame in frames
    ]
    return Correction("alignment", (H, W), tuple(recordings))


CASES = {
    "drift": stemzoo.Drift(2.3, -1.6, (0.1, 0.1), False, 1.0, ()).correction,
    "rows": Correction("rows", (H, W), (Recording((H, W), path(H, 0, 2)),)),
    "columns": Correction("rows", (H, W), (Recording((H, W), path(W, 1, 0), fast_axis="y"),)),
    "alignment": alignment(),
    "merge": merge(),
}


def counts(correction, trailing=(E,), dtype=np.uint16):
    found = [
        random.poisson(0.7, ((each.shape or (H, W)) + trailing)).astype(dtype)
        for each in correction.recordings
    ]
    return found[0] if correction.kind in ("drift", "rows") else found


def total(correction, given):
    several = [given] if isinstance(given, np.ndarray) else given
    placed = [
        x for x, each in zip(several, correction.recordings, strict=True) if each.path is not None
    ]
    return sum(x.sum(axis=(0, 1), dtype=float) for x in placed)


def each(given, change):
    return change(given) if isinstance(given, np.ndarray) else [change(one) for one in given]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("trailing", [(), (E,), (3, 2)])
def test_rebinning_conserves_counts_of_every_channel(name, trailing):
    correction = CASES[name]
    given = counts(correction, trailing)
    found = correction.apply(given, method="rebin")
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found.sum(axis=(0, 1), dtype=float), total(correction, given), rtol=1e-6
    )
    assert found.min() >= 0
    border = (found.shape[0] - H) // 2
    assert found.shape == (H + 2 * border, W + 2 * border, *trailing)
    inner = correction.apply(given, method="rebin", border=0)
    np.testing.assert_array_equal(inner, found[border : H + border, border : W + border])


@pytest.mark.parametrize("name", CASES)
def test_channels_are_interpolated_as_pictures_are(name):
    correction = CASES[name]
    given = counts(correction)
    found = correction.apply(given)
    assert found.shape == (H, W, E)
    for channel in (0, 5):
        picture = correction.apply(each(given, lambda x, at=channel: x[..., at]))
        np.testing.assert_array_equal(found[..., channel], picture)


def test_a_shift_by_whole_pixels_only_moves():
    moved = stemzoo.Drift(3, -2, (0.1, 0.1), False, 1.0, ())
    given = counts(moved.correction)
    found = moved.apply(given, method="rebin", border=0)
    np.testing.assert_array_equal(found[:-3, 2:], given[3:, :-2])
    np.testing.assert_allclose(moved.apply(given)[10:-10, 10:-10], found[10:-10, 10:-10], atol=1e-5)


def test_an_alignment_gives_its_own_average_again():
    still = random.poisson(40, (6, 64, 64)).astype(np.float32)
    still[:, 20:40, 20:40] += 300
    frames = np.stack([np.roll(frame, k, axis=1) for k, frame in enumerate(still)])
    frames[2, 5] = np.nan
    found = stemzoo.align(frames, model=None, scan_drift=True)
    np.testing.assert_array_equal(found.apply(frames), found.average)
    clean = np.nan_to_num(frames)
    sums = found.apply(clean, method="rebin")
    assert sums.sum(dtype=float) == pytest.approx(clean[~found.rejected].sum(dtype=float), rel=1e-6)


def test_frames_without_data_are_left_out():
    correction = CASES["merge"]
    given = counts(correction)
    found = correction.apply([None, given[1], None], method="rebin", border=9)
    other = correction.apply([0 * given[0], given[1], 0 * given[2]], method="rebin", border=9)
    np.testing.assert_array_equal(found, other)


@pytest.mark.parametrize("chunks", [(-1, -1, 3), (13, 12, -1), (10, -1, 2)])
@pytest.mark.parametrize("name", CASES)
def test_dask_computes_the_same_chunk_by_chunk(name, chunks):
    da = pytest.importorskip("dask.array")
    correction = CASES[name]
    given = counts(correction)
    lazy = each(given, lambda x: da.from_array(x, chunks=chunks))
    for options in ({"method": "rebin"}, {"method": "rebin", "border": 0}, {}):
        found = correction.apply(lazy, **options)
        np.testing.assert_allclose(
            found.compute(), correction.apply(given, **options), rtol=1e-6, atol=1e-6
        )
        if options and chunks[0] != -1:
            assert found.chunksize[0] == chunks[0]


def test_a_dask_stack_of_frames():
    da = pytest.importorskip("dask.array")
    correction = CASES["alignment"]
    given = np.stack(counts(correction))
    found = correction.apply(da.from_array(given, chunks=(1, -1, -1, 4)), method="rebin")
    np.testing.assert_allclose(found.compute(), correction.apply(given, method="rebin"), rtol=1e-6)


@pytest.mark.parametrize("method", ["rebin", "interpolate"])
def test_a_lazy_chunk_takes_the_memory_of_two(method):
    """One chunk that is read and one that is made, of a cube of four."""
    da = pytest.importorskip("dask.array")
    side, depth, energies = 192, 64, 256
    correction = Correction("rows", (side, side), (Recording((side, side), path(side, 2, 3)),))
    chunk = side * side * depth * 4

    def made(block_info=None):
        shape = block_info[None]["chunk-shape"]
        return np.ones(shape, np.float32)

    cube = da.map_blocks(
        made, chunks=((side,), (side,), (depth,) * (energies // depth)), dtype=np.float32
    )
    lazy = correction.apply(cube, method=method, border=0)
    total = 0.0
    lazy.blocks[0, 0, 0].compute(scheduler="synchronous")  # imports
    tracemalloc.start()
    for number in range(energies // depth):
        total += float(lazy.blocks[0, 0, number].compute(scheduler="synchronous").sum())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 0
    assert most < 2.2 * chunk  # the rest is the plane that is interpolated, and Dask's own


def test_files_are_read_block_by_block_into_files(tmp_path):
    h5py = pytest.importorskip("h5py")
    side, energies = 128, 1024
    cube = random.poisson(0.1, (side, side, energies)).astype(np.uint16)
    correction = Correction("rows", (side, side), (Recording((side, side), path(side, 2, 3)),))
    wanted = correction.apply(cube, method="rebin")
    with h5py.File(tmp_path / "cube.h5", "w") as file:
        stored = file.create_dataset("cube", data=cube)
        out = np.lib.format.open_memmap(
            tmp_path / "out.npy", "w+", dtype=np.float32, shape=wanted.shape
        )
        tracemalloc.start()
        found = correction.apply(stored, method="rebin", out=out)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found is out
    np.testing.assert_array_equal(out, wanted)
    assert most < 1.1 * cube.nbytes  # one block that is read; the result is in the file


def test_a_signal_of_hyperspy_stays_one():
    api = pytest.importorskip("hyperspy.api")
    correction = CASES["merge"]
    given = counts(correction)
    signals = [api.signals.Signal1D(cube) for cube in given]
    signals[0].axes_manager[0].scale = 0.5
    signals[0].axes_manager[2].units = "keV"
    found = correction.apply(signals, method="rebin")
    wanted = correction.apply(given, method="rebin")
    assert type(found) is type(signals[0])
    np.testing.assert_array_equal(found.data, wanted)
    border = (wanted.shape[1] - W) // 2
    assert found.axes_manager[0].size == wanted.shape[1]
    assert found.axes_manager[0].offset == -border * 0.5
    assert found.axes_manager[2].units == "keV"
    lazy = correction.apply([one.as_lazy() for one in signals], method="rebin")
    assert lazy._lazy
    np.testing.assert_allclose(lazy.data.compute(), wanted, rtol=1e-6)
    stack = api.signals.Signal1D(np.stack(counts(CASES["alignment"])))
    average = CASES["alignment"].apply(stack)
    assert average.data.shape == (H, W, E)
    assert [axis.size for axis in average.axes_manager.navigation_axes] == [W, H]


def test_a_micrograph_stays_one():
    given = Micrograph(counts(CASES["drift"], ()), (0.1, 0.1), "nm")
    found = CASES["drift"].apply(given, method="rebin")
    assert found.pixel_size == (0.1, 0.1)
    assert found.data.sum(dtype=float) == pytest.approx(given.data.sum(), rel=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_a_file_holds_all_of_it(name, tmp_path):
    correction = CASES[name]
    given = counts(correction)
    correction.save(tmp_path / "a.json")
    again = stemzoo.load_correction(tmp_path / "a.json")
    assert again.kind == correction.kind
    for method in ("interpolate", "rebin"):
        np.testing.assert_array_equal(
            again.apply(given, method=method), correction.apply(given, method=method)
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "is no correction: its format is 'other'"),
        ({"version": 2}, "is a correction of version 2; this stemzoo reads version 1"),
        ({"kind": "magic"}, "its kind is 'magic', expected one of drift"),
        ({"recordings": []}, "it lists no recordings"),
        ({"picture": None}, "the shape of its picture is missing"),
        ({"picture": [4, "x"]}, "is no shape"),
        ({"path": [[0, 1]] * 3}, "its path has 3 lines"),
        ({"path": [[0, None]] * H}, "its path holds null"),
        ({"path": [[0, 1, 2]] * H}, r"is no \[dy, dx\]"),
        ({"angle": "ninety"}, "are no numbers"),
        ({"rate": [1]}, "its rate has 1 numbers"),
        ({"fast_axis": "z"}, "its fast_axis is 'z'"),
    ],
)
def test_files_that_are_none(change, words, tmp_path):
    file = tmp_path / "a.json"
    CASES["rows"].save(file)
    held = json.loads(file.read_bytes())
    inner = change.keys() & held["recordings"][0].keys()
    (held["recordings"][0] if inner else held).update(change)
    file.write_text(json.dumps(held))
    with pytest.raises(stemzoo.FileError, match=words):
        stemzoo.load_correction(file)


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, "null"])
def test_files_that_are_no_json(text, tmp_path):
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(stemzoo.FileError, match="is no correction"):
        stemzoo.load_correction(file)


def test_refusals():
    rows, merged = CASES["rows"], CASES["merge"]
    given = counts(merged)
    with pytest.raises(ValueError, match=r"x has shape \(7, 40, 36\); the scan .* had \(40, 36\)"):
        rows.apply(np.zeros((E, H, W)))
    with pytest.raises(ValueError, match=r"x has shape \(40,\); expected \(rows, columns\)"):
        rows.apply(np.zeros(H))
    with pytest.raises(ValueError, match="x has dtype complex128"):
        rows.apply(np.zeros((H, W), complex))
    with pytest.raises(ValueError, match="got 2 images; expected 3, one for each scan"):
        merged.apply(given[:2])
    with pytest.raises(ValueError, match="expected the same energy or diffraction axes"):
        merged.apply([given[0], given[1][..., :3], given[2]])
    with pytest.raises(ValueError, match="method is 'magic'"):
        rows.apply(np.zeros((H, W)), method="magic")
    with pytest.raises(ValueError, match="border is -1"):
        rows.apply(np.zeros((H, W)), method="rebin", border=-1)
    with pytest.raises(ValueError, match="goes with method='rebin' alone"):
        rows.apply(np.zeros((H, W)), border=3)
    with pytest.raises(ValueError, match=r"expected a writable C-contiguous float32 array"):
        rows.apply(np.zeros((H, W)), out=np.zeros((H, W)))
    unknown = stemzoo.Drift(np.nan, np.nan, (np.inf, np.inf), True, 0.0, ())
    with pytest.raises(ValueError, match="their drift is unknown"):
        unknown.apply(np.zeros((H, W)))
    with pytest.raises(ValueError, match="is a masked array"):
        rows.apply(np.ma.masked_less(np.zeros((H, W)), 1))
