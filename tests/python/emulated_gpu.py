"""Two GPUs that are loops on the host (csrc/cuda/emulation.hpp), and arrays that claim to be there.

Import this before anything asks the core for a GPU: it looks for its module once a process.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from stemzoo import _core

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "build" / "editable" / "tests" / "cpp" / "libemulated_cuda.so"

if BUILT.exists():
    os.environ.setdefault("STEMZOO_CUDA_MODULE", str(BUILT))


def require():
    if not BUILT.exists():
        pytest.skip(
            "no emulated CUDA module here; `make .venv/dev` builds it", allow_module_level=True
        )
    devices, reason, emulated = _core.cuda_devices()
    if not emulated:
        pytest.skip(
            f"the GPU of this process is not emulated: {reason or devices}", allow_module_level=True
        )


class CudaArray:
    """As CuPy's arrays show themselves; JAX's and Numba's do, too."""

    def __init__(self, values, stream=None):
        self.values, self.stream = np.asarray(values), stream
        self.shape, self.ndim, self.dtype = self.values.shape, self.values.ndim, self.values.dtype

    def __getitem__(self, index):
        return CudaArray(self.values[index])

    @property
    def __cuda_array_interface__(self):
        contiguous = self.values.flags.c_contiguous
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.values.__array_interface__["data"][0], False),
            "strides": None if contiguous else self.values.strides,
            "stream": self.stream,
        }


class DlpackArray:
    """As PyTorch's tensors show themselves."""

    def __init__(self, values):
        self.values, self.streams = np.asarray(values), []
        self.shape, self.ndim = self.values.shape, self.values.ndim

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, stream=None):
        self.streams.append(stream)
        return self.values.__dlpack__()


KINDS = [CudaArray, DlpackArray]


def on_host(result):
    assert isinstance(result, _core.DeviceTensor)
    return result.to_host()
