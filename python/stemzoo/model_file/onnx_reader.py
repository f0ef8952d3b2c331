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
from functools import cached_property
from typing import Any

from stemzoo.common.errors import ModelError

MAX_FIELDS = 200_000  # fields and numbers in one file; a large network has some ten thousand
MAX_TEXT = 1 << 16  # bytes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types

Message = dict[str, Any]


class Table:
    """The fields of a message by number; `lists` are those that may come many times."""

    def __init__(self, fields: Mapping[int, Field]) -> None:
        self.fields = fields
        self.lists = tuple(field.name for field in fields.values() if field.is_list)


@dataclass(frozen=True)
class Field:
    """What a field of a message is called, and what it holds; `many` may be given many times."""

    name: str
    holds: str | Table
    many: bool = False

    @cached_property
    def wires(self) -> tuple[int, ...]:
        """The wire types that it may come in."""
        return _WIRES.get(self.holds, (_BYTES,)) if isinstance(self.holds, str) else (_BYTES,)

    @cached_property
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

_PROPERTY = Table({1: Field("key", TEXT), 2: Field("value", TEXT)})
_OPSET = Table({1: Field("domain", TEXT), 2: Field("version", INT)})
_DIM = Table({1: Field("value", INT), 2: Field("name", TEXT), 3: Field("denotation", TEXT)})
_SHAPE = Table({1: Field("dims", _DIM, many=True)})
_TENSOR_TYPE = Table({1: Field("kind", INT), 2: Field("shape", _SHAPE)})
_TYPE = Table(
    {
        1: Field("tensor", _TENSOR_TYPE),
        4: Field("a sequence", REFUSED),
        5: Field("a map", REFUSED),
        6: Field("denotation", TEXT),
        7: Field("an opaque type", REFUSED),
        8: Field("a sparse tensor", REFUSED),
        9: Field("an optional value", REFUSED),
    }
)
_VALUE = Table(
    {
        1: Field("name", TEXT),
        2: Field("type", _TYPE),
        3: Field("doc", TEXT),
        4: Field("properties", _PROPERTY, many=True),
    }
)
_TENSOR = Table(
    {
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
)
_ATTRIBUTE = Table(
    {
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
)
_NODE = Table(
    {
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
)
_GRAPH = Table(
    {
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
)
_METADATA_PROPS = 14
_MODEL = Table(
    {
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
)


def read(model: bytes) -> Message:
    """Every field of a serialised model by name; tensors keep their bytes as views of `model`."""
    return _Reader(model).message(_MODEL, 0, len(model))


def metadata(model: bytes) -> dict[str, str]:
    """Only the metadata_props of a serialised model; every other field is stepped over."""
    reader = _Reader(model)
    entries = [
        reader.message(_PROPERTY, at, end)
        for number, wire, at, end in reader.fields(0, len(model))
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

    def __init__(self, model: bytes) -> None:
        self.model = model
        self.left = MAX_FIELDS

    def message(self, table: Table, at: int, end: int) -> Message:
        found: Message = {name: [] for name in table.lists}
        for number, wire, start, stop in self.fields(at, end):
            field = table.fields.get(number)
            if field is None:
                raise ModelError(f"not an ONNX file, or a damaged one: it has a field {number}")
            if field.holds is REFUSED:
                raise ModelError(f"it holds {field.name}; expected a plain network in one file")
            if wire not in field.wires:
                raise ModelError(f"not an ONNX file: '{field.name}' comes as wire type {wire}")
            value = self._value(field.holds, wire, start, stop)
            if field.many:
                found[field.name].append(value)
            elif field.is_list:
                found[field.name] += value
            elif field.name in found:
                raise ModelError(f"not an ONNX file: '{field.name}' is given twice where one fits")
            else:
                found[field.name] = value
        return found

    def fields(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """(field number, wire type, where its payload starts, where it ends)."""
        while at < end:
            self._count(1)
            tag, at = self._varint(at, end)
            number, wire = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                raise ModelError(f"not an ONNX file: {number} is no number of a field")
            if wire == _BYTES:
                length, at = self._varint(at, end)
                stop = at + length
            elif wire == _VARINT:
                _, stop = self._varint(at, end)
            elif wire in (_FIXED32, _FIXED64):
                stop = at + (4 if wire == _FIXED32 else 8)
            else:
                raise ModelError(f"not an ONNX file: unknown protobuf wire type {wire}")
            if stop > end:
                raise ModelError("not an ONNX file, or one cut short: a field runs past its end")
            yield number, wire, at, stop
            at = stop

    def _value(self, holds: str | Table, wire: int, at: int, end: int) -> Any:
        if isinstance(holds, Table):
            return self.message(holds, at, end)
        if holds is TEXT:
            return self._text(at, end)
        if holds is RAW:
            return memoryview(self.model)[at:end]
        if holds in (INT, INTS):
            numbers = self._numbers(at, end)
            return numbers[0] if holds is INT else numbers
        floats = self._floats(at, end)
        return floats[0] if holds is FLOAT else floats

    def _text(self, at: int, end: int) -> str:
        if end - at > MAX_TEXT:
            raise ModelError(f"it has a text of {end - at} bytes; expected at most {MAX_TEXT}")
        try:
            return self.model[at:end].decode("utf-8")
        except UnicodeDecodeError:
            raise ModelError("not an ONNX file, or a damaged one: a text is no UTF-8") from None

    def _numbers(self, at: int, end: int) -> list[int]:
        numbers = []
        while at < end:
            self._count(1)
            number, at = self._varint(at, end)
            numbers.append(number - (1 << 64) if number >= 1 << 63 else number)
        return numbers

    def _floats(self, at: int, end: int) -> list[float]:
        count, rest = divmod(end - at, 4)
        if rest:
            raise ModelError("not an ONNX file, or one cut short: it ends inside a number")
        self._count(count)
        return list(struct.unpack_from(f"<{count}f", self.model, at))

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """The number that starts at `at`, and where the next thing does."""
        value = shift = 0
        while at < end and shift < 64:
            byte = self.model[at]
            at += 1
            if byte < 0x80:
                value |= byte << shift
                if value >= 1 << 64:
                    break
                return value, at
            value |= (byte & 0x7F) << shift
            shift += 7
        raise ModelError("not an ONNX file, or one cut short: it ends inside a number")

    def _count(self, more: int) -> None:
        self.left -= more
        if self.left < 0:
            raise ModelError(f"it has more than {MAX_FIELDS} fields; no network needs so many")
