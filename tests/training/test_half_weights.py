"""Large weights are stored in half precision, small ones and the arithmetic stay float32."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from training.packaging.half_weights import LARGE, SUFFIX, rounded, store_as_half

SIDE = 64  # of a square float32 weight of LARGE bytes


def weights(**changes):
    """A large and a small weight as a checkpoint has them."""
    random = torch.Generator().manual_seed(1)
    made = {
        "large": torch.randn(SIDE, SIDE, generator=random),
        "small": torch.randn(SIDE, SIDE - 1, generator=random),
    }
    return {**made, **changes}


def products(values):
    """image [N, SIDE] @ large @ small."""
    nodes = [
        helper.make_node("MatMul", ["image", "large"], ["inner"]),
        helper.make_node("MatMul", ["inner", "small"], ["output"]),
    ]
    given, made = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None])
        for name in ("image", "output")
    )
    stored = [numpy_helper.from_array(value.numpy(), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "test", [given], [made], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model):
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    image = np.random.default_rng(2).standard_normal((5, SIDE)).astype("f4")
    return session.run(None, {"image": image})[0]


def kinds(model):
    return {stored.name: stored.data_type for stored in model.graph.initializer}


def test_large_weights_are_rounded_to_eleven_bits_and_small_ones_not():
    given = weights(count=torch.arange(LARGE))
    made = rounded(given)
    assert given["large"].nbytes == LARGE
    assert torch.equal(made["large"], given["large"].half().float())
    torch.testing.assert_close(made["large"], given["large"], rtol=2**-11, atol=2**-25)
    assert not torch.equal(made["large"], given["large"])
    for name in ("small", "count"):
        assert torch.equal(made[name], given[name])
        assert made[name].dtype == given[name].dtype


@pytest.mark.parametrize("value", [1e5, -torch.inf])
def test_weights_beyond_the_range_of_half_precision_stay(value):
    large = weights()["large"]
    large[3, 4] = value
    made = rounded(weights(large=large))
    assert torch.equal(made["large"], large)
    model = products(made)
    store_as_half(model.graph)
    assert set(kinds(model).values()) == {TensorProto.FLOAT}


def test_the_stored_model_computes_the_same_bit_for_bit():
    model = products(rounded(weights()))
    expected, size = answer(model), model.ByteSize()
    store_as_half(model.graph)
    assert kinds(model) == {"large": TensorProto.FLOAT16, "small": TensorProto.FLOAT}
    assert size - model.ByteSize() > 0.49 * LARGE
    (cast,) = [node for node in model.graph.node if node.op_type == "Cast"]
    assert (list(cast.input), list(cast.output)) == (["large"], ["large" + SUFFIX])
    np.testing.assert_array_equal(answer(model), expected)


def test_what_half_precision_would_change_is_stored_as_it_is():
    model = products(weights())
    before = model.SerializeToString(deterministic=True)
    store_as_half(model.graph)
    assert model.SerializeToString(deterministic=True) == before
