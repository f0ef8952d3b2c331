"""Reads what an ONNX file says of itself without loading a runtime: its metadata properties.

A ModelProto is a flat list of tagged fields; only field 14 (metadata_props) is opened, every other
one is stepped over. https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator

from stemzoo.errors import ModelError

_METADATA_PROPS = 14
_KEY, _VALUE = 1, 2


def metadata(model: bytes) -> dict[str, str]:
    """The metadata_props of a serialised model; ModelError where it is no ONNX file."""
    found = {}
    for number, entry in _fields(memoryview(model)):
        if number == _METADATA_PROPS:
            pair = {n: bytes(value).decode("utf-8", "replace") for n, value in _fields(entry)}
            found[pair.get(_KEY, "")] = pair.get(_VALUE, "")
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """(field number, payload) of every length-delimited field; scalars are stepped over."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ModelError("not an ONNX file, or one cut short: a field runs past its end")
            yield tag >> 3, message[at : at + length]
            at += length
        elif wire == 0:
            _, at = _varint(message, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ModelError(f"not an ONNX file: unknown protobuf wire type {wire}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
    raise ModelError("not an ONNX file, or one cut short: it ends inside a number")
