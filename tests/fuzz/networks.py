"""Good models to be spoiled: small ones that between them use most operators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.python.small_models import dense, same

ZOO = Path(__file__).parents[2] / "zoo"


def networks() -> list[bytes]:
    smallest = min(ZOO.glob("*/*.onnx"), key=lambda path: path.stat().st_size)
    return [smallest.read_bytes(), same("denoise"), dense(4, 2, np.eye(16), np.zeros(16)), varied()]


def varied() -> bytes:
    """A small U-Net with a little of everything."""
    node, random = helper.make_node, np.random.default_rng(3)

    def weights(*shape: int) -> np.ndarray:
        return random.normal(0, 0.2, shape).astype("f4")

    values = {
        "w1": weights(4, 1, 3, 3),
        "b1": weights(4),
        "w2": weights(4, 4, 3, 3),
        "up": weights(4, 4, 2, 2),
        "slope": weights(4, 1, 1),
        "scale": weights(4),
        "square": weights(4, 4),
        "w3": weights(1, 12, 1, 1),
        "inner": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        "one": np.array([1]),
        "minus one": np.array([-1]),
        "two": np.array([2]),
        "four": np.array([4]),
        "flat": np.array([0, 4, -1]),
        "double": np.array([1, 1, 2, 2], "f4"),
        "low": np.array(-9, "f4"),
        "parts": np.array([2, 2]),
    }
    nodes = [
        node("Pad", ["image", "inner"], ["padded"], mode="edge"),
        node("Conv", ["padded", "w1", "b1"], ["first"], kernel_shape=[3, 3]),
        node("PRelu", ["first", "slope"], ["bent"]),
        node("BatchNormalization", ["bent", "scale", "b1", "b1", "scale"], ["normal"]),
        node("InstanceNormalization", ["normal", "scale", "b1"], ["instance"]),
        node("MaxPool", ["instance"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["half", "w2"], ["second"], pads=[2] * 4, dilations=[2, 2], group=1),
        node("LeakyRelu", ["second"], ["leaky"], alpha=0.1),
        node("Shape", ["leaky"], ["shape"]),
        node("Reshape", ["leaky", "flat"], ["rows"]),
        node("Transpose", ["rows"], ["columns"], perm=[0, 2, 1]),
        node("MatMul", ["columns", "square"], ["mixed"]),
        node("LayerNormalization", ["mixed", "scale"], ["layer"], axis=-1),
        node("Softmax", ["layer"], ["soft"], axis=-1),
        node("Transpose", ["soft"], ["back"], perm=[0, 2, 1]),
        node("Reshape", ["back", "shape"], ["image again"]),
        node("ConvTranspose", ["image again", "up"], ["large"], strides=[2, 2]),
        node("Resize", ["half", "", "double"], ["resized"], mode="linear"),
        node("ReduceMean", ["first"], ["mean"], axes=[2, 3]),
        node("Sub", ["first", "mean"], ["centred"]),
        node("Clip", ["centred", "low"], ["clipped"]),
        node("Concat", ["clipped", "large", "resized"], ["all"], axis=1),
        node("Conv", ["all", "w3"], ["answer"]),
        node("Split", ["first", "parts"], ["left", "right"], axis=1),
        node("Slice", ["left", "minus one", "four", "one"], ["cut"]),
        node("Unsqueeze", ["cut", "two"], ["wide"]),
        node("Squeeze", ["wide", "two"], ["narrow"]),
        node("SpaceToDepth", ["answer"], ["deep"], blocksize=2),
        node("DepthToSpace", ["deep"], ["shallow"], blocksize=2),
        node("AveragePool", ["shallow"], ["smooth"], kernel_shape=[3, 3], pads=[1] * 4),
        node("GlobalAveragePool", ["right"], ["share"]),
        node("Gather", ["share", "one"], ["chosen"], axis=1),
        node("Cast", ["chosen"], ["whole"], to=7),
        node("Cast", ["whole"], ["part"], to=1),
        node("Expand", ["part", "one"], ["spread"]),
        node("Greater", ["smooth", "low"], ["mask"]),
        node("Where", ["mask", "smooth", "narrow"], ["chosen pixels"]),
        node("Max", ["chosen pixels", "smooth"], ["highest"]),
        node("Add", ["highest", "spread"], ["output"]),
    ]
    model = onnx.load_from_string(same("denoise"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in values.items())
    properties = {p.key: p.value for p in model.metadata_props}
    helper.set_model_props(model, properties | {"stemzoo.multiple": "4"})
    return model.SerializeToString()
