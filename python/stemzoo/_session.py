"""A network opened in ONNX Runtime, on the providers asked for."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stemzoo.errors import ModelError


def open_session(content: bytes, path: Path, providers: Sequence[str] | None, threads: int) -> Any:
    """An ONNX Runtime session on the providers asked for, or a warning that says what it got."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(
            "running a model needs ONNX Runtime, which is not installed; "
            "pip install 'stemzoo[cpu]', or 'stemzoo[gpu]' for NVIDIA GPUs (never both)"
        ) from error
    available = onnxruntime.get_available_providers()
    asked = list(providers) if providers is not None else [*_gpu(available), "CPUExecutionProvider"]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only: it reports its fallbacks there, we do it below
    options.intra_op_num_threads = threads
    usable = [provider for provider in asked if provider in available]
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=usable or ["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelError(f"ONNX Runtime cannot open {path}: {error}") from error
    used = session.get_providers()
    # ONNX Runtime falls back to the CPU in silence; whoever asked for a GPU must hear of it.
    if providers is not None and asked and used[0] != asked[0]:
        warnings.warn(
            f"asked for {asked[0]}, but {path.name} runs on {used[0]}; "
            f"this onnxruntime offers {', '.join(available)}",
            stacklevel=4,
        )
    return session


def _gpu(available: list[str]) -> list[str]:
    return [name for name in ("CUDAExecutionProvider",) if name in available]
