"""A node as the rules of the operators see it, and the list that they are entered in.

`OPS` is the allow list: what networks for images need, and nothing that runs a graph inside a node,
has a size that pixel values decide, or takes anything but tensors. A rule gives the shapes of what
a node makes. It also refuses what would crash a runtime instead of failing in it, such as a stride
of zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import ModelError
from stemzoo.model_file.gate.graph import INT32, INT64, MAX_KNOWN, MAX_RANK, MAX_SIDE, Array, Node

MOST = 1 << 16  # of a kernel, a stride, a pad, a block
MAY_BE_BLANK = ("Clip", "Pad", "Resize", "Slice")  # with inputs after one that is left out

Shape = tuple[int, ...]
Rule = Callable[["Call"], list[Array]]
OPS: dict[str, Rule] = {}


@dataclass
class Call:
    """A node with what is known of its inputs; rules add what it computes and holds meanwhile."""

    node: Node
    opset: int
    inputs: list[Array | None]
    steps: int = 0
    scratch: int = 0  # bytes

    @classmethod
    def of(cls, node: Node, opset: int, known: dict[str, Array]) -> Call:
        return cls(node, opset, [known[name] if name else None for name in node.inputs])

    def require(self, fits: bool, what: str) -> None:
        if not fits:
            shapes = ", ".join(str(each.shape) for each in self.inputs if each)
            raise ModelError(f"{self.node.label}: {what} (inputs of shape {shapes})"[:400])

    def input(self, index: int) -> Array:
        found = self.optional(index)
        self.require(found is not None, f"it lacks input {index}")
        assert found is not None
        return found

    def optional(self, index: int) -> Array | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def takes(self, least: int, most: int) -> None:
        count = len(self.inputs)
        self.require(least <= count <= most, f"it has {count} inputs; expected {least} to {most}")
        # An input left out by an empty name, not by its absence, crashes some kernels.
        blank = None in self.inputs and self.node.op not in MAY_BE_BLANK
        self.require(not blank, "it leaves an input out by an empty name")

    def numbers(self, index: int) -> list[int]:
        """The whole numbers of an input that decides a shape."""
        given = self.input(index)
        value = given.value
        if value is None or given.kind not in (INT32, INT64) or value.ndim > 1:
            raise ModelError(
                f"{self.node.label}: input {index} decides a shape; expected a short list of "
                "integers that is constant, or computed from the shape of the image"
            )
        return [int(number) for number in value.ravel()]

    def get(self, name: str, kind: type, default: Any) -> Any:
        value = self.node.attributes.get(name, default)
        if value is not default and type(value) is not kind:
            raise ModelError(f"{self.node.label}: '{name}' is of another type than {kind.__name__}")
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        value: int = self.get(name, int, default)
        self.require(least <= value <= most, f"'{name}' is {value}; expected {least} to {most}")
        return value

    def wholes(self, name: str, default: list[int], least: int, most: int = MOST) -> list[int]:
        value: list[int] = self.get(name, list, default)
        fits = len(value) == len(default) and all(
            type(number) is int and least <= number <= most for number in value
        )
        self.require(fits, f"'{name}' is {value!s:.80}; expected {len(default)} of {least}..{most}")
        return value

    def text(self, name: str, default: str, allowed: Sequence[str]) -> str:
        value: str = self.get(name, str, default)
        self.require(
            value in allowed, f"'{name}' is '{value:.40}'; expected {' or '.join(allowed)}"
        )
        return value

    def axis(self, number: int, rank: int) -> int:
        self.require(-rank <= number < rank, f"it has no axis {number}")
        return number % rank

    def axes(self, numbers: list[int], rank: int) -> list[int]:
        found = [self.axis(number, rank) for number in numbers]
        self.require(len(set(found)) == len(found), f"it names an axis twice: {found!s:.80}")
        return found

    def made(self, shape: Sequence[int], kind: int, value: NDArray[Any] | None = None) -> Array:
        fits = len(shape) <= MAX_RANK and all(0 < side < MAX_SIDE for side in shape)
        # A list of sizes may be empty, a tensor of pixels may not.
        self.require(fits or value is not None, f"it makes an array of shape {tuple(shape)}")
        kept = value if value is not None and value.size <= MAX_KNOWN else None
        return Array(tuple(shape), kind, kept)

    def folded(self, compute: Callable[..., NDArray[Any]], count: int) -> NDArray[Any] | None:
        """What the node makes of its first `count` inputs, if all of them are known."""
        values = [each.value if each else None for each in self.inputs[:count]]
        if any(value is None for value in values):
            return None
        with np.errstate(divide="raise", invalid="raise", over="ignore", under="ignore"):
            try:
                return compute(*values)
            except (ArithmeticError, ValueError, IndexError) as error:
                raise ModelError(f"{self.node.label} cannot be computed: {error}") from None


def rule(*names: str) -> Callable[[Rule], Rule]:
    def add(function: Rule) -> Rule:
        OPS.update(dict.fromkeys(names, function))
        return function

    return add


def broadcast(call: Call, *shapes: Shape) -> Shape:
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + shape for shape in shapes]
    for sides in zip(*padded, strict=True):
        call.require(len(set(sides) - {1}) <= 1, "the shapes of its inputs do not fit")
    return tuple(next((s for s in sides if s != 1), 1) for sides in zip(*padded, strict=True))
