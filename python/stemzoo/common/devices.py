"""Where work is done and arrays lie: on the CPU, or on a GPU chosen by an argument.

An array on a GPU is one of anybody's that speaks DLPack or has `__cuda_array_interface__`: CuPy's,
PyTorch's, JAX's. It is used where it lies, and what comes back is of the caller's own kind.
"""

from __future__ import annotations

import importlib
from typing import Any

from stemzoo import _core

_ON_GPU = (2, 13)  # kDLCUDA, kDLCUDAManaged
_DEFAULT_STREAM = 1  # as DLPack counts: the legacy default stream


def gpu_number(device: str | None) -> int | None:
    """The number of the GPU that `device` names ("cuda", "cuda:1"); None for "cpu" or nothing."""
    if device is None or device == "cpu":
        return None
    kind, _, number = str(device).partition(":")
    if kind != "cuda" or not (number.isdecimal() or device == "cuda"):
        raise ValueError(
            f"device is {device!r:.80}; expected 'cpu', 'cuda', or a number with it as in 'cuda:1'"
        )
    return int(number or 0)


def device_name(gpu: int | None) -> str | None:
    """What `gpu_number` reads; None for the CPU."""
    return None if gpu is None else f"cuda:{gpu}"


def gpu_for(device: str | None, *arrays: Any) -> int | None:
    """The GPU to work on: the one asked for, else the one on which an array lies."""
    if device is not None:
        return gpu_number(device)
    there = next((array for array in arrays if on_gpu(array)), None)
    return None if there is None else tensor_of(there).device


def on_gpu(array: Any) -> bool:
    if isinstance(array, _core.DeviceTensor) or hasattr(array, "__cuda_array_interface__"):
        return True
    return hasattr(array, "__dlpack_device__") and array.__dlpack_device__()[0] in _ON_GPU


def tensor_of(array: Any, stream: Any = None) -> _core.DeviceTensor:
    """An array on a GPU, shared with its owner; ready on `stream`."""
    if isinstance(array, _core.DeviceTensor):
        return array
    if hasattr(array, "__dlpack__"):
        capsule = array.__dlpack__(stream=stream_handle(stream) or _DEFAULT_STREAM)
        return _core.DeviceTensor.from_dlpack(capsule)
    return _core.DeviceTensor.from_interface(array)


def given_to(gpu: int, array: Any, name: str, stream: Any = None) -> Any:
    """What the core takes for an image on that GPU: a tensor, or an array of the host."""
    from stemzoo.common.arrays import native  # which asks this module

    return tensor_of(array, stream) if on_gpu(array) else native(array, name)


def as_given(result: Any, given: Any) -> Any:
    """A result on a GPU as an array of the kind of `given`; as it is where that kind is unknown."""
    ours = isinstance(given, _core.DeviceTensor) or not on_gpu(given)
    if ours or not isinstance(result, _core.DeviceTensor):
        return result
    package = type(given).__module__.partition(".")[0]
    namespace = importlib.import_module("jax.numpy" if package == "jaxlib" else package)
    from_dlpack = getattr(namespace, "from_dlpack", None)
    return result if from_dlpack is None else from_dlpack(result)


def stream_of(stream: Any, *arrays: Any) -> int:
    """The stream to work on: the caller's, else the one that an array was made on."""
    if stream is not None:
        return stream_handle(stream)
    for array in arrays:
        interface = getattr(array, "__cuda_array_interface__", None) or {}
        if interface.get("stream"):
            return int(interface["stream"])
    return 0


def stream_handle(stream: Any) -> int:
    """The address of a CUDA stream: a number, or an object of CuPy, PyTorch or cuda.core."""
    if stream is None:
        return 0
    if hasattr(stream, "__cuda_stream__"):
        return int(stream.__cuda_stream__()[1])
    for name in ("ptr", "cuda_stream"):
        if hasattr(stream, name):
            return int(getattr(stream, name))
    if isinstance(stream, int) and stream >= 0:
        return stream
    raise ValueError(
        f"stream is {stream!r:.80}; expected a CUDA stream of CuPy or PyTorch, or its address"
    )
