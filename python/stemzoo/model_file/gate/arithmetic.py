"""The operators that compute element by element, or along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.model_file.gate.call import Call, broadcast, rule
from stemzoo.model_file.gate.graph import BOOL, INT32, INT64, TYPES, Array

EXACT = 1 << 31  # sizes are computed from numbers below this


# A size may be copied, and rounded where it was computed in floating point.
_SIZES: dict[str, Callable[..., NDArray[Any]]] = {
    "Identity": np.asarray,
    "Floor": np.floor,
    "Ceil": np.ceil,
}


@rule(*_SIZES, "Abs", "Exp", "Log", "Neg", "Not", "Reciprocal", "Round", "Sign", "Sqrt")
@rule("Elu", "Erf", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Selu", "Sigmoid")
@rule("Softplus", "Softsign", "Tanh")
def _each_element(call: Call) -> list[Array]:
    call.takes(1, 1)
    given, op = call.input(0), call.node.op
    value = call.folded(_SIZES[op], 1) if op in _SIZES else None
    return [call.made(given.shape, given.kind, value)]


@rule("Clip")
def _clip(call: Call) -> list[Array]:
    call.takes(1, 3)
    for bound in call.inputs[1:]:
        call.require(bound is None or bound.shape == (), "its bounds are no single numbers")
    return [call.made(call.input(0).shape, call.input(0).kind)]


_FOLDED = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}


@rule("Add", "Sub", "Mul", "Div", "Pow")
def _arithmetic(call: Call) -> list[Array]:
    call.takes(2, 2)
    first, second = call.input(0), call.input(1)
    shape = broadcast(call, first.shape, second.shape)
    whole = first.kind in (INT32, INT64)
    value = None
    if whole:
        for known in (first.value, second.value):
            small = known is None or bool((np.abs(known.astype("f8")) < EXACT).all())
            call.require(small, f"it computes with integers of {EXACT} or more")
    if call.node.op in _FOLDED:
        value = call.folded(_FOLDED[call.node.op], 2)
    elif call.node.op == "Div":
        value = call.folded(_quotient, 2)
        # Zero, here, would not be an error of the runtime but its end.
        call.require(value is not None or not whole, "it divides integers not known before the run")
    return [call.made(shape, first.kind, value)]


def _quotient(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    result = first / second
    return np.asarray(result if result.dtype == first.dtype else np.trunc(result), first.dtype)


@rule("Max", "Min", "Mean", "Sum")
def _of_several(call: Call) -> list[Array]:
    call.takes(1, 64)
    shapes = [call.input(index).shape for index in range(len(call.inputs))]
    return [call.made(broadcast(call, *shapes), call.input(0).kind)]


@rule("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or")
def _comparison(call: Call) -> list[Array]:
    call.takes(2, 2)
    return [call.made(broadcast(call, call.input(0).shape, call.input(1).shape), BOOL)]


@rule("Where")
def _where(call: Call) -> list[Array]:
    call.takes(3, 3)
    shapes = [call.input(index).shape for index in range(3)]
    return [call.made(broadcast(call, *shapes), call.input(1).kind)]


@rule("PRelu")
def _prelu(call: Call) -> list[Array]:
    call.takes(2, 2)
    given = call.input(0)
    call.require(
        broadcast(call, given.shape, call.input(1).shape) == given.shape, "slope is larger"
    )
    return [call.made(given.shape, given.kind)]


@rule("Cast")
def _cast(call: Call) -> list[Array]:
    call.takes(1, 1)
    given, kind = call.input(0), call.whole("to", 0, 0, 99)
    call.require(kind in TYPES, f"it makes elements of type {kind}; expected one of {tuple(TYPES)}")
    return [call.made(given.shape, kind, call.folded(lambda value: value.astype(TYPES[kind]), 1))]


@rule("Softmax", "LogSoftmax")
def _softmax(call: Call) -> list[Array]:
    call.takes(1, 1)
    given = call.input(0)
    call.axis(call.get("axis", int, -1), len(given.shape))
    return [call.made(given.shape, given.kind)]


@rule(
    "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceSumSquare"
)
def _reduce(call: Call) -> list[Array]:
    call.takes(1, 2)
    given = call.input(0)
    rank = len(given.shape)
    numbers = call.numbers(1) if call.optional(1) else call.get("axes", list, [])
    call.require(all(type(number) is int for number in numbers), "its axes are no whole numbers")
    axes = call.axes(numbers, rank)
    if not axes and not call.whole("noop_with_empty_axes", 0, 0, 1):
        axes = list(range(rank))
    kept = call.whole("keepdims", 1, 0, 1)
    shape = [1 if at in axes else side for at, side in enumerate(given.shape)]
    return [call.made([s for at, s in enumerate(shape) if kept or at not in axes], given.kind)]
