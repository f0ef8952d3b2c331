"""Frames of a stack one by one, wherever the stack is: an array, a mapped or a chunked file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.arrays import native_image

SAMPLED = 16  # frames that tell one stack from another


@dataclass(frozen=True, eq=False)
class Frame:
    """Pixels, and which of them are known where some are masked, NaN or infinite."""

    pixels: NDArray[Any]
    valid: NDArray[np.bool_] | None

    @property
    def blank(self) -> bool:
        return self.valid is not None and not self.valid.any()

    def masked(self) -> NDArray[Any]:
        """As the estimator reads it."""
        return self.pixels if self.valid is None else np.ma.MaskedArray(self.pixels, ~self.valid)


class Frames:
    """The frames of `stack`, which is anything with a shape, a dtype and frames by their number.

    Nothing is read before it is asked for, and nothing is kept. Only what gives its frames once, a
    generator, is collected.
    """

    def __init__(self, stack: Any, name: str = "stack") -> None:
        if isinstance(stack, list | tuple | Iterator):
            stack = _collected(list(stack), name)
        elif not all(hasattr(stack, needed) for needed in ("shape", "dtype", "__getitem__")):
            stack = np.asarray(stack)
        shape, dtype = tuple(stack.shape), np.dtype(stack.dtype)
        # The same words for a stack that is not in memory as for one that is.
        native_image(np.broadcast_to(np.zeros((), dtype), shape), name, ndim=3)
        if min(shape[1:]) < 2:
            raise ValueError(
                f"{name} has shape {shape}, whose frames show no drift along both axes; expected "
                "frames of at least 2 x 2 pixels"
            )
        self._stack, self._name = stack, name
        self.shape: tuple[int, int, int] = (int(shape[0]), int(shape[1]), int(shape[2]))
        self.dtype = dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> Frame:
        name = f"{self._name}[{index}]"
        given = self._stack[index]
        mask = np.ma.getmaskarray(given) if np.ma.isMaskedArray(given) else None
        pixels = native_image(np.ma.getdata(given) if mask is not None else np.asarray(given), name)
        if pixels.shape != self.shape[1:]:
            raise ValueError(
                f"{name} has shape {pixels.shape}, where the stack of shape {self.shape} announces "
                f"{self.shape[1:]}"
            )
        known = np.isfinite(pixels) if pixels.dtype.kind == "f" else None
        if mask is not None and mask.any():
            known = ~mask if known is None else known & ~mask
        if known is None or known.all():
            return Frame(pixels, None)
        return Frame(np.where(known, pixels, 0), known)

    def fingerprint(self) -> str:
        """Differs for another stack, without reading all of this one."""
        print_ = hashlib.sha256(repr((self.shape, self.dtype.str)).encode())
        for index in np.unique(np.linspace(0, len(self) - 1, SAMPLED).astype(int)).tolist():
            frame = self[index]
            print_.update(frame.pixels.tobytes())
            print_.update(b"" if frame.valid is None else np.packbits(frame.valid).tobytes())
        return print_.hexdigest()


def _collected(frames: list[Any], name: str) -> NDArray[Any]:
    arrays = [each if np.ma.isMaskedArray(each) else np.asarray(each) for each in frames]
    for index, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise ValueError(
                f"{name}[{index}] has shape {array.shape} and {name}[0] {arrays[0].shape}; "
                "expected frames of one shape"
            )
    if not arrays:
        raise ValueError(f"{name} holds no frames; expected two or more of one shape")
    masked = any(np.ma.isMaskedArray(each) for each in arrays)
    return np.ma.stack(arrays) if masked else np.stack(arrays)
