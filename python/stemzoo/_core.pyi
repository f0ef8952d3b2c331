"""The compiled core (csrc/bindings). Arrays are viewed, never converted: any native real dtype."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__version__: str

def isa() -> str:
    """The instruction set the vector kernels use: baseline, avx2 or avx512."""

# --- csrc/bindings/ncc.cpp; `max_shift` is (rows, columns); masks are bool or uint8, true = valid.

class NccReference:
    def __init__(
        self,
        reference: NDArray[Any],
        max_shift: tuple[int, int],
        min_overlap: float = 0.25,
        mask: NDArray[np.bool_ | np.uint8] | None = None,
        threads: int = 0,
    ) -> None: ...
    def correlate(
        self,
        frames: NDArray[Any],
        masks: NDArray[np.bool_ | np.uint8] | None = None,
        threads: int = 0,
    ) -> NDArray[np.float32]: ...
    @property
    def shape(self) -> tuple[int, int]: ...
    @property
    def surface_shape(self) -> tuple[int, int]: ...

def ncc(
    reference: NDArray[Any],
    moving: NDArray[Any],
    max_shift: tuple[int, int],
    min_overlap: float = 0.25,
    mask: NDArray[np.bool_ | np.uint8] | None = None,
    moving_mask: NDArray[np.bool_ | np.uint8] | None = None,
    threads: int = 0,
) -> NDArray[np.float32]: ...
