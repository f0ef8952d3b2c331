"""Constants that a graph holds more than once, such as the matrices of a transform used twice."""

from __future__ import annotations

import onnx

SMALLEST = 1024  # bytes, from which a constant counts


def without_repeats(graph: onnx.GraphProto) -> None:
    """Leave one of each large constant, which is read where the others were."""
    first: dict[bytes, str] = {}  # by content
    instead: dict[str, str] = {}
    kept = []
    for node in graph.node:
        content = _constant(node)
        if content is None:
            kept.append(node)
        elif content in first:
            instead[node.output[0]] = first[content]
        else:
            first[content] = node.output[0]
            kept.append(node)
    for node in kept:
        for place, name in enumerate(node.input):
            node.input[place] = instead.get(name, name)
    del graph.node[:]
    graph.node.extend(kept)


def _constant(node: onnx.NodeProto) -> bytes | None:
    """Shape, type and values of a large constant."""
    if node.op_type != "Constant" or node.attribute[0].name != "value":
        return None
    tensor = onnx.TensorProto()
    tensor.CopyFrom(node.attribute[0].t)
    tensor.name = ""
    content: bytes = tensor.SerializeToString(deterministic=True)
    return content if len(content) >= SMALLEST else None
