"""The drifts of many frames from one reference, on the CPU or on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import native_image
from stemzoo.common.devices import device_name, given_to, gpu_for, on_gpu, stream_of
from stemzoo.common.travel import Remade
from stemzoo.inference.model import Model
from stemzoo.registration.answers import Drift
from stemzoo.registration.pair import Estimator, masked_image, named

# Of a GPU for frames at the same time: enough for some fifty of 512 x 512 pixels, so that the steps
# of a chunk are longer than it takes to start them.
WORKING_BYTES = 768 << 20


class DriftReference(Remade):
    """A reference that is prepared once, for stacks of frames against it.

        reference = stemzoo.DriftReference(first)
        drifts = reference(stack)  # one Drift a frame

    Each drift is what `stemzoo.drift(first, frame)` says. `device="cuda"` (or "cuda:1") measures
    the frames on a GPU, many at a time, as does a reference that lies on one; stacks may lie there
    or in memory of the host. `stream` is the CUDA stream that they are ready on. Frames are cleaned
    and drifts decided by the host, on `threads` threads; networks run where their model does.
    """

    def __init__(
        self,
        reference: ArrayLike,
        model: str | Model | None = "drift-lattice",
        *,
        max_shift: int | None = None,
        threads: int | None = None,
        device: str | None = None,
        stream: Any = None,
    ) -> None:
        """`model` and `max_shift` are as in `stemzoo.drift`; a model that reads correlation
        surfaces is for single pairs."""
        self._gpu = gpu_for(device, reference)
        pixels, mask = masked_image(reference, "reference")
        self._reference = (
            pixels.copy() if mask is None else np.ma.MaskedArray(pixels, mask, copy=True)
        )
        rows, columns = pixels.shape
        self._estimator = Estimator((rows, columns), model, max_shift=max_shift, threads=threads)
        self._frame = self._estimator.frame(self._reference, "reference")
        self._asked_shift = max_shift
        self._on_gpu: _core.DeviceDrifts | None = None
        if self._gpu is not None:
            self._on_gpu = _core.DeviceDrifts(
                self._estimator.core,
                self._frame,
                WORKING_BYTES,
                self._gpu,
                stream_of(stream, reference),
            )

    @property
    def device_bytes(self) -> int:
        """Memory of the GPU that it holds now; 0 on the CPU."""
        return 0 if self._on_gpu is None else self._on_gpu.bytes

    def _made_of(self) -> dict[str, Any]:
        return {
            "reference": self._reference,
            "model": self._estimator.model,
            "max_shift": self._asked_shift,
            "threads": self._estimator.threads or None,
            "device": device_name(self._gpu),
        }

    def __call__(self, stack: ArrayLike, *, stream: Any = None) -> tuple[Drift, ...]:
        frames = self._frames(stack, stream)
        if tuple(frames.shape[1:]) != self._estimator.shape:
            raise ValueError(
                f"stack has frames of shape {tuple(frames.shape[1:])} and the reference "
                f"{self._estimator.shape}; expected frames of one shape"
            )
        if self._on_gpu is None:
            found = self._estimator.core.compare_stack(self._frame, frames, "stack")
        else:
            found = self._on_gpu.compare(frames, "stack", stream_of(stream, stack))
        return tuple(Drift(*named(each)) for each in found)

    def _frames(self, stack: Any, stream: Any) -> Any:
        if np.ma.is_masked(stack):
            raise ValueError(
                "stack is masked, and masks are not read here; use stemzoo.drift(reference, frame) "
                "for each frame, or fill the masked pixels"
            )
        if self._gpu is None or not on_gpu(stack):
            pixels: NDArray[Any] = native_image(
                np.ma.getdata(stack) if not on_gpu(stack) else stack, "stack", 3
            )
            return pixels
        tensor = given_to(self._gpu, stack, "stack", stream)
        if tensor.ndim != 3 or 0 in tensor.shape:
            raise ValueError(f"stack has shape {tensor.shape}; expected a 3-D stack with pixels")
        return tensor
