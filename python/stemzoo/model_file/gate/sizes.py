"""How much a network will hold and compute, told from its graph for one shape of input.

A file of a hundred bytes can ask for terabytes. Following the shapes through the graph before it
runs tells, and costs a millisecond: no element is computed, but for the few from which shapes are.
"""

from __future__ import annotations

import math
from collections import Counter

from stemzoo.common.errors import ModelError
from stemzoo.model_file.gate import arithmetic, layers, rearranging  # noqa: F401  (they fill the list)
from stemzoo.model_file.gate.call import OPS, Call
from stemzoo.model_file.gate.graph import FLOAT, Array, Declared, Graph, Node

# What all tensors that are alive at once may take, and what may be computed: a part for constants
# and small inputs, and a part for each pixel. 4 KiB are 1024 float32 channels at full resolution.
BYTES, BYTES_A_PIXEL = 64 << 20, 4 << 10
STEPS, STEPS_A_PIXEL = 10**9, 2 * 10**7  # multiplications, near enough

Shape = tuple[int, ...]


def follow(graph: Graph, shape: Shape) -> dict[str, Shape]:
    """The shapes of a graph's outputs for a float32 input of `shape`, if it can and may run so."""
    pixels = math.prod(shape)
    most_bytes, most_steps = BYTES + BYTES_A_PIXEL * pixels, STEPS + STEPS_A_PIXEL * pixels
    declared = {value.name: value for value in (*graph.inputs, *graph.values, *graph.outputs)}
    known = dict(graph.constants) | {graph.inputs[0].name: Array(shape, FLOAT)}
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    uses.update(value.name for value in graph.outputs)
    alive, steps = pixels * 4, 0
    for node in graph.nodes:
        call = Call.of(node, graph.opset, known)
        made = _made(node, call)
        alive += sum(array.bytes for array in made) + call.scratch
        steps += call.steps + sum(math.prod(array.shape) for array in made)
        if alive > most_bytes:
            raise ModelError(
                f"{node.label} makes it hold {alive / 2**20:,.0f} MiB at once for an input of "
                f"{shape}; expected at most {most_bytes / 2**20:,.0f}"
            )
        if steps > most_steps:
            raise ModelError(
                f"up to {node.label} it computes {steps:.2g} products for an input of {shape}; "
                f"expected at most {most_steps:.2g}"
            )
        alive -= call.scratch
        for name, array in zip(node.outputs, made, strict=False):
            _require_as_declared(declared.get(name), array, node)
            known[name] = array
            alive -= 0 if uses[name] else array.bytes
        for name in node.inputs:
            uses[name] -= 1
            if name and not uses[name] and name not in graph.constants:
                alive -= known[name].bytes
    return {value.name: known[value.name].shape for value in graph.outputs}


def _made(node: Node, call: Call) -> list[Array]:
    rule = OPS.get(node.op)
    if rule is None:
        raise ModelError(
            f"{node.label} is none of the operators that a model may use: {', '.join(sorted(OPS))}"
        )
    made = rule(call)
    if not 0 < len(node.outputs) <= len(made):
        raise ModelError(f"{node.label} has {len(node.outputs)} outputs; expected {len(made)}")
    return made


def _require_as_declared(declared: Declared | None, array: Array, node: Node) -> None:
    if declared is None:
        return
    sides = declared.sides
    fits = sides is None or (
        len(sides) == len(array.shape)
        and all(said in (None, side) for said, side in zip(sides, array.shape, strict=True))
    )
    if declared.kind != array.kind or not fits:
        raise ModelError(
            f"{node.label} makes '{declared.name:.80}' of type {array.kind} and shape "
            f"{array.shape}; the file declares type {declared.kind} and {sides}"
        )
