"""Large weights in half precision: a file of half the size, which computes in float32 as before.

A weight is rounded to float16 (11 significant bits) before the export. The graph stores it as
float16 and casts it to float32, which ONNX Runtime does once, when it loads the model. Small
parameters and the constants of fixed transforms remain float32.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper
from torch import Tensor

LARGE = 16384  # bytes of a float32 weight from which it is stored in half precision
SUFFIX = ".float32"  # of the name of the weight after the cast


def rounded(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights by name, large ones rounded to float16; those beyond its range stay."""
    return {name: _rounded(weight) for name, weight in weights.items()}


def _rounded(weight: Tensor) -> Tensor:
    if weight.dtype != torch.float32 or weight.nbytes < LARGE:
        return weight
    half = weight.half().float()
    return half if half.isfinite().all() else weight


def store_as_half(graph: onnx.GraphProto) -> None:
    """Store every large weight as float16 that loses nothing by it."""
    casts, names = [], {}
    for stored in graph.initializer:
        weight = numpy_helper.to_array(stored)
        if weight.dtype != np.float32 or weight.nbytes < LARGE:
            continue
        with np.errstate(over="ignore"):
            half = weight.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), weight):
            continue
        name = stored.name
        stored.CopyFrom(numpy_helper.from_array(half, name))
        names[name] = name + SUFFIX
        casts.append(onnx.helper.make_node("Cast", [name], [names[name]], to=TensorProto.FLOAT))
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
