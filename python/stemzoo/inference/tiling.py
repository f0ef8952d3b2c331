"""Overlapping windows of an image: cut apart, and put together again."""

from __future__ import annotations

import operator
from typing import Any, Literal, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import native, native_image
from stemzoo.common.devices import (
    as_given,
    device_name,
    given_to,
    gpu_for,
    gpu_number,
    on_gpu,
    stream_of,
    tensor_of,
)
from stemzoo.common.travel import Remade

Weights = Literal["flat", "triangular", "hann", "crop"]
Pair = SupportsIndex | tuple[SupportsIndex, SupportsIndex]


class Tiling(Remade):
    """Windows of `tile` pixels every `step` pixels over images of one shape, row by row.

    Sizes are `(rows, columns)`, or one number for both. The last window of an axis is moved back to
    end with the image. An image smaller than a tile, or no multiple of `multiple`, is reflected
    past its bottom and right edge (as `numpy.pad` does with `mode="reflect"`).

    `weights` says how `blend` joins overlapping windows: `"flat"` averages them, `"triangular"` and
    `"hann"` favour their middles, `"crop"` cuts them in the middle of each overlap, so that every
    pixel comes from exactly one window. The weights of all windows sum to one at every pixel, and
    blending what was split gives the image back: exactly with `"crop"`, else to float32 rounding.

    NaN and infinity pass through both `split` and `blend` unchanged.

    With `device="cuda"` (or "cuda:1"), and for images that lie on a GPU, both are done there: what
    they return is of the caller's kind, or a `DeviceTensor` with DLPack where images are NumPy's.
    `stream` is the CUDA stream that a GPU's images are ready on.

    A large image is streamed through one small batch:

    >>> tiles = Tiling(image.shape, tile=256, step=224)
    >>> result = np.zeros(tiles.shape, np.float32)
    >>> buffer = np.empty((8, *tiles.tile), np.float32)
    >>> for first in range(0, len(tiles), len(buffer)):
    ...     batch = tiles.split(image, buffer, first=first)
    ...     tiles.blend(network(batch), result, first=first)
    """

    def __init__(
        self,
        shape: Pair,
        tile: Pair,
        step: Pair,
        *,
        weights: Weights = "hann",
        multiple: Pair = 1,
        device: str | None = None,
    ) -> None:
        self._core = _core.Tiling(
            _pair("shape", shape),
            _pair("tile", tile),
            _pair("step", step),
            weights,
            _pair("multiple", multiple),
        )
        self.weights: Weights = weights
        self._multiple = _pair("multiple", multiple)
        self._gpu = gpu_number(device)
        self._on_gpus: dict[int, _core.DeviceTiles] = {}

    def _made_of(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "tile": self.tile,
            "step": self.step,
            "weights": self.weights,
            "multiple": self._multiple,
            "device": device_name(self._gpu),
        }

    @classmethod
    def for_model(
        cls, shape: Pair, multiple: SupportsIndex, halo: SupportsIndex, max_tile: SupportsIndex
    ) -> Tiling:
        """Tiles of at most `max_tile` pixels a side that give what the whole image would give.

        That holds for a network that needs sides in multiples of `multiple` and whose output pixels
        depend on nothing further away than `halo` pixels.
        """
        sides = _whole("multiple", multiple)
        plan = _core.Tiling.for_model(
            _pair("shape", shape), sides, _whole("halo", halo), _whole("max_tile", max_tile)
        )
        return cls(plan.image, plan.tile, plan.step, weights="crop", multiple=sides)

    def __len__(self) -> int:
        return len(self._core)

    def __repr__(self) -> str:
        return (
            f"<Tiling of {self.shape}: {len(self)} windows of {self.tile} every {self.step}, "
            f"weights {self.weights!r}>"
        )

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the images."""
        return self._core.image

    @property
    def tile(self) -> tuple[int, int]:
        """The shape of a window."""
        return self._core.tile

    @property
    def step(self) -> tuple[int, int]:
        """How far neighbouring windows lie apart."""
        return self._core.step

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first (row, column) of each window, as an (n, 2) array."""
        return self._core.starts()

    def split(
        self,
        image: ArrayLike,
        out: NDArray[np.float32] | None = None,
        *,
        first: SupportsIndex = 0,
        count: SupportsIndex | None = None,
        stream: Any = None,
    ) -> NDArray[np.float32]:
        """The windows from number `first` on, as (n, rows, columns) float32.

        All that remain, or `count` of them, or as many as `out` holds; what is written of `out` is
        returned.
        """
        start = _whole("first", first)
        if count is None:
            rest = max(len(self) - start, 0)
            windows = rest if out is None else min(rest, _length("out", out))
        else:
            windows = _whole("count", count)
        gpu = self._gpu_for(image)
        if gpu is not None:
            on_gpu_batch: NDArray[np.float32] = self._split_on(
                gpu, image, out, start, windows, stream
            )
            return on_gpu_batch
        pixels = native_image(image, "image")
        if out is None:
            return self._core.split(pixels, start, windows)
        _require_out(out, (windows, *self.tile), at_least=True)
        part = out if len(out) == windows else out[:windows]
        self._core.split(pixels, start, windows, out=part)
        return part

    def blend(
        self,
        batch: ArrayLike,
        out: NDArray[np.float32] | None = None,
        *,
        first: SupportsIndex = 0,
        stream: Any = None,
    ) -> NDArray[np.float32]:
        """The float32 image that the windows from number `first` on make up, weighted.

        With `out` given, adds to it and returns it; start from zeros. Pixels outside the windows
        are zero, or left alone.
        """
        start = _whole("first", first)
        gpu = self._gpu_for(batch)
        if gpu is not None:
            blended: NDArray[np.float32] = self._blend_on(gpu, batch, out, start, stream)
            return blended
        windows = self._windows(batch)
        if out is not None:
            _require_out(out, self.shape)
            self._core.blend(windows, out, start)
        elif start == 0 and len(windows) == len(self):
            out = np.empty(self.shape, np.float32)
            self._core.blend(windows, out, fill=0.0)
        else:
            out = np.zeros(self.shape, np.float32)
            self._core.blend(windows, out, start)
        return out

    def _gpu_for(self, array: Any) -> int | None:
        return gpu_for(None, array) if self._gpu is None else self._gpu

    def _on(self, gpu: int) -> _core.DeviceTiles:
        if gpu not in self._on_gpus:
            self._on_gpus[gpu] = _core.DeviceTiles(self._core, gpu)
        return self._on_gpus[gpu]

    def _split_on(
        self, gpu: int, image: Any, out: Any, first: int, windows: int, stream: Any
    ) -> Any:
        pixels = given_to(gpu, image, "image", stream)
        to = None if out is None else tensor_of(out, stream)
        batch = self._on(gpu).split(pixels, first, windows, to, stream_of(stream, image))
        return as_given(batch, image) if out is None else out

    def _blend_on(self, gpu: int, batch: Any, out: Any, first: int, stream: Any) -> Any:
        windows = given_to(gpu, batch, "batch", stream)
        if not on_gpu(batch):
            windows = self._windows(windows)
        handle = stream_of(stream, batch)
        if out is not None:
            self._on(gpu).blend(windows, tensor_of(out, stream), first, None, handle)
            return out
        if first != 0 or windows.shape[0] != len(self):
            raise ValueError(
                f"batch holds {windows.shape[0]} of {len(self)} windows from number {first} on; on "
                "a GPU, give all of them, or an image of zeros there as out"
            )
        return as_given(self._on(gpu).blend(windows, None, 0, 0.0, handle), batch)

    def _windows(self, batch: ArrayLike) -> NDArray[np.float32]:
        values = native(batch, "batch")
        if values.ndim != 3 or values.shape[1:] != self.tile:
            raise ValueError(
                f"batch has shape {values.shape}; expected (n, {self.tile[0]}, {self.tile[1]}), "
                "the windows of this tiling"
            )
        return np.ascontiguousarray(values, np.float32)


def _whole(name: str, value: SupportsIndex) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if number < 0 or isinstance(value, bool) or number.bit_length() > 63:
        raise ValueError(f"{name} is {value!r}; expected a whole number that is not negative")
    return number


def _pair(name: str, value: Pair) -> tuple[int, int]:
    if not isinstance(value, tuple | list | np.ndarray):
        number = _whole(name, value)
        return number, number
    if len(value) != 2:
        raise ValueError(f"{name} is {value!r}; expected (rows, columns), or one number for both")
    return _whole(name, value[0]), _whole(name, value[1])


def _length(name: str, array: Any) -> int:
    if on_gpu(array):
        return int(array.shape[0])
    if not isinstance(array, np.ndarray) or array.ndim == 0:
        raise ValueError(f"{name} is {type(array).__name__}; expected a float32 array")
    return len(array)


def _require_out(
    out: NDArray[np.float32], shape: tuple[int, ...], *, at_least: bool = False
) -> None:
    """`out` is written in place, so it must fit as it is."""
    _length("out", out)
    fits = out.shape == shape or (
        at_least and out.shape[1:] == shape[1:] and out.shape[0] >= shape[0]
    )
    if not fits:
        more = " (or more windows)" if at_least else ""
        raise ValueError(f"out has shape {out.shape}; expected {shape}{more}")
    if out.dtype != np.float32 or not out.dtype.isnative or np.ma.isMaskedArray(out):
        raise ValueError(
            f"out is a {type(out).__name__} of dtype {out.dtype.str}; expected a plain float32 "
            f"array: numpy.zeros({shape}, numpy.float32)"
        )
    if not out.flags.writeable:
        raise ValueError("out is read-only; pass an array that may be written to")
    if at_least and not out.flags.c_contiguous:
        raise ValueError(f"out is not C-contiguous; expected numpy.empty({shape}, numpy.float32)")
