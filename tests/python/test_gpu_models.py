"""Models whose images stay on a GPU, on an emulated one; ONNX Runtime's CPU provider reads its
memory, which is the host's, by the same bindings."""

import logging
import pickle

import emulated_gpu
import numpy as np
import onnxruntime
import pytest
from emulated_gpu import KINDS, CudaArray, on_host
from small_models import no_number, same

import stemzoo
from stemzoo.inference import model as model_module
from stemzoo.inference import providers
from stemzoo.inference.fixed_shape import fixed_tiles
from stemzoo.inference.model import Model

emulated_gpu.require()


@pytest.fixture(scope="module")
def model():
    return stemzoo.load("denoise-live", threads=1)


@pytest.fixture
def counts(random, lattice):
    return random.poisson(20 * lattice + 2).astype(np.uint16)


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_on_a_gpu_is_denoised_there(model, counts, kind):
    expected = model.run(counts)
    found = model.run(kind(counts))
    np.testing.assert_allclose(on_host(found.image), expected.image, atol=1e-4)
    for key in ("mean", "std"):
        assert found.settings["normalisation"][key] == pytest.approx(
            expected.settings["normalisation"][key], rel=1e-12
        )
    assert found.settings["tiling"] == expected.settings["tiling"]


def test_tiles_of_a_large_image_go_through_in_batches_of_one_shape(model, random, monkeypatch):
    monkeypatch.setattr(model_module, "MAX_TILE", 512)
    image = random.poisson(9, (700, 900)).astype(np.float32)
    seen = []
    result = model(CudaArray(image), progress=lambda done, total: seen.append((done, total)))
    np.testing.assert_allclose(on_host(result), model(image), atol=1e-3)
    assert seen[-1][0] == seen[-1][1]


def test_a_stack_on_a_gpu_gives_a_stack(model, counts):
    stack = np.stack([counts, counts * 3])
    run = model.run(CudaArray(stack))
    np.testing.assert_allclose(on_host(run.image), model(stack), rtol=1e-4, atol=1e-4)
    assert len(run.settings["normalisation"]) == 2


def test_hot_pixels_are_found_on_a_gpu_too(model, counts):
    hot = counts.astype(np.float32)
    hot[40, 40] = 1e6
    run, expected = model.run(CudaArray(hot)), model.run(hot)
    assert run.settings["normalisation"]["limits"] == expected.settings["normalisation"]["limits"]
    np.testing.assert_allclose(on_host(run.image), expected.image, rtol=1e-4, atol=1e-4)


def test_a_constant_image_comes_back_exactly(model):
    image = np.full((64, 72), 3.7, np.float32)
    np.testing.assert_array_equal(on_host(model(CudaArray(image))), image)


@pytest.fixture
def plain(tmp_path):
    """A file with a network that gives back what it is given, of sides in multiples of 8."""
    path = tmp_path / "plain.onnx"
    path.write_bytes(same("denoise", multiple=8, halo=16))
    return path


def test_bound_buffers_are_kept_for_the_next_image(plain):
    model = Model(plain)
    bound = model._session.bound
    for _ in range(3):
        model(CudaArray(np.eye(64, dtype="f4")))
    assert len(bound) == 1
    for side in range(8, 88, 8):
        model(CudaArray(np.eye(side, dtype="f4")))
    assert len(bound) == 8


def test_a_broken_network_is_told_of(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(no_number("denoise"))
    broken = Model(path)
    with pytest.raises(stemzoo.ModelError, match="gave NaN or infinity"):
        broken(CudaArray(np.arange(64.0).reshape(8, 8)))


def test_what_is_no_image_is_refused(model):
    with pytest.raises(ValueError, match=r"image has shape \(4,\)"):
        model(CudaArray(np.zeros(4, "f4")))
    image = np.ones((20, 20), np.float32)
    image[3, 3] = np.nan
    with pytest.raises(ValueError, match="image holds NaN or infinity"):
        model(CudaArray(image))


def test_one_tile_shape_for_images_of_every_size(plain, random, caplog):
    with caplog.at_level(logging.INFO, "stemzoo"):
        model = Model(plain, tile=64)
    assert "the first run on CPUExecutionProvider, at 64 x 64 px, took" in caplog.text
    shapes = []
    infer = model.infer
    model.infer = lambda batch: shapes.append(batch.shape) or infer(batch)
    for shape in ((10, 13), (64, 64), (100, 70)):
        image = random.normal(size=shape)
        np.testing.assert_allclose(model(image), image, atol=1e-6)
        np.testing.assert_allclose(on_host(model(CudaArray(image))), image, atol=1e-6)
    assert {shape[1:] for shape in shapes} == {(1, 64, 64)}
    assert {shape[1:] for shape, _ in model._session.bound._kept} == {(1, 64, 64)}
    assert pickle.loads(pickle.dumps(model))._tile == 64


def test_a_fixed_tile_leaves_halos_between_windows():
    tiling = fixed_tiles((900, 700), 512, {"multiple": 8, "halo": 50, "whole": 0})
    assert tiling.tile == (512, 512)
    assert tiling.step == (408, 408)


@pytest.mark.parametrize("tile", [0, 17, 32, True, 64.0, "64"])
def test_a_tile_that_cannot_be_is_refused(plain, tile):
    with pytest.raises(
        ValueError, match=r"tile is .*; expected a multiple of 8 px and at least 40"
    ):
        Model(plain, tile=tile)


# --- a provider asked for and not granted


def test_a_device_that_does_not_work_is_a_warning_with_the_reason():
    with pytest.warns(UserWarning, match=r"asked for CUDAExecutionProvider.*runs on CPU.*: .{10}"):
        model = stemzoo.load("denoise-live", device="cuda")
    assert model.provider == "CPUExecutionProvider"
    assert stemzoo.load("denoise-live", device="cpu").provider == "CPUExecutionProvider"


def test_strict_makes_it_an_error():
    with pytest.raises(stemzoo.ModelError, match="asked for CUDAExecutionProvider"):
        stemzoo.load("denoise-live", device="cuda", strict=True)
    with pytest.raises(stemzoo.ModelError, match=r"asked for WebGpu.*pip install"):
        stemzoo.load("denoise-live", providers=["WebGpuExecutionProvider"], strict=True)


def test_a_provider_that_fails_to_open_tells_why_and_the_cpu_takes_over(monkeypatch):
    opened = providers.opened

    def failing(content, options, asked):
        if asked[0][0] == providers.CUDA:
            raise RuntimeError("out of cards")
        return opened(content, options, asked)

    monkeypatch.setattr(providers, "_missing", lambda name: "")
    monkeypatch.setattr(providers, "opened", failing)
    with pytest.warns(UserWarning, match="runs on CPUExecutionProvider: out of cards"):
        stemzoo.load("denoise-live", device="cuda:1")


def test_what_is_asked_for_reaches_onnxruntime():
    asked = providers.asked_for(device="cuda:3")
    assert asked.options(providers.CUDA) == {"use_tf32": "0", "device_id": "3"}
    asked = providers.asked_for([(providers.CUDA, {"enable_cuda_graph": 1}), providers.CPU])
    assert asked.options(providers.CUDA)["enable_cuda_graph"] == "1"
    with pytest.raises(ValueError, match="expected one of them"):
        providers.asked_for([providers.CPU], device="cuda")


def test_less_than_float32_needs_to_be_measured_first():
    with pytest.raises(stemzoo.ModelError, match="was never measured in tf32"):
        stemzoo.load("denoise-live", device="cuda", precision="tf32")
    with pytest.raises(ValueError, match="cannot be asked for"):
        stemzoo.load("denoise-live", device="cpu", precision="fp16")
    with pytest.raises(ValueError, match="precision is 'int8'"):
        stemzoo.load("denoise-live", device="cuda", precision="int8")


def test_graphs_are_told_apart_by_binding():
    from stemzoo import _core
    from stemzoo.inference.bindings import Bindings

    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(same("denoise"), options, ["CPUExecutionProvider"])
    asked = providers.asked_for([(providers.CPU, {"enable_cuda_graph": "1"})])
    bindings = Bindings(session, providers.CPU, asked)
    batch = _core.DeviceTensor.empty(0, (1, 1, 8, 8))
    answer = bindings.run(batch)
    np.testing.assert_array_equal(answer.to_host(), batch.to_host())
    assert answer.pointer == bindings.run(batch).pointer
