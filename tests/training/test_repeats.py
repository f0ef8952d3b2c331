import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from training.packaging.repeats import without_repeats


def constant(name, value):
    tensor = helper.make_tensor(f"{name}_value", TensorProto.FLOAT, [1], [value])
    return helper.make_node("Constant", [], [name], value=tensor)


def model():
    nodes = [
        constant("one", 1.0),
        constant("again", 1.0),
        constant("two", 2.0),
        helper.make_node("Add", ["x", "one"], ["a"]),
        helper.make_node("Add", ["x", "again"], ["b"]),  # the same as a
        helper.make_node("Identity", ["two"], ["first_name"]),
        helper.make_node("Identity", ["two"], ["second_name"]),
        helper.make_node("Mul", ["a", "first_name"], ["c"]),
        helper.make_node("Mul", ["b", "second_name"], ["d"]),
        helper.make_node("Add", ["c", "d"], ["y"]),
        helper.make_node("Add", ["c", "d"], ["z"]),
    ]
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in "xyz"]
    made = helper.make_model(
        helper.make_graph(nodes, "graph", value[:1], value[1:]),
        opset_imports=[helper.make_opsetid("", 17)],
    )
    made.ir_version = 8
    return made


def test_what_is_computed_twice_is_computed_once_and_names_and_outputs_stay():
    made = model()
    without_repeats(made.graph)
    left = [node.output[0] for node in made.graph.node]
    assert left == ["one", "two", "a", "first_name", "second_name", "c", "d", "y", "z"]
    session = onnxruntime.InferenceSession(made.SerializeToString())
    for answer in session.run(None, {"x": np.float32([3])}):
        assert answer == 16
