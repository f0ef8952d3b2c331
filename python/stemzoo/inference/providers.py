"""What ONNX Runtime can run networks on, its execution providers, and why one does not work here.

A provider is built into ONNX Runtime, or comes as a plug-in: a package that knows the path of a
library. What is known of each is data (`KNOWN`); a plug-in that is not listed needs one line.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import importlib
import io
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.common.devices import gpu_number

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
REMOTE = {"AzureExecutionProvider"}  # sends images to a service: never offered


@dataclass(frozen=True)
class Known:
    """Where a provider comes from and what it needs."""

    package: str  # what pip installs
    plugin: str = ""  # the module of a plug-in: get_library_path() is in it
    library: str = ""  # ONNX Runtime's own library of it, without prefix and suffix
    driver: tuple[str, str] = ("", "")  # a library of the system, on Linux and on Windows
    memory: str = "cpu"  # where bound tensors lie, in ONNX Runtime's words


NVIDIA = ("libcuda.so.1", "nvcuda.dll")

KNOWN = {
    CPU: Known("onnxruntime"),
    CUDA: Known(
        "onnxruntime-gpu[cuda,cudnn]",
        library="onnxruntime_providers_cuda",
        driver=NVIDIA,
        memory="cuda",
    ),
    "TensorrtExecutionProvider": Known(
        "onnxruntime-gpu[cuda,cudnn] tensorrt",
        library="onnxruntime_providers_tensorrt",
        driver=NVIDIA,
        memory="cuda",
    ),
    "NvTensorRTRTXExecutionProvider": Known(
        "onnxruntime-ep-nv-tensorrt-rtx",
        plugin="onnxruntime_ep_nv_tensorrt_rtx",
        driver=NVIDIA,
        memory="cuda",
    ),
    "OpenVINOExecutionProvider": Known("onnxruntime-ep-openvino", plugin="onnxruntime_ep_openvino"),
    "WebGpuExecutionProvider": Known(
        "onnxruntime-ep-webgpu",
        plugin="onnxruntime_ep_webgpu",
        driver=("libvulkan.so.1", ""),
    ),
}


Options = dict[str, str]
Provider = str | tuple[str, Mapping[str, Any]]

# float32 as everywhere else: left alone, ONNX Runtime multiplies in TF32 on NVIDIA's cards.
DEFAULTS: dict[str, Options] = {CUDA: {"use_tf32": "0"}}

# What a precision other than float32 means to a provider; see training/evaluation/precision.py.
PRECISIONS: dict[str, dict[str, Options]] = {
    "tf32": {CUDA: {"use_tf32": "1"}},
    "fp16": {
        "TensorrtExecutionProvider": {"trt_fp16_enable": "1"},
        "OpenVINOExecutionProvider": {"inference_precision": "f16"},
    },
}


@dataclass(frozen=True)
class Asked:
    """The providers that networks are to run on, the first that works."""

    providers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    explicit: bool = True  # somebody wants the first and nothing else
    strict: bool = False  # and nothing instead

    def names(self) -> list[str]:
        return [name for name, _ in self.providers]

    def options(self, name: str) -> Options:
        return DEFAULTS.get(name, {}) | dict(dict(self.providers)[name])


USUAL = ((CUDA, ()), (CPU, ()))  # where nobody asks for anything


def gpu_of(provider: str, asked: Asked) -> int | None:
    """The number of the GPU whose memory a provider reads; None where that is the host's."""
    if memory_of(provider) == "cpu":
        return None
    return int(asked.options(provider).get("device_id", 0)) if provider in asked.names() else 0


def asked_for(
    providers: Sequence[Provider] | None = None,
    device: str | None = None,
    precision: str = "float32",
    strict: bool = False,
) -> Asked:
    """What the arguments of `stemzoo.load` ask for, where they ask for anything."""
    if providers is not None and device is not None:
        raise ValueError(
            f"providers is {providers!r} and device is {device!r}; expected one of them: device "
            "chooses CUDA or the CPU, providers anything that ONNX Runtime has"
        )
    if device is not None:
        gpu = gpu_number(device)
        chosen: list[Provider] = [] if gpu is None else [(CUDA, {"device_id": gpu})]
        chosen.append(CPU)
    else:
        chosen = [CUDA, CPU] if providers is None else list(providers)
    named = [(one, {}) if isinstance(one, str) else one for one in chosen]
    precise = _precise(precision, [name for name, _ in named])
    options = tuple(
        (
            name,
            tuple(
                (key, str(value)) for key, value in (precise.get(name, {}) | dict(given)).items()
            ),
        )
        for name, given in named
    )
    return Asked(options, providers is not None or device is not None, strict)


def _precise(precision: str, names: list[str]) -> dict[str, Options]:
    if precision == "float32":
        return {}
    if precision not in PRECISIONS:
        raise ValueError(
            f"precision is {precision!r}; expected 'float32' or one of {', '.join(PRECISIONS)}"
        )
    able = PRECISIONS[precision]
    if not names or names[0] not in able:
        raise ValueError(
            f"precision is {precision!r}, which {names[0] if names else CPU} cannot be asked for; "
            f"expected one of {', '.join(able)} as the first of providers"
        )
    return able


@dataclass(frozen=True)
class ProviderState:
    """Whether networks run on a provider here, and if not, why and what to do."""

    name: str
    works: bool
    reason: str = ""  # empty where it works


def states() -> list[ProviderState]:
    """Every provider that is known or that this ONNX Runtime has, each tried on a small network."""
    try:
        import onnxruntime
    except ImportError:
        missing = "ONNX Runtime is not installed: pip install 'stemzoo[cpu]' or 'stemzoo[gpu]'"
        return [ProviderState(name, False, missing) for name in KNOWN]
    others = set(onnxruntime.get_available_providers()) - KNOWN.keys() - REMOTE
    found = [(name, refusal(name)) for name in [*KNOWN, *sorted(others)]]
    return [ProviderState(name, not reason, reason) for name, reason in found]


def refusal(name: str) -> str:
    """Why networks do not run on a provider here; empty if they do."""
    return _missing(name) or _tried(name)


def granted(content: bytes, options: Callable[[], Any], asked: Asked) -> tuple[Any, str]:
    """ONNX Runtime's session on the first provider that works, and why the first asked for does
    not; empty if it does. ONNX Runtime itself falls back to the CPU in silence."""
    reasons = {name: _missing(name) for name in asked.names()}
    usable = [(name, asked.options(name)) for name, reason in reasons.items() if not reason]
    first = asked.names()[0] if asked.providers else CPU
    reason = reasons.get(first, "")
    if any(name != CPU for name, _ in usable):
        try:
            session = opened(content, options(), usable)
        except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
            reason = reason or " ".join(str(error).split())
        else:
            if session.get_providers()[0] != first and not reason:
                reason = "ONNX Runtime passed it over and says no more"
            return session, reason
    return opened(content, options(), [(CPU, {})]), reason


def _missing(name: str) -> str:
    """What a provider needs and this machine has not, as far as that shows before it is used."""
    import onnxruntime

    known = KNOWN.get(name)
    if name == CPU or (known is None and name in onnxruntime.get_available_providers()):
        return ""
    if known is None:
        return (
            f"unknown to this onnxruntime {onnxruntime.__version__}, which has "
            f"{', '.join(onnxruntime.get_available_providers())}"
        )
    if known.plugin and not _module(known.plugin):
        return f"not installed: pip install {known.package}"
    if not known.plugin and name not in onnxruntime.get_available_providers():
        return (
            f"this onnxruntime {onnxruntime.__version__} was built without it: pip uninstall "
            f"onnxruntime, then pip install {known.package}"
        )
    driver = known.driver[os.name == "nt"]
    if driver and (error := _unopened(driver)):
        return f"no driver for it ({error})"
    if known.library:
        _preload_cuda()
        if error := _unopened(str(_own_library(known.library))):
            return f"a library is missing ({error}): pip install {known.package}"
    return ""


def _tried(name: str) -> str:
    """What goes wrong where a small network runs on it; empty if nothing does."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    image = np.ones((1, 1, 8, 8), np.float32)
    try:
        session = opened(_TRIAL, options, [(name, {})])
        result = session.run(None, {"x": image})[0]
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        return " ".join(str(error).split())
    if session.get_providers()[0] != name:
        return f"it was passed over for {session.get_providers()[0]}, and ONNX Runtime says no more"
    middle = float(result[0, 0, 4, 4])
    return "" if abs(middle - 6) < 1e-2 else f"it computed {middle} where the answer is 6"


def opened(content: bytes, options: Any, providers: list[tuple[str, Options]]) -> Any:
    """ONNX Runtime's session on the providers that it has, plug-ins among them; its exceptions
    come through."""
    import onnxruntime

    if any(memory_of(name) == "cuda" for name, _ in providers):
        _preload_cuda()
    plugins = [(name, values) for name, values in providers if _is_plugin(name)]
    if not plugins:
        return onnxruntime.InferenceSession(content, options, providers, enable_fallback=0)
    # Plug-ins and providers that are built in cannot be mixed; the CPU is always behind them.
    for name, values in plugins:
        options.add_provider_for_devices([_plugin_device(name)], values)
    return onnxruntime.InferenceSession(content, options, enable_fallback=0)


def memory_of(provider: str) -> str:
    """Where the tensors lie that a provider reads without a copy: "cpu" or "cuda"."""
    return KNOWN[provider].memory if provider in KNOWN else "cpu"


def _is_plugin(name: str) -> bool:
    return name in KNOWN and bool(KNOWN[name].plugin)


def _plugin_device(name: str) -> Any:
    """The first device that a plug-in offers; providers refuse several of their own."""
    import onnxruntime

    _register(name)
    devices = onnxruntime.get_ep_devices()
    own = [device for device in devices if device.ep_name == name]
    if not own:
        others = sorted({device.ep_name for device in devices})
        raise RuntimeError(
            f"it offers no device for this machine; there are devices for {', '.join(others)}"
        )
    return own[0]


@cache
def _register(name: str) -> None:
    """Once a process: ONNX Runtime refuses to do it again."""
    import onnxruntime

    module = _module(KNOWN[name].plugin)
    if module is None:
        raise RuntimeError(f"not installed: pip install {KNOWN[name].package}")
    onnxruntime.register_execution_provider_library(name, module.get_library_path())


@cache
def _preload_cuda() -> None:
    """CUDA and cuDNN as pip installs them. What is missing there may be elsewhere."""
    import onnxruntime

    if hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
            onnxruntime.preload_dlls()


def _module(name: str) -> Any | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _unopened(library: str) -> str:
    """Why a shared library cannot be opened; empty if it can."""
    try:
        # Lazily: a provider's library has functions that ONNX Runtime gives it later.
        ctypes.CDLL(library, mode=getattr(os, "RTLD_LAZY", 0))
    except OSError as error:
        return str(error)
    return ""


def _own_library(stem: str) -> Path:
    import onnxruntime

    folder = Path(onnxruntime.__file__).parent / "capi"
    return folder / (f"{stem}.dll" if os.name == "nt" else f"lib{stem}.so")


# y = 3 x 3 convolution of x [1, 1, 8, 8] with a cross whose sum is 6: opset 17, IR 8.
_TRIAL = base64.b64decode(
    "CAgSADqaAQoiCgF4CgFrEgF5IgRDb252KhEKBHBhZHNAAUABQAFAAaABBxIFdHJpYWwqMwgBCAEIAwgDEAFCAWtKJA"
    "AAAAAAAIA/AAAAAAAAgD8AAABAAACAPwAAAAAAAIA/AAAAAFobCgF4EhYKFAgBEhAKAggBCgIIAQoCCAgKAggIYhsK"
    "AXkSFgoUCAESEAoCCAEKAggBCgIICAoCCAhCBAoAEBE="
)
