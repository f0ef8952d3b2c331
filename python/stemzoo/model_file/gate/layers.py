"""The operators that hold weights or look around a pixel."""

from __future__ import annotations

import math

from stemzoo.model_file.gate.call import MOST, Call, Shape, broadcast, rule
from stemzoo.model_file.gate.graph import TYPES, Array


@rule("Conv")
def _conv(call: Call) -> list[Array]:
    given, weight, group = _weighed(call)
    made = weight.shape[0]
    call.require(weight.shape[1] * group == given.shape[1], "its weights do not fit its channels")
    call.require(made % group == 0, f"its {made} kernels do not fit group {group}")
    _require_bias(call, made)
    shape = (given.shape[0], made, *_slid(call, given.shape[2:], _kernel(call, weight.shape[2:])))
    call.steps += math.prod(shape) * math.prod(weight.shape[1:])
    return [call.made(shape, given.kind)]


@rule("ConvTranspose")
def _conv_transpose(call: Call) -> list[Array]:
    given, weight, group = _weighed(call)
    channels, made = given.shape[1], weight.shape[1] * group
    call.require(weight.shape[0] == channels, "its weights do not fit its channels")
    call.require(channels % group == 0, f"its {channels} channels do not fit group {group}")
    _require_bias(call, made)
    call.text("auto_pad", "NOTSET", ("NOTSET",))
    call.require("output_shape" not in call.node.attributes, "it gives output_shape; give pads")
    kernel, none = _kernel(call, weight.shape[2:]), [0] * len(weight.shape[2:])
    strides, dilations = (
        call.wholes(name, [1] * len(kernel), 1) for name in ("strides", "dilations")
    )
    pads, extra = call.wholes("pads", none * 2, 0), call.wholes("output_padding", none, 0)
    sides = [
        strides[at] * (side - 1)
        + extra[at]
        + dilations[at] * (kernel[at] - 1)
        + 1
        - pads[at]
        - pads[at + len(kernel)]
        for at, side in enumerate(given.shape[2:])
    ]
    fits = all(more < max(a, b) for more, a, b in zip(extra, strides, dilations, strict=True))
    call.require(fits, "output_padding is not below its stride or dilation")
    # Every pixel's kernel is laid out before they are added up.
    columns = math.prod(given.shape[2:]) * weight.shape[1] * math.prod(kernel)
    call.scratch = columns * TYPES[given.kind].itemsize
    call.steps += columns * given.shape[0] * channels
    return [call.made((given.shape[0], made, *sides), given.kind)]


@rule("MaxPool", "AveragePool")
def _pool(call: Call) -> list[Array]:
    call.takes(1, 1)
    given = call.input(0)
    kernel = call.get("kernel_shape", list, [])
    fits = 1 <= len(kernel) == len(given.shape) - 2 <= 3
    call.require(fits, "kernel_shape does not fit its input")
    kernel = call.wholes("kernel_shape", [0] * len(kernel), 1)
    # A pad as wide as the kernel would leave windows that see nothing of the image.
    pads = call.wholes("pads", [0, 0] * len(kernel), 0)
    call.require(
        all(pad < side for pad, side in zip(pads, kernel * 2, strict=True)), "pads >= kernel"
    )
    shape = (*given.shape[:2], *_slid(call, given.shape[2:], kernel))
    call.steps += math.prod(shape) * math.prod(kernel)
    return [call.made(shape, given.kind)]


@rule("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(call: Call) -> list[Array]:
    call.takes(1, 1)
    given = call.input(0)
    call.require(len(given.shape) >= 3, "its input has no sides to pool")
    return [call.made((*given.shape[:2], *(1 for _ in given.shape[2:])), given.kind)]


@rule("MatMul")
def _matmul(call: Call) -> list[Array]:
    call.takes(2, 2)
    first, second = call.input(0).shape, call.input(1).shape
    call.require(len(first) >= 2 <= len(second) and first[-1] == second[-2], "no matrices that fit")
    shape = (*broadcast(call, first[:-2], second[:-2]), first[-2], second[-1])
    call.steps += math.prod(shape) * first[-1]
    return [call.made(shape, call.input(0).kind)]


@rule("Gemm")
def _gemm(call: Call) -> list[Array]:
    call.takes(2, 3)
    first, second = call.input(0).shape, call.input(1).shape
    call.require(len(first) == len(second) == 2, "its inputs are no matrices")
    first = first[::-1] if call.whole("transA", 0, 0, 1) else first
    second = second[::-1] if call.whole("transB", 0, 0, 1) else second
    call.require(first[1] == second[0], "its matrices do not fit")
    shape, bias = (first[0], second[1]), call.optional(2)
    fits = bias is None or broadcast(call, shape, bias.shape) == shape
    call.require(fits, "its bias is larger than its product")
    call.steps += math.prod(shape) * first[1]
    return [call.made(shape, call.input(0).kind)]


@rule("BatchNormalization")
def _batch_normalization(call: Call) -> list[Array]:
    call.takes(5, 5)
    call.whole("training_mode", 0, 0, 0)
    return _normalised(call)


@rule("InstanceNormalization")
def _instance_normalization(call: Call) -> list[Array]:
    call.takes(3, 3)
    return _normalised(call)


def _normalised(call: Call) -> list[Array]:
    given = call.input(0)
    call.require(len(given.shape) >= 2, "its input has no channels")
    for index in range(1, len(call.inputs)):
        fits = call.input(index).shape == given.shape[1:2]
        call.require(fits, f"input {index} has not one number a channel")
    return [call.made(given.shape, given.kind)]


@rule("LayerNormalization")
def _layer_normalization(call: Call) -> list[Array]:
    call.takes(2, 3)
    given = call.input(0)
    inner = given.shape[call.axis(call.get("axis", int, -1), len(given.shape)) :]
    for index in range(1, len(call.inputs)):
        each = call.optional(index)
        call.require(each is None or each.shape == inner, f"input {index} has another shape")
    return [call.made(given.shape, given.kind)]


def _weighed(call: Call) -> tuple[Array, Array, int]:
    """The input and the weights of a convolution, and how many groups it has."""
    call.takes(2, 3)
    given, weight = call.input(0), call.input(1)
    fits = 3 <= len(given.shape) == len(weight.shape) <= 5 and all(weight.shape)
    call.require(fits, "its weights do not fit its input")
    return given, weight, call.whole("group", 1, 1, MOST)


def _require_bias(call: Call, made: int) -> None:
    bias = call.optional(2)
    call.require(bias is None or bias.shape == (made,), "its bias is not one number a kernel")


def _kernel(call: Call, expected: Shape) -> list[int]:
    kernel = call.wholes("kernel_shape", list(expected), 1)
    call.require(tuple(kernel) == expected, "kernel_shape is not that of its weights")
    return kernel


def _slid(call: Call, sides: Shape, kernel: list[int]) -> list[int]:
    """The sides of what a kernel makes that slides over `sides`."""
    none, ones = [0] * len(kernel), [1] * len(kernel)
    strides, dilations = (call.wholes(name, ones, 1) for name in ("strides", "dilations"))
    pads = call.wholes("pads", none * 2, 0)
    same = call.text("auto_pad", "NOTSET", ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"))
    ceil = call.whole("ceil_mode", 0, 0, 1)
    made = []
    for at, side in enumerate(sides):
        padded = side + (pads[at] + pads[at + len(kernel)] if same == "NOTSET" else 0)
        room = padded - dilations[at] * (kernel[at] - 1) - 1
        if same.startswith("SAME"):
            made.append(-(-side // strides[at]))
            continue
        call.require(room >= 0, f"its kernel is larger than the {padded} pixels it slides over")
        count = -(-room // strides[at]) + 1 if ceil else room // strides[at] + 1
        # The last window begins in the image or in the pad before it.
        overhangs = ceil and (count - 1) * strides[at] >= side + pads[at]
        made.append(count - 1 if overhangs else count)
    return made
