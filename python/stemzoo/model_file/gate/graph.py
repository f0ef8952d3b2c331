"""The graph of an examined ONNX file: constants whose bytes fit their shapes, nodes in order.

Every name is made once and before it is used; there are no cycles, no loose ends, no domains.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import ModelError
from stemzoo.model_file.onnx_reader import Message

MAX_NODES = MAX_CONSTANTS = 4096
MAX_RANK, MAX_SIDE = 8, 1 << 31
MAX_KNOWN = 256  # elements: a longer constant is weights, not sizes
MAX_LIST = 1024  # numbers in an attribute, inputs of a node
MAX_NAME = 1024  # characters

FLOAT, INT32, INT64, BOOL, HALF, DOUBLE = 1, 6, 7, 9, 10, 11  # of TensorProto.DataType
TYPES: dict[int, np.dtype[Any]] = {
    FLOAT: np.dtype("<f4"),
    INT32: np.dtype("<i4"),
    INT64: np.dtype("<i8"),
    BOOL: np.dtype("?"),
    HALF: np.dtype("<f2"),
    DOUBLE: np.dtype("<f8"),
}
WEIGHTS = (FLOAT, INT32, INT64, HALF, DOUBLE)  # what constants may be

# AttributeProto.AttributeType: the number, and the field that holds such a value.
_ATTRIBUTES = {1: "float", 2: "int", 3: "text", 4: "tensor", 6: "floats", 7: "ints"}


@dataclass(frozen=True)
class Array:
    """What is known of a tensor before a network runs; `value` where it is a handful of numbers."""

    shape: tuple[int, ...]
    kind: int = FLOAT
    value: NDArray[Any] | None = None

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * TYPES[self.kind].itemsize


@dataclass(frozen=True)
class Declared:
    """What a file says of a tensor: its type, and its sides where they are fixed."""

    name: str
    kind: int
    sides: tuple[int | None, ...] | None  # None: it does not say


@dataclass(frozen=True)
class Node:
    label: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Graph:
    opset: int
    nodes: tuple[Node, ...]
    constants: dict[str, Array]
    inputs: tuple[Declared, ...]
    outputs: tuple[Declared, ...]
    values: tuple[Declared, ...]

    @classmethod
    def of(cls, message: Message, opset: int) -> Graph:
        _at_most(len(message["nodes"]), MAX_NODES, "nodes in its graph")
        _at_most(len(message["constants"]), MAX_CONSTANTS, "constants in its graph")
        inputs, outputs, values = (
            tuple(_declared(value) for value in message[key])
            for key in ("inputs", "outputs", "values")
        )
        nodes = tuple(_node(node, number) for number, node in enumerate(message["nodes"]))
        constants = {_name(given, "a constant"): constant(given) for given in message["constants"]}
        graph = cls(opset, nodes, constants, inputs, outputs, values)
        if len(graph.constants) != len(message["constants"]):
            raise ModelError("two of its constants have one name")
        graph._require_wired()
        return graph

    def _require_wired(self) -> None:
        made = set(self.constants)
        for given in self.inputs:
            _new(given.name, made, "its input")
        for node in self.nodes:
            for name in node.inputs:
                if name and name not in made:
                    raise ModelError(
                        f"{node.label} reads '{name:.80}', which nothing before it makes; "
                        "expected nodes in the order they run"
                    )
            for name in node.outputs:
                _new(name, made, node.label)
        for value in (*self.outputs, *self.values):
            if value.name not in made:
                raise ModelError(f"nothing makes '{value.name:.80}', which the graph declares")


def constant(given: Message) -> Array:
    """A TensorProto, once its bytes fit its shape."""
    kind, name = given.get("kind"), given.get("name", "")
    label = f"the constant '{name:.80}'"
    if kind not in WEIGHTS:
        raise ModelError(
            f"{label} has elements of type {kind}; expected one of {WEIGHTS}: float, int32, "
            "int64, float16, double"
        )
    shape = tuple(given["dims"])
    if len(shape) > MAX_RANK or not all(0 <= side < MAX_SIDE for side in shape):
        raise ModelError(f"{label} has shape {shape!s:.80}; expected at most {MAX_RANK} sides >= 0")
    count, holders = math.prod(shape), [key for key in _HOLDERS if len(given.get(key, ()))]
    if len(holders) > 1 or any(kind not in _HOLDERS[key] for key in holders):
        raise ModelError(f"{label} of type {kind} keeps its data in: {', '.join(holders)}")
    data = given[holders[0]] if holders else b""
    size = len(data) if isinstance(data, list) else len(data) / TYPES[kind].itemsize
    if size != count:
        raise ModelError(
            f"{label} has shape {shape!s:.80}, {count} elements, and data for {size:g}"
        )
    return Array(shape, kind, _known(kind, shape, data) if count <= MAX_KNOWN else None)


# Where a TensorProto may keep its data, and of which types. Numbers in a list were read one by one.
_HOLDERS: dict[str, tuple[int, ...]] = {
    "raw": WEIGHTS,
    "floats": (FLOAT,),
    "doubles": (DOUBLE,),
    "int32s": (INT32,),
    "int64s": (INT64,),
}


def _known(kind: int, shape: tuple[int, ...], data: Any) -> NDArray[Any]:
    if not len(data):
        return np.zeros(shape, TYPES[kind])
    if not isinstance(data, list):
        return np.frombuffer(data, TYPES[kind]).reshape(shape)
    try:
        return np.array(data, TYPES[kind]).reshape(shape)
    except OverflowError:
        raise ModelError("a constant of 32-bit numbers holds a longer one") from None


def _node(given: Message, number: int) -> Node:
    op, domain = given.get("op", ""), given.get("domain", "")
    label = f"node {number} ({op:.40})"
    if domain not in ("", "ai.onnx"):
        raise ModelError(f"{label} is of the domain '{domain:.40}'; expected ONNX's own operators")
    if given.get("overload"):
        raise ModelError(f"{label} names an overload of a function; functions are not run")
    for kind in ("inputs", "outputs"):
        _at_most(len(given[kind]), MAX_LIST, f"{kind} of {label}")
    attributes = dict(_attribute(attribute, label) for attribute in given["attributes"])
    if len(attributes) != len(given["attributes"]):
        raise ModelError(f"{label} gives an attribute twice")
    return Node(label, op, tuple(given["inputs"]), tuple(given["outputs"]), attributes)


def _attribute(given: Message, label: str) -> tuple[str, Any]:
    name = _name(given, f"an attribute of {label}")
    held = [key for key in _ATTRIBUTES.values() if given.get(key) not in (None, [])]
    expected = _ATTRIBUTES.get(given.get("type", 0))
    if expected is None or held not in ([expected], [] if expected in ("ints", "floats") else None):
        raise ModelError(
            f"the attribute '{name:.40}' of {label} says it is of type {given.get('type', 0)} and "
            f"holds {', '.join(held) or 'nothing'}"
        )
    value = given[expected]
    if isinstance(value, list):
        _at_most(len(value), MAX_LIST, f"numbers in '{name:.40}' of {label}")
    return name, constant(value) if expected == "tensor" else value


def _declared(given: Message) -> Declared:
    name = _name(given, "an input, output or value")
    tensor = given.get("type", {}).get("tensor")
    if tensor is None or tensor.get("kind") not in TYPES:
        found = "no tensor" if tensor is None else f"of element type {tensor.get('kind')}"
        raise ModelError(f"'{name:.80}' is {found}; expected one of the types {tuple(TYPES)}")
    if "shape" not in tensor:
        return Declared(name, tensor["kind"], None)
    sides = tuple(_sides(tensor["shape"]["dims"], name))
    _at_most(len(sides), MAX_RANK, f"sides of '{name:.80}'")
    return Declared(name, tensor["kind"], sides)


def _sides(dims: list[Message], name: str) -> Iterator[int | None]:
    for dim in dims:
        if "value" in dim and "name" in dim:
            raise ModelError(f"a side of '{name:.80}' is both a number and a name")
        if not 0 < dim.get("value", 1) < MAX_SIDE:
            raise ModelError(
                f"'{name:.80}' has a side of {dim['value']}; expected 1 to {MAX_SIDE - 1}"
            )
        yield dim.get("value")


def _name(given: Message, what: str) -> str:
    name: str = given.get("name", "")
    if not 0 < len(name) <= MAX_NAME:
        raise ModelError(f"{what} has a name of {len(name)} characters; expected 1 to {MAX_NAME}")
    return name


def _new(name: str, made: set[str], maker: str) -> None:
    if name in made:
        raise ModelError(f"{maker} makes '{name:.80}', which is there already")
    if name:  # an output that is not asked for has an empty name
        made.add(name)


def _at_most(count: int, most: int, what: str) -> None:
    if count > most:
        raise ModelError(f"there are {count} {what}; expected at most {most}")
