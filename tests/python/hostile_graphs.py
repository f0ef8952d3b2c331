"""Graphs and contracts that mean harm: (name, nodes, constants, words of the refusal)."""

import itertools

import numpy as np
from onnx import TensorProto, helper

node, F, I64 = helper.make_node, TensorProto.FLOAT, TensorProto.INT64


def _unary(op, **attributes):
    return [node(op, ["image"], ["output"], **attributes)]


def _sized(op, *sizes, **attributes):
    """A node whose other inputs are constant lists of integers."""
    names = [f"sizes{at}" for at in range(len(sizes))]
    values = {name: np.array(size, "i8") for name, size in zip(names, sizes, strict=True)}
    return [node(op, ["image", *names], ["output"], **attributes)], values


def _weighed(op, shape, **attributes):
    nodes = [node(op, ["image", "w"], ["output"], **attributes)]
    return nodes, {"w": np.zeros(shape, "f4")}


def _doubled(times):
    names = ["image", *(str(at) for at in range(times)), "output"]
    return [node("Concat", [a, a], [b], axis=1) for a, b in itertools.pairwise(names)], {}


def _folded(times):
    """Arrays of 16 MiB that depend on no input: ONNX Runtime computes all when it loads a model."""
    nodes = []
    for at in range(times):
        nodes.append(node("Expand", ["one", "size"], [f"large{at}"]))
        nodes.append(node("ReduceMax", [f"large{at}"], [f"least{at}"], keepdims=0))
    nodes.append(node("Sum", ["image", *(f"least{at}" for at in range(times))], ["output"]))
    return nodes, {"one": np.ones(1, "f4"), "size": np.array([1 << 22])}


def _tensor(name, **fields):
    return {name: TensorProto(name=name, **fields)}


HUGE = 200_000
_CROSS = {"column": np.array([1, 1, -1, 1]), "row": np.array([1, 1, 1, -1])}
_CROSSED = [node("Reshape", ["image", "column"], ["x"]), node("Reshape", ["image", "row"], ["y"])]
_SMALLEST = [
    node("ReduceMin", ["z"], ["least"], keepdims=0),
    node("Add", ["image", "least"], ["output"]),
]
_KEEP = _unary("Identity")
# fmt: off
GRAPHS = [
    ("160 GB constant", _KEEP, _tensor("w", data_type=F, dims=[HUGE, HUGE]), "data for 0"),
    ("160 GB with a kilobyte", _KEEP,
     _tensor("w", data_type=F, dims=[HUGE, HUGE], raw_data=bytes(1024)), "data for 256"),
    ("sides that overflow to 0", _KEEP,
     _tensor("w", data_type=F, dims=[1 << 30, 1 << 30, 1 << 4]), "data for 0"),
    ("negative sides", _KEEP, _tensor("w", data_type=F, dims=[-1, -1], float_data=[0]), "shape"),
    ("too much data", _KEEP, _tensor("w", data_type=F, dims=[2], raw_data=bytes(400)), "data for"),
    ("half a number", _KEEP, _tensor("w", data_type=F, dims=[2], raw_data=bytes(7)), "data for"),
    ("data in two places", _KEEP,
     _tensor("w", data_type=F, dims=[1], raw_data=bytes(4), float_data=[0]), "keeps its data in"),
    ("data in the wrong place", _KEEP,
     _tensor("w", data_type=F, dims=[1], int64_data=[0]), "keeps its data in"),
    ("constant of texts", _KEEP,
     _tensor("w", data_type=8, dims=[1], string_data=[b"x"]), "a tensor of texts"),
    ("type 99", _KEEP, _tensor("w", data_type=99, dims=[0]), "elements of type 99"),
    ("complex", _KEEP, _tensor("w", data_type=14, dims=[0]), "elements of type 14"),
    ("a hundred sides", _KEEP, _tensor("w", data_type=F, dims=[1] * 100), "at most 8 sides"),
    ("ConstantOfShape", [node("ConstantOfShape", ["s"], ["output"])],
     {"s": np.array([HUGE, HUGE])}, "none of the operators"),
    ("Tile", *_sized("Tile", [1, 1, HUGE, HUGE]), "none of the operators"),
    ("Range, Scan and others", _unary("Scan"), {}, "none of the operators"),
    ("Expand to 160 GB", *_sized("Expand", [1, HUGE, 1, 1]), "MiB at once"),
    ("Expand beyond numbers", *_sized("Expand", [2**62, 1, 1, 1]), "asks for the shape"),
    ("Pad to 160 GB", *_sized("Pad", [0, 0, 60_000, 60_000] * 2), "MiB at once"),
    ("Pad by less than nothing", *_sized("Pad", [0, 0, -9, -9] * 2), "pads by"),
    ("Pad that reflects too far", *_sized("Pad", [0, 0, 5000, 0] * 2, mode="reflect"), "reflects"),
    ("Resize to 160 GB", [node("Resize", ["image", "", "", "s"], ["output"])],
     {"s": np.array([1, 1, HUGE, HUGE])}, "MiB at once"),
    ("Resize by 60000", [node("Resize", ["image", "", "s"], ["output"])],
     {"s": np.array([1, 1, 60_000, 60_000], "f4")}, "MiB at once"),
    ("Resize by NaN", [node("Resize", ["image", "", "s"], ["output"])],
     {"s": np.array([1, 1, np.nan, np.inf], "f4")}, "it scales by nan"),
    ("Resize by pixels", [node("Cast", ["image"], ["s"], to=I64),
     node("Resize", ["image", "", "", "s"], ["output"])], {}, "decides a shape"),
    ("constants computed from constants", *_folded(6), "MiB at once"),
    ("Reshape by half precision", [node("Cast", ["s"], ["t"], to=I64),
     node("Reshape", ["image", "t"], ["output"])], {"s": np.array([1, 1, -1, 64], "f2")},
     "decides a shape"),
    ("half precision to complex", [node("Cast", ["w"], ["c"], to=14), *_KEEP],
     {"w": np.ones(9, "f2")}, "elements of type 14"),
    ("Gather a million times", [node("Gather", ["image", "i"], ["output"], axis=2)],
     {"i": np.zeros(1_000_000, "i8")}, "no short list"),
    ("Gather outside", [node("Gather", ["image", "i"], ["output"], axis=1)],
     {"i": np.array([[1 << 40]])}, "not all within 1"),
    ("a column times a row", [*_CROSSED, node("MatMul", ["x", "y"], ["z"]), *_SMALLEST], _CROSS,
     "MiB at once"),
    ("a column plus a row", [*_CROSSED, node("Add", ["x", "y"], ["z"]), *_SMALLEST], _CROSS,
     "MiB at once"),
    ("doubled forty times", *_doubled(40), "MiB at once"),
    ("Conv with pads of 60000", *_weighed("Conv", (1, 1, 1, 1), pads=[60_000] * 4), "MiB at once"),
    ("Conv with pads of 2^40", *_weighed("Conv", (1, 1, 1, 1), pads=[1 << 40] * 4), "'pads'"),
    ("Conv with stride 0", *_weighed("Conv", (1, 1, 1, 1), strides=[0, 0]), "'strides'"),
    ("Conv with dilation -1", *_weighed("Conv", (1, 1, 3, 3), dilations=[-1, -1]), "'dilations'"),
    ("Conv with group 0", *_weighed("Conv", (1, 1, 3, 3), group=0), "'group'"),
    ("Conv on other channels", *_weighed("Conv", (1, 9, 3, 3)), "do not fit its channels"),
    ("Conv without an inside", *_weighed("Conv", (1, 1, 999, 999)), "larger than"),
    ("Conv without weights", _unary("Conv"), {}, "1 inputs"),
    ("work for a year", *_weighed("Conv", (1, 1, 5001, 5001), pads=[2500] * 4), "products"),
    ("ConvTranspose by 60000",
     *_weighed("ConvTranspose", (1, 1, 1, 1), strides=[60_000] * 2), "MiB at once"),
    ("ConvTranspose of nothing",
     *_weighed("ConvTranspose", (1, 1, 1, 1), pads=[60_000] * 4), "an array of shape"),
    ("DepthToSpace by 0", _unary("DepthToSpace", blocksize=0), {}, "'blocksize'"),
    ("DepthToSpace of one", _unary("DepthToSpace", blocksize=4), {}, "no blocks of 4"),
    ("MaxPool over 0", _unary("MaxPool", kernel_shape=[0, 0]), {}, "'kernel_shape'"),
    ("MaxPool beside the image", _unary("MaxPool", kernel_shape=[2, 2], pads=[9] * 4), {}, "pads"),
    ("Transpose of other axes", _unary("Transpose", perm=[0, 1, 2, 2]), {}, "order of axes"),
    ("Softmax of axis 99", _unary("Softmax", axis=99), {}, "no axis 99"),
    ("Split without end", [node("Split", ["image"], ["output", *"abcdefghijklm"], axis=2)], {},
     "equal parts"),
    ("integers by zero", [node("Cast", ["image"], ["a"], to=I64), node("Div", ["a", "a"], ["b"]),
     node("Cast", ["b"], ["output"], to=F)], {}, "divides integers"),
    ("sizes by zero", [node("Shape", ["image"], ["a"]), node("Div", ["a", "z"], ["b"]),
     node("Reshape", ["image", "b"], ["output"])], {"z": np.zeros(4, "i8")}, "cannot be computed"),
    ("Cast to text", _unary("Cast", to=8), {}, "elements of type 8"),
    ("a bias without a name",  # which ends the process that opens it
     [node("LayerNormalization", ["image", "w", ""], ["output"], axis=1)],
     {"w": np.ones((1, 64, 64), "f4")}, "by an empty name"),
    ("Constant of a tensor of texts", [node("Constant", [], ["c"], value_string="x"), *_KEEP], {},
     "holds 'value_string'"),
    ("another size", *_sized("Slice", [0], [8], [2]), "the model contract asks for"),
]
CONTRACTS = [
    ("name", None, "metadata lacks stemzoo.name"),
    ("training", None, "metadata lacks stemzoo.training"),
    ("task", "mine-bitcoin", "stemzoo.task is 'mine-bitcoin'"),
    ("task", "drift", "names the side of the surface"),
    ("multiple", "0", "expected a whole number >= 1"),
    ("multiple", "9" * 5000, "expected a whole number >= 1"),
    ("multiple", str(10**12), "its contract has multiple 1000000000000"),
    ("halo", "-1", "expected a whole number >= 0"),
    ("halo", str(10**9), "its contract has halo"),
    ("window", "4", "stemzoo.step is 0"),
    ("normalisation", "none", "stemzoo.normalisation is 'none'"),
    ("features", "2", "its task is denoise, stemzoo.surface is 0 and stemzoo.features is 2"),
]
# Of networks that make features of looks.
FEATURE_GRAPHS = [
    ("look as it is", [node("Identity", ["look"], ["features"])], {},
     r"shape \(1, 3, 64, 64\); the file declares"),
    ("features of half the size", [node("Conv", ["look", "w"], ["features"], strides=[2, 2])],
     {"w": np.zeros((2, 3, 1, 1), "f4")},
     r"\(1, 2, 32, 32\); the model contract asks for \(1, 2, 64, 64\)"),
    ("features for one channel", [node("Conv", ["look", "w"], ["features"])],
     {"w": np.zeros((2, 1, 1, 1), "f4")}, "do not fit its channels"),
    ("features by another name", [node("Identity", ["look"], ["output"])], {}, "features"),
]
FEATURE_CONTRACTS = [
    ("features", "3", "stemzoo.features is 3; expected an even number"),
    ("features", "0", "a drift model, and no other, names the side of the surface"),
    ("features", "-2", "expected a whole number >= 0"),
    ("look", "-1", "expected a whole number >= 0"),
    ("features", "4000", "its contract has features 4000; expected at most 1024"),
    ("features", "4", r"shape \(1, 2, 64, 64\); the model contract asks for \(1, 4, 64, 64\)"),
    ("surface", "65", "stemzoo.surface is 65 and stemzoo.features is 2"),
    ("task", "restore", "its task is restore, stemzoo.surface is 0 and stemzoo.features is 2"),
    ("window", "8", "stemzoo.step is 0"),
]
# fmt: on
