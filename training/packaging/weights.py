"""Weights from a model file: the ONNX initialisers have the names of PyTorch's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn


def fill(network: nn.Module, path: Path, folded: Mapping[str, Tensor] | None = None) -> None:
    """Load the weights in the model file `path` into a network; refused if they do not fit.

    `folded` has those that the exporter of denoise-live 1.0 and its like made part of other
    constants, from the checkpoint.
    """
    found, wanted = {**(folded or {}), **_initialisers(path)}, network.state_dict()
    missing = [name for name in wanted if name not in found]
    other = [
        f"{name} is {tuple(found[name].shape)}, expected {tuple(weight.shape)}"
        for name, weight in wanted.items()
        if name in found and found[name].shape != weight.shape
    ]
    if missing or other:
        reasons = [f"it lacks {', '.join(missing)}"] if missing else []
        raise SystemExit(
            f"the weights in {path} do not fit the network its recipe makes now: "
            f"{'; '.join(reasons + other)}; check out the commit that its metadata names"
        )
    network.load_state_dict({name: found[name] for name in wanted})


def _initialisers(path: Path) -> dict[str, Tensor]:
    graph = onnx.load(path).graph
    found = {
        weight.name: torch.from_numpy(numpy_helper.to_array(weight).copy())
        for weight in graph.initializer
    }
    # Large weights are stored as float16 and cast (half_weights.py); equal weights are stored once,
    # and Identity nodes name the copies.
    for node in graph.node:
        if node.op_type in ("Cast", "Identity") and node.input[0] in found:
            found[node.output[0]] = found[node.input[0]]
    return found
