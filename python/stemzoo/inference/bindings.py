"""Inputs and outputs of a network bound to memory of a GPU, and kept bound.

ONNX Runtime reads and writes them where they are. A shape or an address that it has not seen costs
it a search for the fastest kernels, or a new CUDA graph: so bound memory is used again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from stemzoo import _core
from stemzoo.inference.providers import Asked, memory_of

MOST = 8  # bindings kept; the one that was used longest ago goes first

Key = tuple[tuple[int, ...], int]  # shape and address of the input


@dataclass(frozen=True)
class Bound:
    binding: Any
    output: _core.DeviceTensor
    options: Any  # of the run


class Bindings:
    """Of one session. Runs take turns: they share the memory of the output."""

    def __init__(self, session: Any, provider: str, asked: Asked) -> None:
        self._session, self._memory = session, memory_of(provider)
        options = asked.options(provider) if provider in asked.names() else {}
        self._graphs = options.get("enable_cuda_graph", "0") == "1"
        self._kept: OrderedDict[Key, Bound] = OrderedDict()
        self._made = 0
        self._lock = threading.Lock()

    def run(self, batch: _core.DeviceTensor) -> _core.DeviceTensor:
        """The output for this input; it stays what it is until the next run of that shape."""
        with self._lock:
            bound = self._bound(batch)
            self._session.run_with_iobinding(bound.binding, bound.options)
            return bound.output

    def __len__(self) -> int:
        return len(self._kept)

    def _bound(self, batch: _core.DeviceTensor) -> Bound:
        key = (batch.shape, batch.pointer)
        if key not in self._kept:
            while len(self._kept) >= MOST:
                self._kept.popitem(last=False)
            self._kept[key] = self._bind(batch)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _bind(self, batch: _core.DeviceTensor) -> Bound:
        import onnxruntime

        output = _core.DeviceTensor.empty(batch.device, batch.shape)
        binding = self._session.io_binding()
        ends = (
            (binding.bind_input, self._session.get_inputs()[0], batch),
            (binding.bind_output, self._session.get_outputs()[0], output),
        )
        for bind, end, tensor in ends:
            number = tensor.device if self._memory != "cpu" else 0
            bind(end.name, self._memory, number, np.float32, list(tensor.shape), tensor.pointer)
        options = onnxruntime.RunOptions()
        self._made += 1
        if self._graphs:  # a graph is captured for each binding, and told apart by a number
            options.add_run_config_entry("gpu_graph_id", str(self._made))
        return Bound(binding, output, options)
