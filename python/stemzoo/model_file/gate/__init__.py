"""The gate before ONNX Runtime: what a model file must be before a byte of it is handed over.

A file from elsewhere can name other files, run graphs inside graphs, ask for terabytes, or be cut
short so that a parser crashes. Here it is read by hand (`stemzoo.model_file.onnx_reader`), its
graph must be plain (`gate.graph`), its operators known and its sizes bounded (`gate.sizes`), and
its face the one that its contract promises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stemzoo.common.errors import ModelError
from stemzoo.model_file.contract import MAX_MODEL, Contract
from stemzoo.model_file.gate.graph import FLOAT, Graph
from stemzoo.model_file.gate.sizes import Shape, follow
from stemzoo.model_file.interface import LARGE, Interface
from stemzoo.model_file.onnx_reader import Message, properties, read

# Opset 13 is the first whose operators take what decides a shape as they do today, and IR 7 came
# with it; IR 10 and opset 21 are what the oldest ONNX Runtime that stemzoo runs on can read.
IR_VERSIONS, OPSETS = (7, 10), (13, 21)
MAX_PROPERTIES = 256


@dataclass(frozen=True)
class Examined:
    """A model that is safe to run: what it promises, and the graph that keeps the promise."""

    contract: Contract
    graph: Graph


def examine(model: bytes, where: str, contract: Contract | None = None) -> Examined:
    """Examines a serialised model found at `where`; `contract` is its own, where that was read."""
    with _named(where):
        message = _read(model)
        promised = properties(message["properties"])
    contract = contract or Contract.told(promised, where)
    with _named(where):
        graph = _graph(message)
        _require_face(graph, contract)
        for shape in contract.interface.trials:
            _require_answer(graph, contract.interface, shape)
    return Examined(contract, graph)


@contextmanager
def _named(where: str) -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def _read(model: bytes) -> Message:
    if len(model) > MAX_MODEL:
        raise ModelError(f"it has {len(model)} bytes; expected at most {MAX_MODEL}")
    # ONNX Runtime takes such bytes for a format of its own, whatever else they spell.
    if model[4:8] == b"ORTM":
        raise ModelError("it is marked as ONNX Runtime's own format; expected plain ONNX")
    return read(model)


def _graph(message: Message) -> Graph:
    _require_within(message.get("ir_version", 0), IR_VERSIONS, "IR version")
    opsets = [(opset.get("domain", ""), opset.get("version", 0)) for opset in message["opsets"]]
    if len(opsets) != 1 or opsets[0][0] not in ("", "ai.onnx"):
        named = ", ".join(f"'{domain:.40}' {version}" for domain, version in opsets[:8])
        raise ModelError(f"it uses the operator sets {named or 'none'}; expected ONNX's own alone")
    _require_within(opsets[0][1], OPSETS, "opset")
    if len(message["properties"]) > MAX_PROPERTIES:
        raise ModelError(f"it has {len(message['properties'])} metadata entries; too many")
    if "graph" not in message:
        raise ModelError("it has no graph, so there is nothing to run")
    return Graph.of(message["graph"], opsets[0][1])


def _require_within(given: int, bounds: tuple[int, int], what: str) -> None:
    least, most = bounds
    if not least <= given <= most:
        raise ModelError(f"its {what} is {given}; this stemzoo runs {least} to {most}")


def _require_face(graph: Graph, contract: Contract) -> None:
    """One input and the outputs of the contract, with its types and sides."""
    # A network is tried on images of LARGE px; nothing may be wider than these.
    for key in ("multiple", "halo", "window", "step", "surface", "features"):
        value = getattr(contract, key)
        if value > LARGE:
            raise ModelError(f"its contract has {key} {value}; expected at most {LARGE}")
    given, made = [v.name for v in graph.inputs], [v.name for v in graph.outputs]
    inputs, outputs = [contract.interface.input], list(contract.interface.outputs)
    if (given, made) != (inputs, outputs):
        raise ModelError(
            f"it has inputs {given!s:.200} and outputs {made!s:.200}; a model for {contract.task} "
            f"has {inputs} and {outputs}"
        )
    for value in (*graph.inputs, *graph.outputs):
        if value.kind != FLOAT:
            raise ModelError(f"'{value.name}' is of element type {value.kind}; expected float32")
    interface, sides = contract.interface, graph.inputs[0].sides
    free = interface.side or None
    fits = (
        sides is not None
        and len(sides) == 4
        and sides[0] is None
        and sides[1] in (None, interface.channels)
        and all(each in (None, free) for each in sides[2:])
    )
    if not fits:
        expected = [interface.channels, free or "height", free or "width"]
        raise ModelError(
            f"its input has the sides {sides}; expected ['batch', {expected[0]}, {expected[1]}, "
            f"{expected[2]}]"
        )


def _require_answer(graph: Graph, interface: Interface, shape: Shape) -> None:
    promised = interface.answer(shape)
    for name, made in follow(graph, shape).items():
        if made != promised:
            raise ModelError(
                f"for an input of shape {shape} its output '{name}' has shape {made}; the model "
                f"contract asks for {promised}"
            )
