"""Reads a serialised ONNX model by hand, within bounds, and without touching its weights.

A protobuf message is a flat list of tagged fields (https://protobuf.dev/programming-guides/encoding).
The tables say which fields an ONNX message may have and what they hold, by the numbers of
onnx.proto. No table leads back to itself, so nothing nests deeper than they do: graphs inside
graphs are refused where they begin. Anything on which two protobuf readers could differ, such as a
single field given twice, is refused too, so that what was examined is what will run.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stemzoo.errors import ModelError

MAX_FIELDS = 200_000  # fields and numbers in one file; a large network has some ten thousand
MAX_TEXT = 1 << 16  # bytes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types

Message = dict[str, Any]
Table = Mapping[int, "Field"]


@dataclass(frozen=True)
class Field:
    """What a field of a message is called, and what it holds; `many` may be given many times."""

    name: str
    holds: str | Table
    many: bool = False

    @property
    def wires(self) -> tuple[int, ...]:
        """The wire types that it may come in."""
        return _WIRES.get(self.holds, (_BYTES,)) if isinstance(self.holds, str) else (_BYTES,)

    @property
    def is_list(self) -> bool:
        return self.many or self.holds in (INTS, FLOATS)


INT, FLOAT, INTS, FLOATS = "a number", "a float", "numbers", "floats"
TEXT, RAW, REFUSED = "text", "bytes", "what is refused"
_WIRES = {
    INT: (_VARINT,),
    FLOAT: (_FIXED32,),
    INTS: (_VARINT, _BYTES),  # one by one or packed: readers take both
    FLOATS: (_FIXED32, _BYTES),
}

_PROPERTY = {1: Field("key", TEXT), 2: Field("value", TEXT)}
_OPSET = {1: Field("domain", TEXT), 2: Field("version", INT)}
_DIM = {1: Field("value", INT), 2: Field("name", TEXT), 3: Field("denotation", TEXT)}
_SHAPE = {1: Field("dims", _DIM, many=True)}
_TENSOR_TYPE = {1: Field("kind", INT), 2: Field("shape", _SHAPE)}
_TYPE = {
    1: Field("tensor", _TENSOR_TYPE),
    4: Field("a sequence", REFUSED),
    5: Field("a map", REFUSED),
    6: Field("denotation", TEXT),
    7: Field("an opaque type", REFUSED),
    8: Field("a sparse tensor", REFUSED),
    9: Field("an optional value", REFUSED),
}
_VALUE = {
    1: Field("name", TEXT),
    2: Field("type", _TYPE),
    3: Field("doc", TEXT),
    4: Field("properties", _PROPERTY, many=True),
}
_TENSOR = {
    1: Field("dims", INTS),
    2: Field("kind", INT),
    3: Field("a tensor in segments", REFUSED),
    4: Field("floats", RAW),
    5: Field("int32s", INTS),
    6: Field("a tensor of texts", REFUSED),
    7: Field("int64s", INTS),
    8: Field("name", TEXT),
    9: Field("raw", RAW),
    10: Field("doubles", RAW),
    11: Field("a tensor of uint64", REFUSED),
    12: Field("doc", TEXT),
    13: Field("external data", REFUSED),
    14: Field("external data", REFUSED),  # data_location, which only external data needs
    16: Field("properties", _PROPERTY, many=True),
}
_ATTRIBUTE = {
    1: Field("name", TEXT),
    2: Field("float", FLOAT),
    3: Field("int", INT),
    4: Field("text", TEXT),
    5: Field("tensor", _TENSOR),
    6: Field("a graph inside a node", REFUSED),
    7: Field("floats", FLOATS),
    8: Field("ints", INTS),
    9: Field("a list of texts", REFUSED),
    10: Field("a list of tensors", REFUSED),
    11: Field("graphs inside a node", REFUSED),
    13: Field("doc", TEXT),
    14: Field("a type inside a node", REFUSED),
    15: Field("types inside a node", REFUSED),
    20: Field("type", INT),
    21: Field("a reference to an attribute of a function", REFUSED),
    22: Field("a sparse tensor", REFUSED),
    23: Field("sparse tensors", REFUSED),
}
_NODE = {
    1: Field("inputs", TEXT, many=True),
    2: Field("outputs", TEXT, many=True),
    3: Field("name", TEXT),
    4: Field("op", TEXT),
    5: Field("attributes", _ATTRIBUTE, many=True),
    6: Field("doc", TEXT),
    7: Field("domain", TEXT),
    8: Field("overload", TEXT),
    9: Field("properties", _PROPERTY, many=True),
}
_GRAPH = {
    1: Field("nodes", _NODE, many=True),
    2: Field("name", TEXT),
    5: Field("constants", _TENSOR, many=True),
    10: Field("doc", TEXT),
    11: Field("inputs", _VALUE, many=True),
    12: Field("outputs", _VALUE, many=True),
    13: Field("values", _VALUE, many=True),
    14: Field("a quantization annotation", REFUSED),
    15: Field("a sparse tensor", REFUSED),
    16: Field("properties", _PROPERTY, many=True),
}
_METADATA_PROPS = 14
_MODEL = {
    1: Field("ir_version", INT),
    2: Field("producer_name", TEXT),
    3: Field("producer_version", TEXT),
    4: Field("domain", TEXT),
    5: Field("model_version", INT),
    6: Field("doc", TEXT),
    7: Field("graph", _GRAPH),
    8: Field("opsets", _OPSET, many=True),
    _METADATA_PROPS: Field("properties", _PROPERTY, many=True),
    20: Field("training information", REFUSED),
    25: Field("a function", REFUSED),
    26: Field("a configuration of devices", REFUSED),
}


def read(model: bytes) -> Message:
    """Every field of a serialised model by name; tensors keep their bytes as views of `model`."""
    return _Reader().message(memoryview(model), _MODEL)


def metadata(model: bytes) -> dict[str, str]:
    """Only the metadata_props of a serialised model; every other field is stepped over."""
    reader = _Reader()
    entries = [
        reader.message(payload, _PROPERTY)
        for number, wire, payload in reader.fields(memoryview(model))
        if number == _METADATA_PROPS and wire == _BYTES
    ]
    return properties(entries)


def properties(entries: list[Message]) -> dict[str, str]:
    """A list of keys and values as a mapping."""
    found = {entry.get("key", ""): entry.get("value", "") for entry in entries}
    if len(found) != len(entries):
        raise ModelError("its metadata gives one key twice; expected every key once")
    return found


class _Reader:
    """Reads messages, and counts how much of a file's allowance they use."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def message(self, message: memoryview, table: Table) -> Message:
        found: Message = {field.name: [] for field in table.values() if field.is_list}
        for number, wire, payload in self.fields(message):
            field = table.get(number)
            if field is None:
                raise ModelError(f"it has a field {number} where ONNX has none; it may be damaged")
            if field.holds is REFUSED:
                raise ModelError(f"it holds {field.name}; expected a plain network in one file")
            if wire not in field.wires:
                raise ModelError(f"not an ONNX file: '{field.name}' comes as wire type {wire}")
            value = self._value(field.holds, wire, payload)
            if field.holds in (INTS, FLOATS):
                found[field.name] += value
            elif field.many:
                found[field.name].append(value)
            elif field.name in found:
                raise ModelError(f"not an ONNX file: '{field.name}' is given twice where one fits")
            else:
                found[field.name] = value
        return found

    def fields(self, message: memoryview) -> Iterator[tuple[int, int, Any]]:
        """(field number, wire type, payload): an int for a varint, else a view of its bytes."""
        at = 0
        while at < len(message):
            self._count(1)
            tag, at = _varint(message, at)
            number, wire = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                raise ModelError(f"not an ONNX file: {number} is no number of a field")
            if wire == _VARINT:
                value, at = _varint(message, at)
                yield number, wire, value
                continue
            if wire == _BYTES:
                length, at = _varint(message, at)
            elif wire in (_FIXED32, _FIXED64):
                length = 4 if wire == _FIXED32 else 8
            else:
                raise ModelError(f"not an ONNX file: unknown protobuf wire type {wire}")
            if length > len(message) - at:
                raise ModelError("not an ONNX file, or one cut short: a field runs past its end")
            yield number, wire, message[at : at + length]
            at += length

    def _value(self, holds: str | Table, wire: int, payload: Any) -> Any:
        if not isinstance(holds, str):
            return self.message(payload, holds)
        if holds == INT:
            return _signed(payload)
        if holds == INTS:
            return [_signed(payload)] if wire == _VARINT else self._packed(payload)
        if holds in (FLOAT, FLOATS):
            if len(payload) % 4:
                raise ModelError("not an ONNX file, or one cut short: it ends inside a number")
            self._count(len(payload) // 4)
            numbers = list(struct.unpack(f"<{len(payload) // 4}f", payload))
            return numbers[0] if holds == FLOAT else numbers
        return _text(payload) if holds == TEXT else payload

    def _packed(self, payload: memoryview) -> list[int]:
        numbers, at = [], 0
        while at < len(payload):
            self._count(1)
            number, at = _varint(payload, at)
            numbers.append(_signed(number))
        return numbers

    def _count(self, more: int) -> None:
        self.left -= more
        if self.left < 0:
            raise ModelError(f"it has more than {MAX_FIELDS} fields; no network needs so many")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, at
        shift += 7
    raise ModelError("not an ONNX file, or one cut short: it ends inside a number")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _text(payload: memoryview) -> str:
    if len(payload) > MAX_TEXT:
        raise ModelError(f"it has a text of {len(payload)} bytes; expected at most {MAX_TEXT}")
    try:
        return str(payload, "utf-8")
    except UnicodeDecodeError:
        raise ModelError("not an ONNX file, or a damaged one: a text is no UTF-8") from None
