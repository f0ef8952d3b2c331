"""Model files whose bytes are damaged, or such as no writer of protobuf makes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from small_models import dense, same

Hostile = tuple[str, bytes, str]  # a name, the file, words of its refusal


def damaged() -> Iterator[Hostile]:
    good = dense(4, 2, np.eye(16), np.zeros(16))
    for part in (1, 2, 3, 7, 20, 50, 80, 95):
        yield f"cut at {part} %", good[: len(good) * part // 100], "cut short|lacks stemzoo"
    yield "empty", b"", "metadata lacks stemzoo.name"
    yield "one byte less", good[:-1], "cut short"
    yield "text", b"not a network\n" * 9, "not an ONNX file"
    yield "zeros", bytes(4096), "not an ONNX file"
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(64), "not an ONNX file"
    flipped = bytearray(good)
    flipped[good.index(b"Gemm")] ^= 0x80
    yield "flipped in a name", bytes(flipped), "no UTF-8"
    flipped = bytearray(good)
    flipped[good.index(b"Gemm") + 1] ^= 1
    yield "flipped in an operator", bytes(flipped), "none of the operators"
    yield "flipped in a tag", bytes([good[0] ^ 7]) + good[1:], "not an ONNX file"


def encoded() -> Iterator[Hostile]:
    """What no writer of protobuf makes."""
    good = same("denoise")
    yield "endless number", b"\x08" + b"\xff" * 64 + good, "ends inside a number"
    yield "number of 70 bits", b"\x08" + b"\xff" * 9 + b"\x7f" + good, "ends inside a number"
    yield "length beyond the file", good + b"\x3a\xff\xff\xff\xff\x7f", "cut short"
    yield "group", b"\x0b" * 40_000 + good, "unknown protobuf wire type 3"
    yield "field 0", b"\x00\x01" + good, "no number of a field"
    yield "unknown field", good + b"\xba\x3e\x00", "damaged one: it has a field 999"
    yield "a million empty fields", good + b"\x42\x00" * 1_000_000, "more than 200000 fields"
    yield "wrong wire type", b"\x38\x05" + good[2:], "'graph' comes as wire type 0"
    yield "IR version twice", b"\x08\x08" + good, "'ir_version' is given twice"
    yield "a second graph", good + b"\x3a\x00", "'graph' is given twice"
    yield "a long text", b"\x12\xa0\x8d\x06" + b"x" * 100_000 + good, "a text of 100000 bytes"
    # A producer's name, to whoever reads protobuf; to ONNX Runtime, its own format.
    yield "two formats at once", b"\x12\x06xxORTM" + good[good.index(b"\x3a") :], "own format"
    deep = b""
    for _ in range(5000):  # a node with an attribute with a graph with a node ...
        deep = _field(1, _field(5, _field(6, deep)))
        if len(deep) > 60_000:
            break
    yield "nested deep", good + _field(7, deep), "a graph inside a node"


def _field(number: int, payload: bytes) -> bytes:
    length, size = b"", len(payload)
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload
