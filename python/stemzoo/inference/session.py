"""A network opened in ONNX Runtime, on the providers asked for; it was examined before."""

from __future__ import annotations

import ctypes
import os
import warnings
import weakref
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.common.errors import ModelError
from stemzoo.inference.bindings import Bindings
from stemzoo.inference.providers import CPU, CUDA, USUAL, Asked, gpu_of, granted

Shape = tuple[int, ...]


class Session:
    """ONNX Runtime's session: its errors are ours, and its sizes known before it runs."""

    def __init__(self, opened: Any, graph: _core.ExaminedGraph, path: Path, asked: Asked) -> None:
        self._opened, self._graph, self._path = opened, graph, path
        self.provider: str = opened.get_providers()[0]
        self._asked = asked
        self.gpu = None if self.provider == CPU else gpu_of(self.provider, asked)
        self._process = os.getpid()
        _opened_here.add(self)
        self._followed: set[Shape] = set()

    def get_providers(self) -> list[str]:
        providers: list[str] = self._opened.get_providers()
        return providers

    def get_inputs(self) -> list[Any]:
        inputs: list[Any] = self._opened.get_inputs()
        return inputs

    def run(self, names: None, given: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        (batch,) = given.values()
        self._require_own_process()
        try:
            self._require_room(batch.shape)
            outputs: list[NDArray[np.float32]] = self._opened.run(names, given)
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            raise ModelError(f"{self._path} cannot be run: {error}") from error
        return outputs

    @cached_property
    def bound(self) -> Bindings:
        """Of inputs and outputs to memory of a GPU."""
        return Bindings(self._opened, self.provider, self._asked)

    def run_bound(self, batch: _core.DeviceTensor) -> _core.DeviceTensor:
        """The first output, of the shape of the one input; both stay in memory of the device."""
        self._require_own_process()
        try:
            self._require_room(batch.shape)
            return self.bound.run(batch)
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            raise ModelError(f"{self._path} cannot be run: {error}") from error

    def _require_own_process(self) -> None:
        """ONNX Runtime would wait for its threads for ever, which a fork leaves behind."""
        if os.getpid() != self._process:
            raise ModelError(
                f"{self._path} was opened in process {self._process}, of which this one, "
                f"{os.getpid()}, is a fork, and ONNX Runtime does not survive that; load the model "
                "after the fork, or start processes by multiprocessing.get_context('spawn')"
            )

    def _require_room(self, shape: Shape) -> None:
        """The gate tried two shapes; what a network makes of another one it may not have shown."""
        if shape in self._followed:
            return
        self._graph.require_room(shape)
        self._followed.add(shape)


_opened_here: weakref.WeakSet[Session] = weakref.WeakSet()


def _leave_to_the_parent() -> None:
    """In a forked child, closing a session would wait for its threads, too."""
    for session in _opened_here:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session._opened))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)


def open_session(
    content: bytes, graph: _core.ExaminedGraph, path: Path, asked: Asked | None, threads: int
) -> Session:
    """An ONNX Runtime session on the providers asked for, or a warning that says what it got and
    why, which is an error where `asked` is strict; where nobody asks, on CUDA if it works.
    `graph` is the examined one of `content`."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            "running a model needs ONNX Runtime, which is not installed; "
            "pip install 'stemzoo[cpu]', or 'stemzoo[gpu]' for NVIDIA GPUs (never both)"
        ) from error

    def options() -> Any:
        made = onnxruntime.SessionOptions()
        made.log_severity_level = 3  # errors only: its fallbacks are told below
        made.intra_op_num_threads = threads
        # Otherwise it guesses from the bytes, and could take them for another format than was
        # examined.
        made.add_session_config_entry("session.load_model_format", "ONNX")
        # Threads that wait for more work by spinning take the cores from whatever comes next.
        made.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return made

    gpu = CUDA in onnxruntime.get_available_providers()
    asked = asked or Asked(USUAL if gpu else USUAL[1:], explicit=False)
    try:
        if asked.providers == USUAL[1:]:
            session, reason = onnxruntime.InferenceSession(content, options(), [CPU]), ""
        else:
            session, reason = granted(content, options, asked)
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelError(f"ONNX Runtime cannot open {path}: {error}") from error
    used = session.get_providers()[0]
    if asked.explicit and reason:
        told = f"asked for {asked.names()[0]}, but {path.name} runs on {used}: {reason}"
        if asked.strict:
            raise ModelError(told)
        warnings.warn(told, stacklevel=4)
    return Session(session, graph, path, asked)
