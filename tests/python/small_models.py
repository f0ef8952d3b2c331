"""Small ONNX files that meet the model contract, for tests that need one kind of network."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from stemzoo.model_file.contract import LOOK, Contract
from stemzoo.model_file.interface import LOOKS

BLUR = (0.25, 0.5, 0.25)  # of the classical estimator: csrc/drift/classical.cpp


def dense(window, step, weight, bias):
    """A fully connected network: output = weight @ window + bias."""
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "weight", "bias"], ["made"], transB=1),
        helper.make_node("Reshape", ["made", "shape"], ["output"]),
    ]
    values = {
        "weight": np.asarray(weight, "f4"),
        "bias": np.asarray(bias, "f4"),
        "shape": np.array([-1, 1, window, window], "i8"),
    }
    return _model(nodes, values, window, window=window, step=step)


def same(task, *, size=0, **promises):
    """A network that gives back what it is given, and carries `size` bytes to be so much larger."""
    values = {"ballast": np.random.default_rng(1).bytes(-(-size // 4) * 4)} if size else {}
    values = {name: np.frombuffer(content, "i4") for name, content in values.items()}
    nodes = [helper.make_node("Identity", ["image"], ["output"])]
    return _model(nodes, values, None, task=task, **promises)


def smoothing():
    """A convolution of 3 x 3 pixels, which sees no farther than its contract says."""
    blur = np.outer(BLUR, BLUR).astype("f4")[None, None]
    nodes = [helper.make_node("Conv", ["image", "blur"], ["output"], pads=[1, 1, 1, 1])]
    return _model(nodes, {"blur": blur}, None, multiple=4, halo=4)


def no_number(task, **promises):
    """A network that gives NaN for every pixel, as one does whose training has diverged."""
    nodes = [
        helper.make_node("Sub", ["image", "image"], ["nothing"]),
        helper.make_node("Div", ["nothing", "nothing"], ["output"]),
    ]
    return _model(nodes, {}, None, task=task, **promises)


def features(**promises):
    """A network that makes of a look what the classical estimator does: its last channel, smoothed,
    counts for a drift, and nothing against it."""
    blur = np.outer(BLUR, BLUR).astype("f4")[None, None]
    nodes = [
        helper.make_node("Split", ["look"], ["rest", "lattice", "even"], axis=1),
        helper.make_node("Conv", ["even", "blur"], ["evidence"], pads=[1, 1, 1, 1]),
        helper.make_node("Sub", ["evidence", "evidence"], ["nothing"]),
        helper.make_node("Concat", ["evidence", "nothing"], ["features"], axis=1),
    ]
    usual = {"task": "drift", "features": 2, "look": LOOK, "multiple": 2, "halo": 2}
    return _model(
        nodes, {"blur": blur}, None, face=("look", LOOKS, "features", 2), **usual | promises
    )


def _model(nodes, values, side, *, face=("image", 1, "output", 1), task="denoise", **promises):
    """`face` names the input and its channels, and the output and its channels."""
    given, made = (
        helper.make_tensor_value_info(
            name, TensorProto.FLOAT, ["n", channels, side or "h", side or "w"]
        )
        for name, channels in (face[:2], face[2:])
    )
    weights = [numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "test", [given], [made], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    usual = {
        "name": f"{task}-test",
        "version": "0.0.1",
        "multiple": 1,
        "halo": 0,
        "normalisation": "mean-std",
        "licence": "MIT",
        "training": '{"recipe": "none"}',
    }
    contract = Contract(task=task, **usual | promises)
    helper.set_model_props(model, contract.metadata())
    onnx.checker.check_model(model)
    return model.SerializeToString()
