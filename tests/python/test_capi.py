"""The C library against Python: the same bits, and the same refusals.

The library is the one that an editable install, or tests/cpp/run, has built beside `_core`.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import onnx
import pytest
import stemzoo_client
from hostile_models import hostile

import stemzoo
from stemzoo.inference.model import Model
from stemzoo.model_file.interface import Surfaces, TakesImages
from stemzoo.registration.correction.rows import straighten
from stemzoo.scan.rows import find_rows

ROOT = Path(__file__).parents[2]
MODELS = sorted((ROOT / "zoo").glob("*/*.onnx"))
OK, BAD_ARGUMENT, BAD_MODEL = 0, 1, 2
MOST_CANDIDATES = 16
DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]  # enum stemzoo_dtype


class Image(stemzoo_client._Image):
    @classmethod
    def of(cls, array, mask=None):
        """A view of the array, which must outlive it."""
        rows, cols = (stride // array.itemsize for stride in array.strides)
        pixels, dtype = array.ctypes.data, DTYPES.index(array.dtype.str[1:])
        masked = (None, 0) if mask is None else (mask.ctypes.data, mask.strides[0])
        return cls(pixels, dtype, *array.shape, rows, cols, *masked)


class Drift(stemzoo_client._Drift):
    def told(self):
        candidates = self.candidates[: self.candidate_count]
        return (
            (self.dy, self.dx, self.sigma_y, self.sigma_x, self.score),
            (bool(self.ambiguous), bool(self.resolved), self.reason.decode()),
            [(each.dy, each.dx, each.probability) for each in candidates],
            pytest.approx(self.probability, abs=1e-12),  # a sum, in another order
        )


def library_file():
    """The newest that was built here and loads into a plain Python."""
    built = (ROOT / "build").glob("*/libstemzoo.so.0")
    plain = [path for path in built if path.parent.name not in ("sanitize", "tsan", "fuzz")]
    return max(plain, key=lambda path: path.stat().st_mtime, default=None)


class Library:
    def __init__(self, path):
        self.core = ctypes.CDLL(str(path))
        self.core.stemzoo_last_error.restype = ctypes.c_char_p

    def __call__(self, name, *arguments):
        """Calls a function, which must succeed."""
        status = self.status(name, *arguments)
        assert status == OK, f"{name}: {status}, {self.error()}"

    def status(self, name, *arguments):
        pointers = (
            ctypes.byref(each) if isinstance(each, ctypes.Structure) else each for each in arguments
        )
        return getattr(self.core, f"stemzoo_{name}")(*pointers)

    def error(self):
        return self.core.stemzoo_last_error().decode()

    def made(self, name, *arguments):
        """A new object."""
        handle = ctypes.c_void_p()
        self(name, *arguments, ctypes.byref(handle))
        return handle


@pytest.fixture(scope="module")
def c():
    path = library_file()
    if path is None and not Path(stemzoo.__file__).is_relative_to(ROOT):
        pytest.skip("a wheel holds no C library; pip install -e . builds it")
    assert path, "the C library was not built; pip install -e . builds it"
    runtime = Path(__import__("onnxruntime").__file__).parent / "capi"
    library = Library(path)
    library("runtime_load", str(next(runtime.glob("libonnxruntime.so.*"))).encode())
    return library


@pytest.fixture(scope="module", params=MODELS, ids=lambda path: path.stem)
def pair(request, c):
    """The same model in C and in Python."""
    handle = c.made("model_open", str(request.param).encode(), None)
    yield handle, Model(request.param, ["CPUExecutionProvider"])
    c("model_close", handle)


def counts(shape, seed=0):
    return np.random.default_rng(seed).poisson(20, shape).astype("f4")


def run(c, handle, image, mask=None):
    out = np.full(image.shape, np.nan, "f4")
    c("model_run", handle, Image.of(image, mask), None, _address(out), _stride(out))
    return out


def _address(array):
    return ctypes.c_void_p(array.ctypes.data)


def _stride(array):
    return ctypes.c_ssize_t(array.strides[0] // array.itemsize)


SHAPES = [(64, 64), (61, 83), (2, 7), (129, 33)]


def test_every_model_gives_the_same_bits(c, pair):
    handle, model = pair
    if not isinstance(model.contract.interface, TakesImages):
        image = counts((64, 64))
        status = c.status(
            "model_run", handle, Image.of(image), None, _address(image), _stride(image)
        )
        assert status == BAD_ARGUMENT
        surfaces = isinstance(model.contract.interface, Surfaces)
        why = "for which the C library has no call" if surfaces else "stemzoo_estimator_create"
        assert why in c.error()
        return
    for shape in SHAPES:
        image = counts(shape)
        np.testing.assert_array_equal(run(c, handle, image), model(image))
    image = counts((150, 170))[::-1, ::2][4:140, 5:]
    assert not image.flags.c_contiguous
    np.testing.assert_array_equal(run(c, handle, image), model(image))
    counted = counts((70, 60)).astype("u2").T
    np.testing.assert_array_equal(run(c, handle, counted), model(counted))
    mask = counts((64, 64), 3) > 25
    image = counts((64, 64))
    np.testing.assert_array_equal(
        run(c, handle, image, mask), model(np.ma.MaskedArray(image, mask)).data
    )


def test_metadata_is_that_of_the_file(c, pair):
    handle, model = pair
    for each in onnx.load(model.path).metadata_props:
        found = ctypes.c_char_p()
        key = each.key.removeprefix("stemzoo.")
        c("model_metadata", handle, key.encode(), ctypes.byref(found))
        assert found.value.decode() == each.value


def test_a_whole_frame_and_tiles_give_the_same_bits(c):
    path = next(path for path in MODELS if path.stem == "denoise-live-1.0.0")
    model, handle = Model(path, ["CPUExecutionProvider"]), c.made("model_open", bytes(path), None)
    for shape in [(512, 512), (40, 2600)]:
        image = counts(shape)
        np.testing.assert_array_equal(run(c, handle, image), model(image))
    c("model_close", handle)


@pytest.mark.parametrize("masked", [False, True])
def test_correlation_gives_the_same_bits(c, masked):
    reference, moving = counts((90, 71)), counts((90, 71), 1).astype("u2")
    mask = counts((90, 71), 2) > 24 if masked else None
    with_mask = reference if mask is None else np.ma.MaskedArray(reference, mask)
    limits = ctypes.c_size_t(9), ctypes.c_size_t(12), ctypes.c_double(0), 0
    ncc = c.made("ncc_create", Image.of(reference, mask), *limits)
    surface = np.empty((19, 25), "f4")
    c("ncc_run", ncc, Image.of(moving), _address(surface))
    c("ncc_close", ncc)
    np.testing.assert_array_equal(surface, stemzoo.ncc(with_mask, moving, (9, 12)))


def drifting(lattice, number):
    noise = np.random.default_rng(number)
    heights = np.random.default_rng(99).normal(1, 0.2, lattice.shape)
    return noise.poisson(20 * np.roll(lattice * heights, (2 * number, -number), (0, 1)) + 3)


@pytest.mark.parametrize("name", [None, "drift-lattice"])
def test_drift_gives_the_same_bits(c, lattice, name):
    frames = [drifting(lattice, number).astype("i4") for number in range(6)]
    options = stemzoo_client._DriftOptions()
    if name:
        file = next((ROOT / "zoo" / name).glob("*.onnx"))
        options.model = c.made("model_open", bytes(file), None).value
    images = [Image.of(frame) for frame in frames]
    rows, cols = (ctypes.c_size_t(side) for side in frames[0].shape)
    estimator = c.made("estimator_create", rows, cols, options)
    found = Drift()
    c("estimator_run", estimator, images[0], images[1], found)
    assert found.told() == told(stemzoo.drift(frames[0], frames[1], name))
    c("estimator_close", estimator)

    tracker = c.made("tracker_create", images[0], options)
    if name:
        c("model_close", ctypes.c_void_p(options.model))
    own = stemzoo.DriftTracker(frames[0], name)
    for number, frame in enumerate(frames[1:], 1):
        c("tracker_push", tracker, images[number], ctypes.c_double(number), found)
        assert found.told() == told(own.push(frame, time=float(number)))
    numbers = (ctypes.c_double * 4)()
    four = [ctypes.byref(numbers, 8 * i) for i in range(4)]
    c("tracker_predict", tracker, ctypes.c_double(9.0), *four)
    predicted = own.predict(9.0)
    assert list(numbers) == [predicted.dy, predicted.dx, *predicted.sigma]
    c("tracker_close", tracker)


def told(drift):
    return (
        (drift.dy, drift.dx, *drift.sigma, drift.score),
        (drift.ambiguous, getattr(drift, "resolved", False), drift.reason),
        [tuple(each) for each in drift.candidates[:MOST_CANDIDATES]],
        drift.probability,
    )


def test_rows_give_the_same_bits(c, lattice):
    pilot = (1000 + 50 * lattice).astype("f4")
    shifts = np.random.default_rng(1).normal(0, 1, len(pilot)).round().astype(int)
    image = np.stack([np.roll(row, -shift) for row, shift in zip(pilot, shifts, strict=True)])
    found = np.empty((len(pilot), 4))
    sides = [ctypes.c_size_t(side) for side in image.shape]
    c("rows_find", _address(image), _address(pilot), *sides, None, _address(found))
    expected = find_rows(image, pilot)
    np.testing.assert_array_equal(found[:, :2], expected.displacements)
    np.testing.assert_array_equal(found[:, 2:], expected.sigma)
    assert np.ptp(found[:, 1]) > 1
    out = np.empty_like(image)
    c("rows_apply", _address(image), *sides, _address(found), _address(out))
    np.testing.assert_array_equal(out, straighten(image, expected.displacements))


def test_both_refuse_hostile_models_alike(c, tmp_path):
    for name, content, _ in hostile():
        path = tmp_path / "model.onnx"
        path.write_bytes(content)
        with pytest.raises(stemzoo.ModelError) as refusal:
            Model(path)
        handle = ctypes.c_void_p()
        status = c.status("model_open", bytes(path), None, ctypes.byref(handle))
        assert (status, handle.value) == (BAD_MODEL, None), f"{name}: {status}, {c.error()}"
        assert c.error() == str(refusal.value), name
