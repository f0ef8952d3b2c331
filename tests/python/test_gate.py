"""The gate before ONNX Runtime: what it refuses, with which words, and what it lets through."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hostile_models import graph, hostile
from onnx import helper
from small_models import dense, features, same

from stemzoo import ModelError, _core
from stemzoo.inference.model import Model
from tests.fuzz.gate import fuzz
from tests.fuzz.networks import networks

ZOO = sorted((Path(__file__).parents[2] / "zoo").glob("*/*.onnx"))
MEMORY = 1 << 30  # for all files

# All files in one process that may hold a gigabyte: what each was told.
EXAMINE = """
import json, resource, sys
from pathlib import Path
from stemzoo import ModelError, _core
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    said = ""
    try:
        _core.examine(path.read_bytes(), path.name)
    except ModelError as error:
        said = str(error)
    print(json.dumps([path.name, said]), flush=True)
"""


@pytest.fixture(scope="module")
def cases():
    return list(hostile())


@pytest.fixture(scope="module")
def answers(cases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for number, (_, content, _) in enumerate(cases):
        (folder / f"{number:03}.onnx").write_bytes(content)
    answer = subprocess.run(
        [sys.executable, "-c", EXAMINE, str(folder), str(MEMORY)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def test_every_hostile_file_is_refused_in_words(cases, answers):
    assert len(cases) >= 60
    assert len({name for name, _, _ in cases}) == len(answers) == len(cases)
    for (name, _, words), (file, said) in zip(cases, answers, strict=True):
        assert said.startswith(file), f"{name}: {said or 'accepted'}"
        assert re.search(words, said), f"{name}: {said}"
        assert len(said) < 1000, name


@pytest.mark.parametrize("path", ZOO, ids=lambda path: path.stem)
def test_every_model_of_the_zoo_passes(path):
    assert _core.examine(path.read_bytes(), str(path))[0]["name"] == path.parent.name


@pytest.mark.parametrize(
    "content", [same("restore"), features(), dense(8, 3, np.eye(64), np.zeros(64)), *networks()[1:]]
)
def test_small_models_pass(content):
    assert _core.examine(content, "small")[0]["licence"] == "MIT"


def test_weights_in_half_precision_count_as_what_they_are_cast_to():
    """A file may hold half of what ONNX Runtime keeps of it."""
    nodes = [
        helper.make_node("Cast", ["w"], ["weights"], to=1),
        helper.make_node("ReduceMax", ["weights"], ["most"], keepdims=0),
        helper.make_node("Add", ["image", "most"], ["output"]),
    ]
    fits, exceeds = (graph(nodes, {"w": np.zeros(n << 20, "f2")}) for n in (12, 24))  # MiB * 4
    assert _core.examine(fits, "small")[0]["licence"] == "MIT"
    with pytest.raises(ModelError, match=r"node 0 \(Cast\) makes it hold 96 MiB at once"):
        _core.examine(exceeds, "small")


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_look_has_three_channels(channels):
    model = onnx.load_from_string(features())
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = channels
    with pytest.raises(ModelError, match=r"expected \['batch', 3, height, width\]"):
        _core.examine(model.SerializeToString(), "small")


@pytest.mark.parametrize("name", ["image", "surface"])
def test_what_makes_features_reads_looks(name):
    model = onnx.load_from_string(features())
    model.graph.input[0].name = model.graph.node[0].input[0] = name
    with pytest.raises(ModelError, match=r"a model for drift has \['look'\] and \['features'\]"):
        _core.examine(model.SerializeToString(), "small")


def test_no_cut_and_no_flipped_bit_does_worse_than_be_refused():
    content = same("denoise")
    cut = [content[:end] for end in range(len(content))]
    flipped = [
        content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
        for at in range(len(content))
    ]
    refusals = [said for said in map(_refusal, cut + flipped) if said]
    assert all(said.startswith("small") for said in refusals)
    assert len(refusals) > len(content)  # the others end after a field, or differ in a plain word


def _refusal(content):
    try:
        _core.examine(content, "small")
    except ModelError as error:
        return str(error)
    return ""


def test_sizes_computed_from_the_image_are_followed():
    """A network that halves an image and brings it back to its size, as exporters write that."""
    nodes = [
        helper.make_node("MaxPool", ["image"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Slice", ["shape", "two", "four"], ["plane"]),
        helper.make_node("Shape", ["half"], ["small"]),
        helper.make_node("Slice", ["small", "zero", "two"], ["channels"]),
        helper.make_node("Concat", ["channels", "plane"], ["sizes"], axis=0),
        helper.make_node("Resize", ["half", "", "", "sizes"], ["output"], mode="linear"),
    ]
    values = {name: np.array([at]) for name, at in (("zero", 0), ("two", 2), ("four", 4))}
    assert _core.examine(graph(nodes, values), "resized")[0]["task"] == "denoise"


def test_what_a_size_hides_from_the_gate_it_meets_before_it_runs(tmp_path):
    """Sizes that are small for the images that the gate tries, and huge for one of 100 px."""
    nodes = [
        helper.make_node("Shape", ["image"], ["shape"], start=3),
        helper.make_node("Sub", ["shape", "hundred"], ["off"]),
        helper.make_node("Mul", ["off", "off"], ["square"]),
        helper.make_node("Sub", ["many", "square"], ["negative or many"]),
        helper.make_node("Concat", ["one", "negative or many"], ["start"], axis=0),
        helper.make_node("Slice", ["ones", "zero", "negative or many"], ["row"]),
        helper.make_node("Shape", ["row"], ["length"]),
        helper.make_node("Mul", ["length", "million"], ["size"]),
        helper.make_node("Add", ["size", "one"], ["sizes"]),
        helper.make_node("Expand", ["scalar", "sizes"], ["large"]),
        helper.make_node("ReduceMax", ["large"], ["least"], keepdims=0),
        helper.make_node("Add", ["image", "least"], ["output"]),
    ]
    numbers = {"hundred": 100, "many": 200, "one": 1, "zero": 0, "million": 10**6}
    values = {name: np.array([number]) for name, number in numbers.items()}
    values |= {"ones": np.ones(200, "f4"), "scalar": np.zeros(1, "f4")}
    path = tmp_path / "hidden.onnx"
    path.write_bytes(graph(nodes, values))
    model = Model(path)
    assert model(np.eye(64)).shape == (64, 64)
    with pytest.raises(ModelError, match=r"hidden\.onnx cannot be run: .* MiB at once"):
        model(np.eye(100))


def test_what_the_runtime_refuses_is_a_model_error(tmp_path):
    """An attribute that no such operator has is left to ONNX Runtime, which knows them all."""
    path = tmp_path / "odd.onnx"
    path.write_bytes(graph([helper.make_node("Relu", ["image"], ["output"], spin=3)], {}))
    with pytest.raises(ModelError, match=r"ONNX Runtime cannot open .*odd\.onnx"):
        Model(path)


def test_what_fails_while_it_runs_is_a_model_error(tmp_path):
    model = onnx.load_from_string(same("denoise"))
    path = tmp_path / "fine.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"fine\.onnx cannot be run"):
        Model(path).outputs(np.zeros((1, 1, 8, 8), "f8"))


def test_a_few_hundred_spoilt_models_harm_nothing(tmp_path):
    """`make fuzz` tries a hundred thousand."""
    tally = fuzz(400, seed=7, folder=tmp_path)
    assert not tally.wrong
    assert tally.refused > 200
    assert tally.ran > 10
