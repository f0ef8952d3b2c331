"""What may come in: any real array. What goes on: a native one of the same values.

The core reads every native real dtype where it lies, whatever its strides. Only what it cannot
read is converted here: float16, bool, long double, foreign byte order and unaligned pixels.

Images of other kinds (files, signals of HyperSpy, Dask arrays) are taken by whoever
`stemzoo.KINDS` names for them (stemzoo.integrations), who calls the function again with arrays.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

_READ_BY_CORE = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
_SHAPE_WORDS = {2: "a 2-D image (rows, columns)", 3: "a 3-D stack (frames, rows, columns)"}

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Call:
    """A call of a public function that was given images of another kind than arrays."""

    function: Callable[..., Any]  # which takes every kind
    arguments: dict[str, Any]
    takes: tuple[str, ...]  # the arguments that are images, or sequences of them
    gives: tuple[str, ...]  # the fields of a record in the result that are images

    def images(self) -> list[Any]:
        return [each for name in self.takes for each in _each(self.arguments[name])]

    def changed(self, change: Callable[[Any], Any]) -> Call:
        """With other images; `change` is called for each."""

        def each(given: Any) -> Any:
            return (
                [change(one) for one in given] if isinstance(given, list | tuple) else change(given)
            )

        new = {name: each(self.arguments[name]) for name in self.takes}
        return replace(self, arguments=self.arguments | new)

    def result(self) -> Any:
        return self.function(**self.arguments)

    def closed(self, result: Any, close: Callable[[Any], Any]) -> Any:
        """The result with its images in another kind."""
        if hasattr(result, "shape") and hasattr(result, "dtype"):
            return close(result)
        fields = {name: getattr(result, name) for name in self.gives if hasattr(result, name)}
        closed = {name: close(image) for name, image in fields.items()}
        return replace(result, **closed) if closed else result


def any_kind(*takes: str, gives: tuple[str, ...] = ()) -> Callable[[Function], Function]:
    """Makes a function of arrays take images of every kind in its arguments `takes`."""

    def decorated(function: Function) -> Function:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                given = signature.bind(*args, **kwargs)
            except TypeError:
                return function(*args, **kwargs)  # which says it in the words of Python
            given.apply_defaults()
            asked = Call(call, given.arguments, takes, gives)
            kinds = [kind for kind in map(kind_of, asked.images()) if kind]
            return import_module(kinds[0]).run(asked) if kinds else function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorated


def kind_of(image: Any) -> str | None:
    """The module that takes such an image; None for arrays, and for what is nothing of the sort."""
    import stemzoo

    if isinstance(image, np.ndarray):
        # Dask asks for the kind of a result by an image of a pixel; others are refused there, too.
        asked = image.size <= 1 and "dask.array" in sys.modules
        return stemzoo.KINDS["dask.array"] if asked else None
    if isinstance(image, str | os.PathLike):
        return stemzoo.KINDS["path"]
    for base in type(image).__mro__:
        for package, module in stemzoo.KINDS.items():
            if f"{base.__module__}.".startswith(f"{package}."):
                return module
    return None


def _each(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def native(array: ArrayLike, name: str) -> NDArray[Any]:
    """The same values in a dtype and byte order the core reads; a view wherever possible."""
    if np.ma.isMaskedArray(array):
        raise ValueError(
            f"{name} is a masked array, and masks have no meaning here; "
            f"fill the masked pixels first: {name}.filled(value)"
        )
    values = np.asarray(_on_host(array))
    if values.dtype.kind not in "buif":
        raise ValueError(
            f"{name} has dtype {values.dtype}; expected real numbers (integers or floats)"
            + ("; pass its real part, magnitude or phase" if values.dtype.kind == "c" else "")
        )
    if values.dtype.kind == "b":
        return values.view(np.uint8)
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    if values.dtype.str[1:] not in _READ_BY_CORE:
        values = values.astype(np.float32 if values.dtype.itemsize <= 4 else np.float64)
    apart = any(stride % values.itemsize for stride in values.strides)
    return values.copy() if apart or not values.flags.aligned else values


def _on_host(array: ArrayLike) -> ArrayLike:
    """What is computed on the CPU is copied there, whoever's GPU it lies on."""
    if isinstance(array, np.ndarray):
        return array
    from stemzoo.common.devices import on_gpu, tensor_of

    return tensor_of(array).to_host() if on_gpu(array) else array


def looks_coloured(shape: tuple[int, ...]) -> bool:
    """Whether it is (rows, columns, red-green-blue or with alpha) rather than frames of 3 or 4
    columns."""
    return len(shape) == 3 and shape[2] in (3, 4) and min(shape[:2]) > shape[2]


def native_image(image: ArrayLike, name: str, ndim: int = 2) -> NDArray[Any]:
    """`native`, for an array that must have `ndim` dimensions and at least one pixel."""
    values = native(image, name)
    if looks_coloured(values.shape):
        raise ValueError(
            f"{name} has shape {values.shape}, which looks like a colour picture (rows, columns, "
            f"{values.shape[2]} channels); expected grey levels, {_SHAPE_WORDS[ndim]}: convert it "
            f"to grey, such as by {name}[..., :3].mean(axis=-1), or, if its last axis counts "
            f"frames, move that: numpy.moveaxis({name}, -1, 0)"
        )
    if values.ndim != ndim:
        raise ValueError(f"{name} has shape {values.shape}; expected {_SHAPE_WORDS[ndim]}")
    if values.size == 0:
        raise ValueError(f"{name} has shape {values.shape}, which holds no pixels")
    return values


def image_or_stack(image: ArrayLike, name: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """The pixels of an image, or of a stack where it has three dimensions, and the mask of a
    masked array. Every pixel that is not masked is finite, and there is one."""
    mask = np.ma.getmaskarray(np.ma.asarray(image)) if np.ma.isMaskedArray(image) else None
    pixels = image if mask is None else np.ma.getdata(image)
    values = native_image(pixels, name, ndim=3 if np.ndim(pixels) == 3 else 2)
    if mask is not None and mask.all():
        raise ValueError(f"every pixel of {name} is masked, so there is nothing to work on")
    require_finite(values, name, mask)
    return values, mask


def require_finite(values: NDArray[Any], name: str, mask: NDArray[np.bool_] | None = None) -> None:
    """Refuses NaN and infinity, but for masked pixels."""
    if values.dtype.kind != "f":
        return
    finite = np.isfinite(values)
    if not (finite if mask is None else finite | mask).all():
        raise ValueError(
            f"{name} holds NaN or infinity; replace those pixels, or mask them: "
            f"numpy.ma.masked_invalid({name})"
        )
