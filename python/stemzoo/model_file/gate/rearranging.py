"""The operators that move, repeat or leave out elements, and those that handle shapes."""

from __future__ import annotations

import math

import numpy as np

from stemzoo.model_file.gate.call import MOST, Call, broadcast, rule
from stemzoo.model_file.gate.graph import (
    DOUBLE,
    FLOAT,
    HALF,
    INT32,
    INT64,
    MAX_KNOWN,
    MAX_SIDE,
    Array,
)


@rule("Constant")
def _constant(call: Call) -> list[Array]:
    call.takes(0, 0)
    ((name, value), *others) = call.node.attributes.items() or [("nothing", None)]
    call.require(not others, "it holds more than one value")
    if name == "value" and isinstance(value, Array):
        return [value]
    kinds = {"value_float": FLOAT, "value_floats": FLOAT, "value_int": INT64, "value_ints": INT64}
    call.require(name in kinds and isinstance(value, int | float | list), f"it holds '{name:.40}'")
    array = np.array(value, "<f4" if kinds[name] == FLOAT else "<i8")
    return [Array(array.shape, kinds[name], array if array.size <= MAX_KNOWN else None)]


@rule("Shape")
def _shape(call: Call) -> list[Array]:
    call.takes(1, 1)
    shape = call.input(0).shape
    start, end = call.get("start", int, 0), call.get("end", int, len(shape))
    value = np.array(shape[start:end], "<i8")
    return [call.made(value.shape, INT64, value)]


@rule("Reshape")
def _reshape(call: Call) -> list[Array]:
    call.takes(2, 2)
    given, asked = call.input(0), call.numbers(1)
    call.require(call.whole("allowzero", 0, 0, 1) == 0 or 0 not in asked, "it asks for a side of 0")
    copied = given.shape + (0,) * len(asked)
    sides = [side or copied[at] for at, side in enumerate(asked)]
    call.require(sides.count(-1) <= 1, "it leaves two sides open")
    count, rest = math.prod(given.shape), math.prod(side for side in sides if side != -1)
    if -1 in sides:
        call.require(rest > 0, "it asks for a side of 0")
        sides[sides.index(-1)] = count // rest
    fits = all(side >= 0 for side in sides) and math.prod(sides) == count
    call.require(fits, f"it asks for the shape {asked!s:.80}")
    value = None if given.value is None else given.value.reshape(sides)
    return [call.made(sides, given.kind, value)]


@rule("Flatten")
def _flatten(call: Call) -> list[Array]:
    call.takes(1, 1)
    given = call.input(0)
    rank = len(given.shape)
    axis = call.whole("axis", 1, -rank, rank)
    axis += rank if axis < 0 else 0
    sides = [math.prod(given.shape[:axis]), math.prod(given.shape[axis:])]
    return [call.made(sides, given.kind)]


@rule("Squeeze", "Unsqueeze")
def _squeeze(call: Call) -> list[Array]:
    call.takes(1, 2)
    given, wider = call.input(0), call.node.op == "Unsqueeze"
    rank = len(given.shape)
    if call.optional(1) or wider:
        numbers = call.numbers(1)
        axes = call.axes(numbers, rank + len(numbers) * wider)
    else:
        axes = [at for at, side in enumerate(given.shape) if side == 1]
    if wider:
        left = iter(given.shape)
        sides = [1 if at in axes else next(left) for at in range(rank + len(axes))]
    else:
        call.require(all(given.shape[at] == 1 for at in axes), "it squeezes a side that is not 1")
        sides = [side for at, side in enumerate(given.shape) if at not in axes]
    value = None if given.value is None else given.value.reshape(sides)
    return [call.made(sides, given.kind, value)]


@rule("Transpose")
def _transpose(call: Call) -> list[Array]:
    call.takes(1, 1)
    given = call.input(0)
    rank = len(given.shape)
    order = call.wholes("perm", list(range(rank))[::-1], 0, max(rank - 1, 0))
    call.require(sorted(order) == list(range(rank)), f"it has no order of axes {order}")
    return [call.made([given.shape[at] for at in order], given.kind)]


@rule("Concat")
def _concat(call: Call) -> list[Array]:
    call.takes(1, 256)
    given = [call.input(index) for index in range(len(call.inputs))]
    first = given[0].shape
    axis = call.axis(call.get("axis", int, len(first)), len(first))
    for each in given:
        others = [shape[:axis] + shape[axis + 1 :] for shape in (first, each.shape)]
        call.require(
            others[0] == others[1] and len(each.shape) == len(first), "its parts do not fit"
        )
    sides = [*first[:axis], sum(each.shape[axis] for each in given), *first[axis + 1 :]]
    value = call.folded(lambda *parts: np.concatenate(parts, axis), len(given))
    return [call.made(sides, given[0].kind, value)]


@rule("Split")
def _split(call: Call) -> list[Array]:
    call.takes(1, 2)
    given, count = call.input(0), len(call.node.outputs)
    axis = call.axis(call.get("axis", int, 0), len(given.shape))
    side = given.shape[axis]
    call.require(
        call.whole("num_outputs", count, 1, MOST) == count, "num_outputs is not how many it has"
    )
    if call.optional(1):
        parts = call.numbers(1)
    else:
        part = -(-side // count)
        # Before opset 18 the parts must be equal; since then the last may be smaller.
        call.require(call.opset >= 18 or side % count == 0, "it cannot be split into equal parts")
        parts = [part] * (count - 1) + [side - part * (count - 1)]
    fits = len(parts) == count and all(part > 0 for part in parts) and sum(parts) == side
    call.require(fits, f"parts of {parts!s:.80} do not make up a side of {side}")
    before, after = given.shape[:axis], given.shape[axis + 1 :]
    return [call.made((*before, part, *after), given.kind) for part in parts]


@rule("Slice")
def _slice(call: Call) -> list[Array]:
    call.takes(3, 5)
    given = call.input(0)
    starts, ends = call.numbers(1), call.numbers(2)
    rank = len(given.shape)
    axes = call.axes(call.numbers(3) if call.optional(3) else list(range(len(starts))), rank)
    steps = call.numbers(4) if call.optional(4) else [1] * len(starts)
    call.require(len(starts) == len(ends) == len(axes) == len(steps), "its lists differ in length")
    call.require(all(0 < abs(step) < MAX_SIDE for step in steps), "it has a step of 0")
    cuts = [slice(None)] * rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        cuts[axis] = slice(start, end, step)
    sides = [len(range(*cut.indices(n))) for cut, n in zip(cuts, given.shape, strict=True)]
    value = None if given.value is None else given.value[tuple(cuts)]
    return [call.made(sides, given.kind, value)]


@rule("Gather")
def _gather(call: Call) -> list[Array]:
    call.takes(2, 2)
    given, index = call.input(0), call.input(1)
    axis = call.axis(call.get("axis", int, 0), len(given.shape))
    fits = index.value is not None and index.kind in (INT32, INT64)
    call.require(fits, "its indices are no short list of integers known before the run")
    assert index.value is not None
    side = given.shape[axis]
    inside = bool(((index.value >= -side) & (index.value < side)).all())
    call.require(inside, f"its indices are not all within {side}")
    sides = (*given.shape[:axis], *index.shape, *given.shape[axis + 1 :])
    value = call.folded(lambda values, indices: np.take(values, indices, axis), 2)
    return [call.made(sides, given.kind, value)]


@rule("Expand")
def _expand(call: Call) -> list[Array]:
    call.takes(2, 2)
    given, asked = call.input(0), call.numbers(1)
    call.require(all(0 < side < MAX_SIDE for side in asked), f"it asks for the shape {asked!s:.80}")
    return [call.made(broadcast(call, given.shape, tuple(asked)), given.kind)]


@rule("Pad")
def _pad(call: Call) -> list[Array]:
    call.takes(2, 4)
    given, pads = call.input(0), call.numbers(1)
    rank = len(given.shape)
    axes = call.axes(call.numbers(3) if call.optional(3) else list(range(rank)), rank)
    fits = len(pads) == 2 * len(axes) and all(0 <= pad <= MOST for pad in pads)
    call.require(fits, f"it pads by {pads!s:.80}; expected two numbers of 0..{MOST} a side")
    mode = call.text("mode", "constant", ("constant", "reflect", "edge"))
    sides = list(given.shape)
    for at, axis in enumerate(axes):
        before, after = pads[at], pads[at + len(axes)]
        fits = mode != "reflect" or max(before, after) < sides[axis]
        call.require(fits, f"it reflects {max(before, after)} elements of {sides[axis]}")
        sides[axis] += before + after
    return [call.made(sides, given.kind)]


@rule("Resize")
def _resize(call: Call) -> list[Array]:
    call.takes(3, 4)
    given, region, scales = call.input(0), call.optional(1), call.optional(2)
    call.require(region is None or not math.prod(region.shape), "it crops by a region; use Slice")
    call.text("mode", "nearest", ("nearest", "linear", "cubic"))
    ways = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
    call.text("coordinate_transformation_mode", "half_pixel", ways)
    for name in ("axes", "keep_aspect_ratio_policy", "antialias"):
        call.require(name not in call.node.attributes, f"it gives '{name}', which is not supported")
    if call.optional(3):
        call.require(scales is None or not math.prod(scales.shape), "it gives scales and sizes")
        sides = call.numbers(3)
    else:
        call.require(scales is not None and scales.value is not None, "its scales are not constant")
        assert scales is not None
        assert scales.value is not None
        factors = [float(factor) for factor in scales.value.ravel()]
        fits = scales.kind in (FLOAT, HALF, DOUBLE) and all(0 < f < MOST for f in factors)
        call.require(fits, f"it has scales of {factors!s:.80}; expected some of 0..{MOST}")
        sides = [int(n * factor) for n, factor in zip(given.shape, factors, strict=False)]
        call.require(len(factors) == len(given.shape), "it has not one scale a side")
    fits = len(sides) == len(given.shape) and all(0 < side < MAX_SIDE for side in sides)
    call.require(fits, f"it makes sides of {sides!s:.80}")
    call.steps += 16 * math.prod(sides)  # cubic, in the plane
    return [call.made(sides, given.kind)]


@rule("DepthToSpace", "SpaceToDepth")
def _blocks(call: Call) -> list[Array]:
    call.takes(1, 1)
    given, block = call.input(0), call.whole("blocksize", 0, 1, MOST)
    call.require(len(given.shape) == 4, "its input is not [N, C, H, W]")
    count, depth, height, width = given.shape
    if call.node.op == "DepthToSpace":
        call.text("mode", "DCR", ("DCR", "CRD"))
        call.require(depth % block**2 == 0, f"{depth} channels are no blocks of {block}")
        return [call.made((count, depth // block**2, height * block, width * block), given.kind)]
    call.require(height % block == 0 == width % block, f"its sides are no blocks of {block}")
    return [call.made((count, depth * block**2, height // block, width // block), given.kind)]
