"""Spoils a good model: its bytes, its protobuf, or what it says."""

from __future__ import annotations

from random import Random

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper

from stemzoo import _core
from tests.fuzz.byte_edits import KINDS, edited

OPS = _core.operators()
ODD = [0, 1, -1, 2, 3, 4, 5, 7, 8, 16, 63, 64, 65, 127, 128, 255, 256, 1000, 65535, 65536]
ODD += [2**31 - 1, 2**31, -(2**31), 2**32, 2**40, 2**63 - 1, -(2**63), -2, -8]
NAMES = sorted({schema.name for schema in defs.get_all_schemas()})


class Mutator:
    """Different spoilt models for ever, and the same ones for the same number."""

    def __init__(self, models: list[bytes], seed: int) -> None:
        self.models, self.seed = models, seed
        self.parsed = [onnx.load_from_string(model) for model in models]
        self.places = [_outside_weights(*pair) for pair in zip(models, self.parsed, strict=True)]

    def made(self, number: int) -> bytes:
        random = Random(f"{self.seed}/{number}")
        index = random.randrange(len(self.models))
        if random.random() < 0.5:
            return self._restructured(index, random)
        content = self.models[index]
        for _ in range(random.choice([1, 1, 1, 2, 4])):
            content = self._spoilt(content, self.places[index], random) or b"\0"
        return content

    def _spoilt(self, content: bytes, places: list[int], random: Random) -> bytes:
        at = min(random.choice(places), len(content) - 1)
        kind = random.randrange(KINDS)
        plain = edited(content, at, kind, random)
        if plain is not None:
            return plain
        if kind == 6:
            other = random.choice(self.models)
            start = random.randrange(len(other))
            length = random.choice([8, 16, 32, 64, 320])
            return content[:at] + other[start : start + length] + content[at:]
        return content[:at] + _varint(random.choice(ODD)) + content[at + 1 :]

    def _restructured(self, index: int, random: Random) -> bytes:
        model = onnx.ModelProto()
        model.CopyFrom(self.parsed[index])
        for _ in range(random.choice([1, 1, 2, 3])):
            try:
                random.choice(_EDITS)(model, random)
            except Exception:  # what onnx and protobuf themselves will not say
                continue
        return model.SerializeToString()


def _outside_weights(content: bytes, model: onnx.ModelProto) -> list[int]:
    """Where a change is not lost in a weight."""
    inside = set()
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > 64:
            start = content.index(tensor.raw_data)
            inside.update(range(start, start + len(tensor.raw_data)))
    return [at for at in range(len(content)) if at not in inside]


def _varint(number: int) -> bytes:
    number, made = number % 2**64, b""
    while number > 0x7F:
        made, number = made + bytes([number & 0x7F | 0x80]), number >> 7
    return made + bytes([number])


def _operator(model, random):
    random.choice(model.graph.node).op_type = random.choice([random.choice(NAMES), *OPS])


def _attribute(model, random):
    attribute = random.choice(random.choice([n for n in model.graph.node if n.attribute]).attribute)
    if attribute.type == attribute.INT:
        attribute.i = random.choice(ODD)
    elif attribute.type == attribute.FLOAT:
        attribute.f = random.choice([0.0, -1.0, 1e38, float("nan"), float("inf")])
    elif attribute.type == attribute.INTS:
        at = random.randrange(len(attribute.ints) + 1)
        attribute.ints[at : at + random.randrange(3)] = [random.choice(ODD)]
    else:
        attribute.s = random.choice([b"", b"SAME_UPPER", b"reflect", b"cubic", b"CRD", b"\xff"])


def _new_attribute(model, random):
    node = random.choice(model.graph.node)
    name = random.choice(sorted(defs.get_schema(node.op_type, 17).attributes) or ["x"])
    value = random.choice([random.choice(ODD), random.choices(ODD, k=4), 0.5, "linear", [1, 1]])
    node.attribute.append(helper.make_attribute(name, value))


def _input(model, random):
    node = random.choice(model.graph.node)
    node.input[random.randrange(len(node.input))] = random.choice(_made(model))


def _more_inputs(model, random):
    random.choice(model.graph.node).input.append(random.choice(_made(model)))


def _node(model, random):
    """A new node somewhere, read in place of what it reads."""
    at = random.randrange(len(model.graph.node))
    name, made = random.choice(model.graph.node[at].input), f"new {random.random()}"
    others = random.choices(_made(model), k=random.choice([0, 0, 1, 1, 2, 3]))
    node = helper.make_node(random.choice(OPS), [name, *others], [made])
    for number, other in enumerate(model.graph.node[at].input):
        if other == name:
            model.graph.node[at].input[number] = made
    model.graph.node.insert(at, node)


def _without(model, random):
    del model.graph.node[random.randrange(len(model.graph.node))]


def _twice(model, random):
    part = random.choice([model.graph.node, model.graph.initializer, model.graph.input])
    part.append(random.choice(part))


def _constant(model, random):
    tensor = random.choice(model.graph.initializer)
    kind = random.randrange(4)
    if kind == 0:
        tensor.dims[random.randrange(len(tensor.dims))] = random.choice(ODD)
    elif kind == 1:
        tensor.data_type = random.choice([0, 1, 6, 7, 9, 10, 11, 8, 2, 14, 99])
    elif kind == 2:
        tensor.dims.append(random.choice(ODD))
    else:
        del tensor.dims[:]


def _number(model, random):
    """One whole number of a constant that decides a shape, or one of its floats."""
    few = [t for t in model.graph.initializer if 0 < numpy_helper.to_array(t).size < 17]
    tensor = random.choice(few)
    values = numpy_helper.to_array(tensor).copy()
    with np.errstate(all="ignore"):
        values.ravel()[random.randrange(values.size)] = random.choice(ODD)
    tensor.CopyFrom(numpy_helper.from_array(values.reshape(-1)[: values.size], tensor.name))
    tensor.dims[:] = values.shape


def _promise(model, random):
    random.choice(model.metadata_props).value = random.choice(["", *map(str, ODD)])


def _version(model, random):
    model.opset_import[0].version = random.choice([*range(11, 25), *ODD])
    model.ir_version = random.choice([*range(5, 13), *ODD])


def _declared(model, random):
    value = random.choice([*model.graph.input, *model.graph.output])
    shape = value.type.tensor_type.shape
    random.choice(shape.dim).dim_value = random.choice(ODD)


def _made(model):
    names = [t.name for t in model.graph.initializer] + ["image", ""]
    return names + [name for node in model.graph.node for name in node.output]


_EDITS = [_operator, _attribute, _attribute, _new_attribute, _input, _input, _more_inputs, _node]
_EDITS += [_node, _without, _twice, _constant, _number, _number, _promise, _version, _declared]
