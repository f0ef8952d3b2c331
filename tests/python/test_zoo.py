"""Every folder of the zoo keeps the model contract; a new folder is a case by itself."""

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from stemzoo.inference.model import Model
from stemzoo.model_file.contract import Contract
from stemzoo.model_file.interface import LOOKS, Images, Looks, Surfaces
from stemzoo.zoo.index import companions, newest

ZOO = Path(__file__).parents[2] / "zoo"
FILES = sorted(ZOO.glob("*/*.onnx"))


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def path(request):
    return request.param


def test_there_are_models():
    assert FILES


def test_the_file_explains_itself(path):
    contract = Contract.of(path.read_bytes(), str(path))
    assert path.name == f"{contract.name}-{contract.version}.onnx"
    assert path.parent.name == contract.name
    assert contract.task == contract.name.split("-")[0] or contract.name.startswith(
        ("buban", "vasudevan", "lobato", "williams")
    )
    assert {"recipe", "commit", "seed", "device", "minutes"} <= json.loads(contract.training).keys()


def test_the_graph_is_one_that_old_runtimes_read(path):
    model = onnx.load(path, load_external_data=False)
    assert model.ir_version <= 8
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 17)]
    assert {node.domain for node in model.graph.node} == {""}
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    shapes = {}
    for tensor in (*model.graph.input, *model.graph.output):
        assert tensor.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        sizes = tensor.type.tensor_type.shape.dim
        shapes[tensor.name] = [size.dim_value for size in sizes]  # 0 where it is free
    interface = Contract.of(path.read_bytes(), str(path)).interface
    side = interface.side
    if isinstance(interface, Surfaces):
        assert shapes == {"surface": [0, 1, side, side], "drift": [0, 2], "sigma": [0, 2]}
    elif isinstance(interface, Looks):
        assert shapes == {"look": [0, LOOKS, 0, 0], "features": [0, interface.features, 0, 0]}
    else:
        assert shapes == {"image": [0, 1, side, side], "output": [0, 1, side, side]}


def test_a_denoiser_that_comes_first_is_in_the_zoo(path):
    denoiser = Contract.of(path.read_bytes(), str(path)).denoiser
    if denoiser:
        name, _, version = denoiser.partition("@")
        first = ZOO / name / f"{name}-{version}.onnx"
        assert Contract.of(first.read_bytes(), str(first)).task == "denoise"


def test_sample_vectors_hold(path):
    files = {name.removeprefix(f"{path.stem}."): file for name, file in companions(path).items()}
    given, expected = np.load(files["sample_input.npy"]), np.load(files["sample_output.npy"])
    np.testing.assert_allclose(Model(path).outputs(given)[0], expected, rtol=1e-3, atol=1e-3)


def _takes_any_size(path):
    """Of an image, which may come in tiles; frames are looked at as a whole."""
    return isinstance(Contract.of(path.read_bytes(), str(path)).interface, Images)


ANY_SIZE = [path for path in FILES if _takes_any_size(path)]


@pytest.mark.parametrize("path", ANY_SIZE, ids=[path.stem for path in ANY_SIZE])
def test_pixels_beyond_the_halo_change_nothing(path):
    model = Model(path)
    if model.contract.whole:
        pytest.skip("estimates the noise from the whole frame, which is why it asks for all of it")
    multiple, halo = model.contract.multiple, model.contract.halo
    side = 2 * halo + 2 * multiple
    image = np.random.default_rng(2).standard_normal((1, 1, side, side)).astype("f4")
    wide = np.pad(image, ((0, 0), (0, 0), (multiple, multiple), (multiple, multiple)))
    inside = np.s_[..., halo:-halo, halo:-halo]
    answer = model.infer(wide)[..., multiple:-multiple, multiple:-multiple]
    np.testing.assert_allclose(model.infer(image)[inside], answer[inside], atol=1e-5)


CURRENT = [path for path in FILES if path == newest(path.parent)]


@pytest.mark.parametrize("path", CURRENT, ids=[path.stem for path in CURRENT])
def test_the_figures_belong_to_the_newest_version(path):
    metrics = json.loads((path.parent / "metrics.json").read_text())
    assert metrics["sha256"] == Model(path).sha256


@pytest.mark.parametrize("path", CURRENT, ids=[path.stem for path in CURRENT])
def test_the_description_names_the_files_beside_it(path):
    files = re.findall(r"source: (.+)", (path.parent / "bioimageio.yaml").read_text())
    assert set(files) == {"README.md", "sample_input.npy", "sample_output.npy", path.name}
