"""Model files that mean harm or are broken, each with words of the refusal that it must meet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from small_models import dense, same

from stemzoo.gate.graph import MAX_CONSTANTS, MAX_NODES

node, F, I64 = helper.make_node, TensorProto.FLOAT, TensorProto.INT64
Hostile = tuple[str, bytes, str]  # a name, the file, words of its refusal


def hostile() -> Iterator[Hostile]:
    yield from _damaged()
    yield from _encoded()
    for change, words in _CHANGES:
        model = onnx.load_from_string(same("denoise"))
        change(model)
        yield change.__name__, model.SerializeToString(), words
    for name, nodes, values, words in _GRAPHS:
        yield name, graph(nodes, values), words
    for key, value, words in _CONTRACTS:
        model = onnx.load_from_string(same("denoise"))
        properties = {p.key: p.value for p in model.metadata_props} | {f"stemzoo.{key}": value}
        helper.set_model_props(model, {k: v for k, v in properties.items() if v is not None})
        yield f"contract {key}={value!s:.12}", model.SerializeToString(), words


def graph(nodes: list[onnx.NodeProto], values: dict[str, object]) -> bytes:
    """The smallest good model with other nodes and constants, unchecked."""
    model = onnx.load_from_string(same("denoise"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for name, value in values.items():
        tensor = value if isinstance(value, TensorProto) else None
        model.graph.initializer.append(tensor or numpy_helper.from_array(np.asarray(value), name))
    return model.SerializeToString()


def _damaged() -> Iterator[Hostile]:
    good = dense(4, 2, np.eye(16), np.zeros(16))
    for part in (1, 2, 3, 7, 20, 50, 80, 95):
        yield f"cut at {part} %", good[: len(good) * part // 100], "cut short|lacks stemzoo"
    yield "empty", b"", "metadata lacks stemzoo.name"
    yield "one byte less", good[:-1], "cut short"
    yield "text", b"not a network\n" * 9, "not an ONNX file"
    yield "zeros", bytes(4096), "not an ONNX file"
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(64), "not an ONNX file"
    flipped = bytearray(good)
    flipped[good.index(b"Gemm")] ^= 0x80
    yield "flipped in a name", bytes(flipped), "no UTF-8"
    flipped = bytearray(good)
    flipped[good.index(b"Gemm") + 1] ^= 1
    yield "flipped in an operator", bytes(flipped), "none of the operators"
    yield "flipped in a tag", bytes([good[0] ^ 7]) + good[1:], "not an ONNX file"


def _encoded() -> Iterator[Hostile]:
    """What no writer of protobuf makes."""
    good = same("denoise")
    yield "endless number", b"\x08" + b"\xff" * 64 + good, "ends inside a number"
    yield "number of 70 bits", b"\x08" + b"\xff" * 9 + b"\x7f" + good, "ends inside a number"
    yield "length beyond the file", good + b"\x3a\xff\xff\xff\xff\x7f", "cut short"
    yield "group", b"\x0b" * 40_000 + good, "unknown protobuf wire type 3"
    yield "field 0", b"\x00\x01" + good, "no number of a field"
    yield "unknown field", good + b"\xba\x3e\x00", "damaged one: it has a field 999"
    yield "a million empty fields", good + b"\x42\x00" * 1_000_000, "more than 200000 fields"
    yield "wrong wire type", b"\x38\x05" + good[2:], "'graph' comes as wire type 0"
    yield "IR version twice", b"\x08\x08" + good, "'ir_version' is given twice"
    yield "a second graph", good + b"\x3a\x00", "'graph' is given twice"
    yield "a long text", b"\x12\xa0\x8d\x06" + b"x" * 100_000 + good, "a text of 100000 bytes"
    # A producer's name, to whoever reads protobuf; to ONNX Runtime, its own format.
    yield "two formats at once", b"\x12\x06xxORTM" + good[good.index(b"\x3a") :], "own format"
    deep = b""
    for _ in range(5000):  # a node with an attribute with a graph with a node ...
        deep = _field(1, _field(5, _field(6, deep)))
        if len(deep) > 60_000:
            break
    yield "nested deep", good + _field(7, deep), "a graph inside a node"


def _field(number: int, payload: bytes) -> bytes:
    length, size = b"", len(payload)
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


Change = Callable[[onnx.ModelProto], object]
_CHANGES: list[tuple[Change, str]] = []


def _refused(words: str) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        _CHANGES.append((change, words))
        return change

    return add


def _outside(name="w", shape=(3,)):
    tensor = TensorProto(name=name, data_type=F, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


@_refused("it holds external data")
def external_constant(model):
    model.graph.initializer.append(_outside())


@_refused("it holds external data")
def external_attribute(model):
    model.graph.node.append(node("Constant", [], ["c"], value=_outside()))


@_refused("it holds external data")
def external_location_alone(model):
    model.graph.initializer.append(TensorProto(name="w", data_type=F, dims=[0], data_location=1))


@_refused("it holds external data")
def external_name_alone(model):
    tensor = numpy_helper.from_array(np.zeros(3, "f4"), "w")
    tensor.external_data.add(key="location", value="/dev/zero")
    model.graph.initializer.append(tensor)


@_refused("it holds a list of tensors")
def external_among_tensors(model):
    attribute = onnx.AttributeProto(name="x", type=onnx.AttributeProto.TENSORS)
    attribute.tensors.append(_outside())
    model.graph.node[0].attribute.append(attribute)


@_refused("it holds a sparse tensor")
def external_sparse(model):
    model.graph.sparse_initializer.add().values.CopyFrom(_outside())


@_refused("it holds a sparse tensor")
def sparse_attribute(model):
    attribute = model.graph.node[0].attribute.add(name="x", type=11)
    attribute.sparse_tensor.values.CopyFrom(_outside())


@_refused("it holds a function")
def function(model):
    body = [node("Identity", ["a"], ["b"])]
    model.functions.append(
        helper.make_function("mine", "Own", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    )


@_refused("it holds training information")
def training(model):
    model.training_info.add()


@_refused("uses the operator sets")
def foreign_opset(model):
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


@_refused("uses the operator sets 'evil' 17")
def only_a_foreign_opset(model):
    model.opset_import[0].domain = "evil"


@_refused("uses the operator sets none")
def no_opset(model):
    del model.opset_import[:]


@_refused("uses the operator sets")
def two_opsets(model):
    model.opset_import.append(helper.make_opsetid("", 13))


@_refused("its opset is 9; this stemzoo runs 13 to 21")
def old_opset(model):
    model.opset_import[0].version = 9


@_refused("its opset is 9223372036854775807")
def opset_of_the_future(model):
    model.opset_import[0].version = 2**63 - 1


@_refused("its IR version is 3; this stemzoo runs 7 to 10")
def old_ir(model):
    model.ir_version = 3


@_refused("its IR version is -1")
def negative_ir(model):
    model.ir_version = -1


@_refused("it has no graph")
def no_graph(model):
    model.ClearField("graph")


@_refused("is of the domain 'com.microsoft'")
def foreign_domain(model):
    model.graph.node[0].domain = "com.microsoft"


@_refused("names an overload")
def overload(model):
    model.graph.node[0].overload = "x"


@_refused("none of the operators")
def custom_operator(model):
    model.graph.node[0].op_type = "LoadLibrary"


@_refused(r"node 0 \(\) is none of the operators")
def nameless_operator(model):
    model.graph.node[0].op_type = ""


@_refused("a graph inside a node")
def branch(model):
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node[0].CopyFrom(
        node("If", ["image"], ["output"], then_branch=inner, else_branch=inner)
    )


@_refused("it holds a graph inside a node")
def loop(model):
    body = helper.make_graph([], "body", [], [])
    model.graph.node[0].CopyFrom(node("Loop", ["", "", "image"], ["output"], body=body))


@_refused("a quantization annotation")
def annotation(model):
    model.graph.quantization_annotation.add()


@_refused("it has inputs")
def two_inputs(model):
    model.graph.input.append(helper.make_tensor_value_info("more", F, [1]))


@_refused("it has inputs")
def no_input(model):
    del model.graph.input[:]
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3, "f4"), "image"))


@_refused(r"it has inputs \['picture'\]")
def misnamed_input(model):
    model.graph.input[0].name = model.graph.node[0].input[0] = "picture"


@_refused("outputs")
def no_output(model):
    del model.graph.output[:]


@_refused("outputs")
def output_twice(model):
    model.graph.output.append(model.graph.output[0])


@_refused("nothing makes 'elsewhere'")
def output_from_nowhere(model):
    model.graph.output[0].name = "elsewhere"


@_refused("'image' is of element type 11; expected float32")
def double_input(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


@_refused("'output' is of element type 7; expected float32")
def integer_output(model):
    model.graph.output[0].type.tensor_type.elem_type = I64


@_refused("'image' is of element type 8")
def text_input(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


@_refused("it holds a sequence")
def sequence_input(model):
    tensor = helper.make_tensor_type_proto(F, None)
    model.graph.input[0].type.CopyFrom(helper.make_sequence_type_proto(tensor))


@_refused("it holds an optional value")
def optional_input(model):
    tensor = helper.make_tensor_type_proto(F, None)
    model.graph.input[0].type.CopyFrom(helper.make_optional_type_proto(tensor))


@_refused("is no tensor")
def untyped_input(model):
    model.graph.input[0].ClearField("type")


@_refused("its input has the sides")
def input_of_three_sides(model):
    del model.graph.input[0].type.tensor_type.shape.dim[0]


@_refused("its input has the sides")
def colour_input(model):
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3


@_refused("its input has the sides")
def input_of_160_gigabytes(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 200_000
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 200_000


@_refused("has a side of -1")
def negative_side(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = -1


@_refused("has a side of 9223372036854775807")
def enormous_side(model):
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_value = 2**63 - 1


@_refused("sides of 'image'; expected at most 8")
def a_thousand_sides(model):
    for _ in range(1000):
        model.graph.input[0].type.tensor_type.shape.dim.add()


@_refused("the file declares")
def declared_otherwise(model):
    model.graph.value_info.append(helper.make_tensor_value_info("a", F, [7]))
    model.graph.node[0].output[0] = "a"
    model.graph.node.append(node("Identity", ["a"], ["output"]))


@_refused("nothing before it makes")
def cycle(model):
    model.graph.node[0].CopyFrom(node("Add", ["image", "b"], ["a"]))
    model.graph.node.append(node("Identity", ["a"], ["b"]))
    model.graph.node.append(node("Identity", ["b"], ["output"]))


@_refused("nothing before it makes")
def node_that_reads_itself(model):
    model.graph.node[0].CopyFrom(node("Add", ["image", "output"], ["output"]))


@_refused("makes 'output', which is there already")
def made_twice(model):
    model.graph.node.append(node("Relu", ["image"], ["output"]))


@_refused("makes 'image', which is there already")
def input_made_again(model):
    model.graph.node.insert(0, node("Relu", ["image"], ["image"]))


@_refused("two of its constants have one name")
def constant_twice(model):
    for value in (1, 2):
        model.graph.initializer.append(numpy_helper.from_array(np.full(2, value, "f4"), "w"))


@_refused("a constant has a name of 0 characters")
def nameless_constant(model):
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(2, "f4"), ""))


@_refused(f"expected at most {MAX_NODES}")
def nodes_by_the_thousand(model):
    names = ["image", *(str(at) for at in range(MAX_NODES)), "output"]
    del model.graph.node[:]
    model.graph.node.extend(node("Relu", [a], [b]) for a, b in itertools.pairwise(names))


@_refused(f"expected at most {MAX_CONSTANTS}")
def constants_by_the_thousand(model):
    for at in range(MAX_CONSTANTS + 1):
        model.graph.initializer.add(name=str(at), data_type=F, dims=[0])


@_refused("inputs of node 0")
def inputs_by_the_thousand(model):
    model.graph.node[0].CopyFrom(node("Sum", ["image"] * 5000, ["output"]))


@_refused("gives an attribute twice")
def attribute_twice(model):
    model.graph.node[0].CopyFrom(node("LeakyRelu", ["image"], ["output"], alpha=0.1))
    model.graph.node[0].attribute.append(helper.make_attribute("alpha", 0.2))


@_refused("says it is of type 2 and holds float")
def attribute_of_another_type(model):
    model.graph.node[0].attribute.add(name="alpha", type=2, f=1.0)


@_refused("says it is of type 1 and holds float, int")
def attribute_of_two_types(model):
    model.graph.node[0].attribute.add(name="alpha", type=1, f=1.0, i=2)


@_refused("a reference to an attribute")
def attribute_of_a_function(model):
    model.graph.node[0].attribute.add(name="alpha", type=1, ref_attr_name="beta")


@_refused("'stemzoo.name' twice|one key twice")
def metadata_twice(model):
    model.metadata_props.add(key="stemzoo.name", value="another")


@_refused("metadata entries; too many")
def metadata_by_the_thousand(model):
    for at in range(1000):
        model.metadata_props.add(key=str(at), value="")


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
_GRAPHS = [
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
     {"s": np.array([1, 1, np.nan, np.inf], "f4")}, "scales of"),
    ("Resize by pixels", [node("Cast", ["image"], ["s"], to=I64),
     node("Resize", ["image", "", "", "s"], ["output"])], {}, "decides a shape"),
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
    ("Constant of a tensor of texts", [node("Constant", [], ["c"], value_string="x"), *_KEEP], {},
     "holds 'value_string'"),
    ("another size", *_sized("Slice", [0], [8], [2]), "the model contract asks for"),
]
_CONTRACTS = [
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
]
# fmt: on
