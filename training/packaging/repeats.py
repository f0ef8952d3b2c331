"""Nodes that a graph holds more than once, such as constants and the sizes of one tensor."""

from __future__ import annotations

import onnx


def without_repeats(graph: onnx.GraphProto) -> None:
    """Leave one of all nodes that compute the same; it is read where the others were."""
    first: dict[bytes, onnx.NodeProto] = {}  # by content
    instead: dict[str, str] = {}
    outputs = {output.name for output in graph.output}
    kept = []
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = instead.get(name, name)
        same = first.setdefault(_content(node), node)
        # An Identity gives a parameter its name, where two have the same values.
        if same is node or node.op_type == "Identity" or outputs.intersection(node.output):
            kept.append(node)
        else:
            instead.update(zip(node.output, same.output, strict=True))
    del graph.node[:]
    graph.node.extend(kept)


def _content(node: onnx.NodeProto) -> bytes:
    """What the node computes, from what."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.name = copy.doc_string = ""
    for place in range(len(copy.output)):
        copy.output[place] = ""
    for attribute in copy.attribute:
        attribute.t.name = ""
    content: bytes = copy.SerializeToString(deterministic=True)
    return content
