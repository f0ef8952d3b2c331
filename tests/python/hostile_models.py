"""Model files that mean harm or are broken, each with words of the refusal that it must meet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import onnx
from hostile_bytes import Hostile, damaged, encoded
from hostile_graphs import CONTRACTS, FEATURE_CONTRACTS, FEATURE_GRAPHS, GRAPHS
from onnx import TensorProto, helper, numpy_helper
from small_models import features, same

MAX_NODES = MAX_CONSTANTS = 4096  # csrc/model_file/graph.hpp
node, F, I64 = helper.make_node, TensorProto.FLOAT, TensorProto.INT64


def hostile() -> Iterator[Hostile]:
    yield from damaged()
    yield from encoded()
    for change, words in _CHANGES:
        model = onnx.load_from_string(same("denoise"))
        change(model)
        yield change.__name__, model.SerializeToString(), words
    for name, nodes, values, words in GRAPHS:
        yield name, graph(nodes, values), words
    for name, nodes, values, words in FEATURE_GRAPHS:
        yield name, graph(nodes, values, features()), words
    cases = [(same("denoise"), *case) for case in CONTRACTS]
    cases += [(features(), *case) for case in FEATURE_CONTRACTS]
    for content, key, value, words in cases:
        model = onnx.load_from_string(content)
        properties = {p.key: p.value for p in model.metadata_props} | {f"stemzoo.{key}": value}
        helper.set_model_props(model, {k: v for k, v in properties.items() if v is not None})
        yield f"contract {key}={value!s:.12}", model.SerializeToString(), words


def graph(
    nodes: list[onnx.NodeProto], values: dict[str, object], good: bytes | None = None
) -> bytes:
    """A good model, by default the smallest, with other nodes and more constants, unchecked."""
    model = onnx.load_from_string(good or same("denoise"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for name, value in values.items():
        tensor = value if isinstance(value, TensorProto) else None
        model.graph.initializer.append(tensor or numpy_helper.from_array(np.asarray(value), name))
    return model.SerializeToString()


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
