"""A correction applied by Dask, chunk by chunk: each chunk of the result reads what it needs.

A chunk of the result has the size of a chunk that is given. Imported where a Dask array comes in.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import dask.array as da
import numpy as np
from dask.delayed import delayed

from stemzoo.registration.correction.interpolation import Kind, interpolated
from stemzoo.registration.correction.parts import Part
from stemzoo.registration.correction.rebinning import rebinned_cut
from stemzoo.registration.correction.recording import Cut, Shape

Cuts = tuple[slice, ...]


def rebinned(parts: Sequence[Part], picture: Shape, threads: int) -> Any:
    """The sums, lazily. A chunk takes from each recording the rectangle that reaches it."""
    model = next(part for part in parts if part.is_lazy)
    sides = [_like(size, model, axis) for axis, size in enumerate(picture)]
    cuts = [*sides, *_trailing(model)]

    def block(cut: Cuts) -> Any:
        there, trailing = (cut[0], cut[1]), cut[2:]
        wanted, counts = [], []
        for part in parts:
            read = part.recording.reaching(part.scan, picture, there)
            if read is not None:
                wanted.append((part.recording, part.scan, read))
                counts.append(part.cut((*read, *trailing)))
        sizes = tuple(each.stop - each.start for each in trailing)
        return delayed(rebinned_cut, pure=False)(counts, wanted, there, picture, sizes, threads)

    return _assembled(cuts, block)


def interpolation(kind: Kind, parts: Sequence[Part], picture: Shape, threads: int) -> Any:
    """The picture, lazily. A chunk takes whole recordings: interpolation looks far."""
    model = next(part for part in parts if part.is_lazy)
    recordings = [part.recording for part in parts]
    whole: Cut = (slice(0, picture[0]), slice(0, picture[1]))
    cuts = [[whole[0]], [whole[1]], *_narrowed(_trailing(model), model)]

    def block(cut: Cuts) -> Any:
        cubes = [part.cut((slice(None), slice(None), *cut[2:])) for part in parts]
        return delayed(interpolated, pure=False)(kind, recordings, cubes, picture, threads)

    return _assembled(cuts, block)


def _like(size: int, model: Part, axis: int) -> list[slice]:
    """An axis of the picture cut as that of a recording is."""
    given = max(model.array.chunks[len(model.at) + axis])
    step = size if given == model.shape[axis] else given
    return [slice(start, min(start + step, size)) for start in range(0, size, step)]


def _trailing(model: Part) -> list[list[slice]]:
    """The axes after those of the scan, cut as they are."""
    found = []
    for sizes in model.array.chunks[len(model.at) + 2 :]:
        ends = list(itertools.accumulate(sizes))
        found.append([slice(end - size, end) for end, size in zip(ends, sizes, strict=True)])
    return found


def _narrowed(trailing: list[list[slice]], model: Part) -> list[list[slice]]:
    """Cut finer along the last axis, by as much as whole scans are larger than their chunks."""
    if not trailing:
        return trailing
    chunks = model.array.numblocks[len(model.at) : len(model.at) + 2]
    finer = []
    for each in trailing[-1]:
        step = max((each.stop - each.start) // (chunks[0] * chunks[1]), 1)
        starts = range(each.start, each.stop, step)
        finer += [slice(start, min(start + step, each.stop)) for start in starts]
    return [*trailing[:-1], finer]


def _assembled(cuts: Sequence[Sequence[slice]], block: Any) -> Any:
    """One array of all its chunks."""
    chunks = np.empty([len(each) for each in cuts], dtype=object)
    for place in np.ndindex(chunks.shape):
        cut = tuple(each[number] for each, number in zip(cuts, place, strict=True))
        shape = tuple(each.stop - each.start for each in cut)
        chunks[place] = da.from_delayed(block(cut), shape, dtype=np.float32)
    return da.block(chunks.tolist())
