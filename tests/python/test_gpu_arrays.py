"""Arrays on a GPU in and out without a copy, on an emulated one: what the CPU makes of the same."""

import ctypes
import pickle
import re
import warnings
from pathlib import Path

import emulated_gpu
import numpy as np
import pytest
from emulated_gpu import KINDS, CudaArray, DlpackArray, on_host

import stemzoo
from stemzoo import _core
from stemzoo.common.devices import as_given, gpu_number, stream_handle

emulated_gpu.require()


@pytest.fixture
def stack(random, lattice):
    return random.poisson(20 * lattice + 5, (5, *lattice.shape)).astype(np.uint16)


@pytest.mark.parametrize("kind", KINDS)
def test_ncc_of_arrays_on_a_gpu(stack, kind):
    expected = stemzoo.ncc(stack[0], stack[1], (6, 9))
    found = stemzoo.ncc(kind(stack[0]), kind(stack[1]), (6, 9))
    np.testing.assert_allclose(on_host(found), expected, atol=1e-5)


@pytest.mark.parametrize("kind", [np.asarray, *KINDS])
def test_a_stack_against_one_reference(stack, kind):
    expected = stemzoo.NccReference(stack[0], 7)(stack)
    reference = stemzoo.NccReference(
        kind(stack[0]), 7, device="cuda:1" if kind is np.asarray else None
    )
    found = reference(kind(stack))
    surfaces = found if kind is np.asarray else on_host(found)
    np.testing.assert_allclose(surfaces, expected, atol=1e-5)
    assert reference.device_bytes > stack[0].nbytes
    single = reference(kind(stack[2]))
    np.testing.assert_array_equal(single if kind is np.asarray else on_host(single), surfaces[2])


def test_masks_on_a_gpu(stack):
    masked = np.ma.masked_less(stack, 6)
    for still, moving in ((masked[0], masked), (stack[0], masked), (masked[0], stack)):
        expected = stemzoo.NccReference(still, 7)(moving)
        reference = stemzoo.NccReference(still, 7, device="cuda:1")
        np.testing.assert_allclose(reference(moving), expected, atol=1e-5)
        np.testing.assert_allclose(reference(moving[1]), expected[1], atol=1e-5)
        again = pickle.loads(pickle.dumps(reference))
        np.testing.assert_array_equal(again(moving), reference(moving))
    there = stemzoo.NccReference(CudaArray(stack[0]), 7)
    one = stemzoo.ncc(stack[0], masked[2], 7)
    np.testing.assert_allclose(there(masked[2]), one, atol=1e-5)
    np.testing.assert_allclose(stemzoo.ncc(stack[0], masked[2], 7, device="cuda"), one, atol=1e-5)
    assert there.device_bytes > stemzoo.NccReference(stack[0], 7, device="cuda").device_bytes
    broken = masked.astype("f4")
    broken[3, 1, 1] = np.inf
    with pytest.raises(ValueError, match="NaN, infinite or beyond 1e150"):
        there(broken)


def test_strides_and_types_are_read_where_they_lie(stack):
    for dtype in ("u1", "i2", "u4", "f4", "f8"):
        turned = np.asarray(stack, dtype).transpose(0, 2, 1)[:, ::-1]
        expected = stemzoo.NccReference(turned[0], 5)(turned)
        for kind in KINDS:
            found = stemzoo.NccReference(kind(turned[0]), 5)(kind(turned))
            np.testing.assert_allclose(on_host(found), expected, atol=1e-5)


def test_a_reference_of_the_host_travels_and_one_of_a_gpu_says_that_it_does_not(stack):
    reference = stemzoo.NccReference(stack[0], 4, device="cuda:1")
    again = pickle.loads(pickle.dumps(reference))
    np.testing.assert_array_equal(again(stack[1]), reference(stack[1]))
    with pytest.raises(TypeError, match="does not travel to another process"):
        pickle.dumps(stemzoo.NccReference(CudaArray(stack[0]), 4))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", ["hann", "crop"])
def test_tiles_of_an_array_on_a_gpu(random, kind, weights):
    image = random.normal(size=(45, 61)).astype("f4")
    tiles = stemzoo.Tiling(image.shape, tile=16, step=12, weights=weights)
    batch = tiles.split(kind(image))
    np.testing.assert_array_equal(on_host(batch), tiles.split(image))
    np.testing.assert_allclose(on_host(tiles.blend(batch)), image, atol=1e-6)
    part = np.zeros((4, 16, 16), "f4")
    assert tiles.split(kind(image), kind(part), first=3) is not None
    np.testing.assert_array_equal(part, tiles.split(image, first=3, count=4))


def test_tiles_of_the_host_go_to_the_gpu_asked_for(random):
    image = random.integers(0, 255, (40, 30)).astype("u1")
    tiles = pickle.loads(pickle.dumps(stemzoo.Tiling(image.shape, 16, 8, device="cuda:1")))
    batch = tiles.split(image)
    assert batch.device == 1
    np.testing.assert_allclose(on_host(tiles.blend(batch)), image, rtol=1e-6)
    with pytest.raises(ValueError, match=r"batch holds 3 of \d+ windows from number 2"):
        tiles.blend(on_host(batch)[2:5], first=2)


def test_a_result_shows_itself_by_both_protocols(stack):
    result = stemzoo.ncc(CudaArray(stack[0]), CudaArray(stack[1]), 3)
    interface = result.__cuda_array_interface__
    assert (interface["shape"], interface["typestr"]) == ((7, 7), "<f4")
    floats = ctypes.cast(interface["data"][0], ctypes.POINTER(ctypes.c_float))
    np.testing.assert_array_equal(np.ctypeslib.as_array(floats, (7, 7)), on_host(result))
    assert result.__dlpack_device__() == (2, 0)
    again = _core.DeviceTensor.from_dlpack(result.__dlpack__(stream=1))
    assert again.pointer == result.pointer
    del result
    assert np.isfinite(on_host(again)).all()  # the memory is still held
    capsule = again.__dlpack__()
    _core.DeviceTensor.from_dlpack(capsule)
    with pytest.raises(ValueError, match="was used already"):
        _core.DeviceTensor.from_dlpack(capsule)


def test_results_are_of_the_callers_kind():
    torch = pytest.importorskip("torch")
    tensor = _core.DeviceTensor.empty(0, (2, 2))
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "from_dlpack", lambda given: seen.append(given) or "theirs")
        patch.setattr("stemzoo.common.devices.on_gpu", lambda array: True)
        assert as_given(tensor, torch.zeros(1)) == "theirs"
    assert seen == [tensor]
    assert as_given(tensor, CudaArray([0.0])) is tensor


def test_the_callers_stream_is_told_to_the_producer(stack):
    moving = DlpackArray(stack[1])
    stemzoo.NccReference(DlpackArray(stack[0]), 3)(moving, stream=7)
    assert moving.streams[-1] == 7

    class Stream:
        ptr = 99

    assert [stream_handle(each) for each in (None, 5, Stream())] == [0, 5, 99]
    with pytest.raises(ValueError, match="expected a CUDA stream"):
        stream_handle("fast")


def test_what_cannot_be_is_said(stack):
    for device in ("gpu", "cuda:x", "cuda:-1", "tpu:0"):
        with pytest.raises(ValueError, match="expected 'cpu', 'cuda'"):
            gpu_number(device)
    with pytest.raises(ValueError, match="cuda:9 is not there; this machine has 2"):
        stemzoo.ncc(stack[0], stack[1], 3, device="cuda:9")
    with pytest.raises(ValueError, match="dtype <f2; expected an integer"):
        stemzoo.ncc(CudaArray(stack[0].astype("f2")), CudaArray(stack[1]), 3)
    with pytest.raises(ValueError, match="big-endian"):
        stemzoo.ncc(CudaArray(stack[0].astype(">f4")), CudaArray(stack[1]), 3)
    with pytest.raises(ValueError, match=r"moving has shape \(5,\)"):
        stemzoo.ncc(CudaArray(stack[0]), CudaArray(np.zeros(5, "f4")), 3)
    with pytest.raises(ValueError, match="expected equal shapes"):
        stemzoo.ncc(CudaArray(stack[0]), CudaArray(stack[1][:40]), 3)
    broken = stack.astype("f4")
    broken[3, 2, 2] = np.nan
    with pytest.raises(ValueError, match="moving image 3 has pixels that are NaN"):
        stemzoo.NccReference(CudaArray(stack[0]), 3)(CudaArray(broken))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_computed_on_the_cpu_takes_arrays_of_a_gpu_too(random, lattice, kind):
    moved = np.roll(lattice, (2, -3), (0, 1))
    frames = [random.poisson(50 * image + 5).astype("f4") for image in (lattice, moved)]
    expected = stemzoo.drift(*frames, model=None, max_shift=5)
    assert stemzoo.drift(*map(kind, frames), model=None, max_shift=5) == expected
    # Not without gaps.
    turned = [kind(frame[:, ::-1]) for frame in frames]
    flipped = stemzoo.drift(*turned, model=None, max_shift=5)
    assert (flipped.dy, flipped.dx) == pytest.approx((expected.dy, -expected.dx), abs=0.05)


@pytest.mark.parametrize("kind", [np.asarray, *KINDS])
@pytest.mark.parametrize("model", [None, "drift-lattice"])
def test_drifts_of_a_stack_against_one_reference(random, lattice, kind, model):
    stack = np.stack(
        [random.poisson(50 * np.roll(lattice, (i, -2 * i), (0, 1)) + 5) for i in range(3)]
    ).astype("u2")
    expected = [stemzoo.drift(stack[0], frame, model, max_shift=6) for frame in stack]
    on_cpu = stemzoo.DriftReference(stack[0], model, max_shift=6)
    assert list(on_cpu(stack)) == expected
    assert on_cpu.device_bytes == 0
    on_gpu = stemzoo.DriftReference(kind(stack[0]), model, max_shift=6, device="cuda")
    for found, drift in zip(on_gpu(kind(stack)), expected, strict=True):
        assert (found.dy, found.dx) == pytest.approx((drift.dy, drift.dx), abs=1e-3)
        assert (found.ambiguous, found.reason) == (drift.ambiguous, drift.reason)
        assert found.score == pytest.approx(drift.score, abs=1e-4)
    assert on_gpu.device_bytes > stack.nbytes
    assert pickle.loads(pickle.dumps(on_gpu))(stack) == on_gpu(stack)


def test_what_no_stack_of_drifts_is(stack):
    reference = stemzoo.DriftReference(stack[0], None, device="cuda:1")
    with pytest.raises(ValueError, match="stack is masked, and masks are not read here"):
        reference(np.ma.masked_less(stack, 6))
    with pytest.raises(
        ValueError, match=r"stack has frames of shape \(40, .*expected frames of one"
    ):
        reference(stack[:, :40])
    with pytest.raises(ValueError, match="3-D stack"):
        reference(CudaArray(stack[0]))
    broken = stack.astype("f4")
    broken[3, 20, 20] = np.nan
    with pytest.raises(ValueError, match=r"stack\[3\] holds NaN or infinity"):
        reference(broken)


def test_the_examples_of_the_page_about_gpus_run(stack, lattice):
    page = (Path(__file__).parents[2] / "docs" / "gpu.md").read_text()
    names = {"image": stack[0], "reference": stack[0], "moving": stack[1], "stack": stack}
    names["frames"] = CudaArray(stack)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # there is no card for ONNX Runtime
        for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
            exec(compile(block, "gpu.md", "exec"), names)
    assert on_host(names["surfaces"]).shape == (5, 65, 65)
    assert on_host(names["clean"]).shape == lattice.shape
