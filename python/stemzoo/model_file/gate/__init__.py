"""The gate before ONNX Runtime: what a model file must be before a byte of it is handed over.

A file from elsewhere can name other files, run graphs inside graphs, ask for terabytes, or be cut
short so that a parser crashes. Here it is read by hand (`stemzoo.model_file.onnx_reader`), its
graph must be plain (`gate.graph`), its operators known and its sizes bounded (`gate.sizes`), and
its face the one that its contract promises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stemzoo.common.errors import ModelError
from stemzoo.model_file.contract import LOOKS, MAX_MODEL, Contract
from stemzoo.model_file.gate.graph import FLOAT, Graph
from stemzoo.model_file.gate.sizes import Shape, follow
from stemzoo.model_file.onnx_reader import Message, properties, read

# Opset 13 is the first whose operators take what decides a shape as they do today, and IR 7 came
# with it; IR 10 and opset 21 are what the oldest ONNX Runtime that stemzoo runs on can read.
IR_VERSIONS, OPSETS = (7, 10), (13, 21)
MAX_PROPERTIES = 256
# px: the sides of images that sizes are tried on; no window, halo or multiple is wider than LARGE.
SMALL, LARGE = 64, 1024


def examine(model: bytes, where: str) -> Contract:
    """The contract of a serialised model found at `where`, if nothing about it is to be feared."""
    with _named(where):
        message = _read(model)
        promised = properties(message["properties"])
    contract = Contract.told(promised, where)
    with _named(where):
        graph = _graph(message)
        _require_face(graph, contract)
        for shape in _shapes(contract):
            _require_answer(graph, contract, shape)
    return contract


def graph_of(model: bytes) -> Graph:
    """The graph of a model that was examined."""
    return _graph(_read(model))


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
    for key in ("multiple", "halo", "window", "step", "surface", "features"):
        value = getattr(contract, key)
        if value > LARGE:
            raise ModelError(f"its contract has {key} {value}; expected at most {LARGE}")
    given, made = [v.name for v in graph.inputs], [v.name for v in graph.outputs]
    expected = _face(contract)
    if (given, made) != expected:
        raise ModelError(
            f"it has inputs {given!s:.200} and outputs {made!s:.200}; a model for {contract.task} "
            f"has {expected[0]} and {expected[1]}"
        )
    for value in (*graph.inputs, *graph.outputs):
        if value.kind != FLOAT:
            raise ModelError(f"'{value.name}' is of element type {value.kind}; expected float32")
    side = contract.window or contract.surface
    sides = graph.inputs[0].sides
    fits = (
        sides is not None
        and len(sides) == 4
        and sides[0] is None
        and sides[1] in (None, _channels(contract))
        and all(each in (None, side or None) for each in sides[2:])
    )
    if not fits:
        free = [side or "height", side or "width"]
        raise ModelError(
            f"its input has the sides {sides}; expected "
            f"['batch', {_channels(contract)}, {free[0]}, {free[1]}]"
        )


def _face(contract: Contract) -> tuple[list[str], list[str]]:
    """The names of the inputs and outputs that the contract promises."""
    if contract.surface:
        return ["surface"], ["drift", "sigma"]
    if contract.features:
        return ["look"], ["features"]
    return ["image"], ["output"]


def _channels(contract: Contract) -> int:
    return LOOKS if contract.features else 1


def _require_answer(graph: Graph, contract: Contract, shape: Shape) -> None:
    for name, made in follow(graph, shape).items():
        if contract.surface:
            promised: Shape = (shape[0], 2)
        else:
            promised = (shape[0], contract.features or 1, *shape[2:])
        if made != promised:
            raise ModelError(
                f"for an input of shape {shape} its output '{name}' has shape {made}; the model "
                f"contract asks for {promised}"
            )


def _shapes(contract: Contract) -> list[Shape]:
    """Inputs small and large; what is run later is followed once more at its own shape."""
    side = contract.window or contract.surface
    if side:
        return [(1, 1, side, side), (3, 1, side, side)]
    sides = [-(-size // contract.multiple) * contract.multiple for size in (SMALL, LARGE)]
    return [(1, _channels(contract), each, each) for each in sides]
