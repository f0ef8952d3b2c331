"""Messages of the frame protocol, as docs/serve.md defines them.

Nothing that a message claims of its size is believed before it is compared with a bound.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

VERSION = 1
MAGIC = b"STZ1"
HEAD = struct.Struct("<4sI")  # magic, length of the header
LONGEST_HEADER = 1 << 16
LONGEST_SIDE = 1 << 16  # px
LARGEST_ID = (1 << 53) - 1  # which every JSON reader knows exactly
ROW = np.dtype("<f8")  # each number of a row: dy, dx, sigma_y, sigma_x, as stemzoo_row in C
ROW_NUMBERS = 4
DTYPES = {
    name: np.dtype(name).newbyteorder("<")
    for kind in ("int", "uint")
    for name in (f"{kind}{bits}" for bits in (8, 16, 32, 64))
} | {name: np.dtype(name).newbyteorder("<") for name in ("float32", "float64")}

Code = Literal["protocol", "too_large", "unauthorized", "busy", "value", "model", "internal"]
CLOSING = ("protocol", "too_large", "unauthorized", "busy")
Read = Callable[[memoryview], None]  # fills the view, or raises ConnectionError


class Refusal(Exception):
    """Why a request is not answered as it asks."""

    def __init__(self, code: Code, message: str, identity: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.identity = identity  # `id` of the request, as far as that is known

    @property
    def closes(self) -> bool:
        """Whether the rest of the connection cannot be understood, or is not wanted."""
        return self.code in CLOSING


@dataclass(frozen=True)
class Layout:
    """What follows the header: pixels, and then the places of the rows of a scan, if any."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    rows: int = 0

    @property
    def pixels(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.pixels * self.dtype.itemsize + self.rows * ROW_NUMBERS * ROW.itemsize


@dataclass(frozen=True)
class Request:
    """The header of a request."""

    id: int
    call: str
    token: str
    layout: Layout | None
    in_memory: bool  # the pixels are in shared memory
    arguments: Mapping[str, Any]


def read_request(read: Read) -> Request:
    """The next request, without its pixels. Raises `Refusal` where there is none."""
    return _request(_header(read))


def read_answer(read: Read) -> tuple[dict[str, Any], NDArray[Any] | None]:
    """The header of an answer, and its pixels where there are any on the wire."""
    header = _header(read)
    layout = _layout(header.get("dtype"), header.get("shape"), 0)
    return header, None if layout is None or header.get("memory") else read_pixels(read, layout)


def read_pixels(read: Read, layout: Layout) -> NDArray[Any]:
    return _filled(read, layout.shape, layout.dtype)


def read_payload(read: Read, layout: Layout) -> tuple[NDArray[Any], ...]:
    """The pixels, and the rows ([n, 4]: dy, dx, sigma_y, sigma_x) where the layout has them."""
    pixels = read_pixels(read, layout)
    if not layout.rows:
        return (pixels,)
    return pixels, _filled(read, (layout.rows, ROW_NUMBERS), ROW)


def encoded(header: Mapping[str, Any], pixels: NDArray[Any] | None = None) -> list[memoryview]:
    """What is sent of a message: the head, and the pixels where there are any."""
    told = {"version": VERSION, **header} | ({} if pixels is None else announced(pixels))
    text = json.dumps(told, allow_nan=False).encode()
    head = memoryview(HEAD.pack(MAGIC, len(text)) + text)
    if pixels is None:
        return [head]
    straight = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("<"))
    return [head, straight.reshape(-1).view(np.uint8).data]


def announced(pixels: NDArray[Any]) -> dict[str, Any]:
    return {"dtype": pixels.dtype.name, "shape": list(pixels.shape)}


def _filled(read: Read, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    array = np.empty(shape, dtype)
    read(array.reshape(-1).view(np.uint8).data)
    return array


def _header(read: Read) -> dict[str, Any]:
    head = bytearray(HEAD.size)
    read(memoryview(head))
    magic, length = HEAD.unpack(head)
    if magic != MAGIC:
        raise Refusal("protocol", f"the message begins with {magic!r}; expected {MAGIC!r}")
    if not 2 <= length <= LONGEST_HEADER:
        raise Refusal(
            "protocol",
            f"the header is said to have {length} bytes; expected 2 to {LONGEST_HEADER}",
        )
    text = bytearray(length)
    read(memoryview(text))
    try:
        header = json.loads(bytes(text), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal("protocol", f"the header is no JSON in UTF-8: {error!s:.200}") from None
    if not isinstance(header, dict):
        raise Refusal("protocol", "the header is no JSON object; expected {...}")
    return header


def _request(header: dict[str, Any]) -> Request:
    identity = header.pop("id", None)
    if not _is_whole(identity, 0, LARGEST_ID):
        raise Refusal("protocol", f"id is {identity!r:.80}; expected an integer, 0 to 2^53 - 1")
    version = header.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        raise Refusal("protocol", f"version is {version!r:.80}; expected {VERSION}", identity)
    call, token = header.pop("call", None), header.pop("token", "")
    in_memory = header.pop("memory", False)
    for name, value, kind in (
        ("call", call, str),
        ("token", token, str),
        ("memory", in_memory, bool),
    ):
        if not isinstance(value, kind):
            raise Refusal(
                "protocol", f"{name} is {type(value).__name__}; expected {kind.__name__}", identity
            )
    rows = _rows(header.pop("rows", None), identity)
    layout = _layout(header.pop("dtype", None), header.pop("shape", None), identity, rows)
    if in_memory and layout is None:
        raise Refusal("protocol", "memory needs the dtype and shape of what lies there", identity)
    return Request(identity, call, token, layout, in_memory, header)


def _rows(rows: Any, identity: int) -> int:
    if rows is None:
        return 0
    if not _is_whole(rows, 1, LONGEST_SIDE):
        raise Refusal(
            "protocol",
            f"rows is {rows!r:.80}; expected how many rows of a scan follow the image, 1 to "
            f"{LONGEST_SIDE}",
            identity,
        )
    return int(rows)


def _layout(dtype: Any, shape: Any, identity: int, rows: int = 0) -> Layout | None:
    if dtype is None and shape is None and not rows:
        return None
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise Refusal(
            "protocol", f"dtype is {dtype!r:.80}; expected one of {', '.join(DTYPES)}", identity
        )
    sides = shape if isinstance(shape, list) else []
    if len(sides) not in (2, 3) or not all(_is_whole(side, 1, LONGEST_SIDE) for side in sides):
        raise Refusal(
            "protocol",
            f"shape is {shape!r:.80}; expected two or three integers from 1 to {LONGEST_SIDE}",
            identity,
        )
    return Layout(DTYPES[dtype], tuple(sides), rows)


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON; write null")
