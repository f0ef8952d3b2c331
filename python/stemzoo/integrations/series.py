"""`align` by Dask: parts of a series are compared, summed and averaged where they are.

Only numbers, and sums of frames, come back. A part is read with as many frames before it as each is
compared with, and anew for every pass, so memory is bounded by parts and not by the series.
"""

from __future__ import annotations

import functools
import operator
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dask
import dask.array as da
import numpy as np
from numpy.typing import NDArray

from stemzoo.alignment import align as here
from stemzoo.alignment.frames import Frames
from stemzoo.alignment.least_squares import Floats
from stemzoo.alignment.measuring import Looks, Steps, measured
from stemzoo.alignment.pair_file import Key, PairFile
from stemzoo.alignment.together import PASSES, Field, Placed, Places, Seen, seen, settled, summed
from stemzoo.common.settings import thread_count
from stemzoo.inference.model import Model, model_for
from stemzoo.integrations.cluster import compute_each, tree_sum
from stemzoo.integrations.sent import Sent
from stemzoo.registration.pair import Drift, Estimator

PART, SHORT_PART = 64, 16  # frames of a part; where all frames are compared with all
PART_PIXELS = 1 << 26  # of a part, at most
SUMS = 32  # of frames, that come back one by one for the average

_task = functools.partial(dask.delayed, pure=True)


@dataclass(frozen=True)
class Judge:
    """What an `Estimator` is made of."""

    shape: tuple[int, int]
    model: Sent | None
    max_shift: int | None

    def opened(self) -> Estimator:
        return _opened(self, os.getpid())


@functools.lru_cache(maxsize=8)
def _opened(judge: Judge, process: int) -> Estimator:
    model = judge.model.opened() if judge.model else None
    return Estimator(judge.shape, model, max_shift=judge.max_shift, threads=1)


def align_blocks(
    stack: da.Array,
    model: str | Model | None,
    *,
    max_shift: int | None,
    band: int | None,
    threads: int | None,
    **settings: Any,
) -> here.Alignment:
    """`stemzoo.align` with these arguments; `images` of the result is a Dask array. A task takes
    one thread."""
    thread_count(threads)
    ready = None if model is None else model_for("drift", model)
    return here.aligned(Blocks(stack, ready, max_shift, band), ready, **settings)


class Blocks:
    """A series in a Dask array, as `aligned` asks for it."""

    def __init__(
        self, stack: da.Array, model: Model | None, max_shift: int | None, band: int | None
    ) -> None:
        self._stack = stack.rechunk({1: -1, 2: -1})
        self.frames = Frames(_OneByOne(self._stack))
        shape = self.frames.shape[1:]
        self.judge = Estimator(shape, model, max_shift=max_shift, threads=1)
        self.band = here.band_of(band, self.frames)
        self._sent = Judge(shape, Sent.of(model) if model else None, max_shift)
        self._all_pairs = self.band >= len(self.frames) - 1
        self._parts = _parts(self.frames.shape, SHORT_PART if self._all_pairs else PART)

    def measured(self, kept: PairFile | None, steps: Steps) -> dict[Key, Drift]:
        known: dict[Key, Drift] = kept.drifts if kept else {}
        unknown = []
        for part in self._parts:
            there = sum(pair in known for pair in self._pairs(part))
            whole = there == len(self._pairs(part))
            steps.done(there if whole else 0)
            unknown += [] if whole else [part]
        before = [range(max(0, part.start - self.band), part.stop) for part in unknown]
        tasks = [
            _task(_measure)(self._frames(read), read, part, self._sent, self.band, self._all_pairs)
            for read, part in zip(before, unknown, strict=True)
        ]

        def done(number: int, drifts: dict[Key, Drift]) -> None:
            known.update(drifts)
            steps.done(len(self._pairs(unknown[number])))
            if kept:
                kept.tick()

        try:
            compute_each(tasks, done)
        finally:
            if kept:
                kept.write()
        return {pair: known[pair] for part in self._parts for pair in self._pairs(part)}

    def refined(self, rough: Placed, steps: Steps) -> Placed:
        places = Places.of(rough, self._sent.shape)
        if places is None:
            steps.done(PASSES * len(self.frames))
            return rough
        parts = [(part, places.among(part)) for part in self._parts]
        sums = [_task(_sum)(self._frames(part), part, there, self._sent) for part, there in parts]
        (field,) = dask.persist(tree_sum(sums))
        tasks = [
            _task(_see)(self._frames(part), part, there, self._sent, field) for part, there in parts
        ]
        found: dict[int, list[Seen]] = {}

        def done(number: int, part: list[Seen]) -> None:
            found[number] = part
            steps.done(PASSES * len(self._parts[number]))

        compute_each(tasks, done)
        return settled(places, rough, [each for number in sorted(found) for each in found[number]])

    def images(self, shifts: Floats, rates: Floats) -> da.Array:
        moves = np.hstack([shifts, rates])[:, None]
        rows = da.from_array(moves, chunks=(self._stack.chunks[0], 1, 4))
        return da.map_blocks(
            _straight,
            self._stack,
            rows,
            dtype=np.float32,
            chunks=self._stack.chunks,
            meta=np.empty((0, 0, 0), np.float32),
        )

    def average(
        self, shifts: Floats, rates: Floats, steps: Steps
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        groups = np.array_split(np.arange(len(self._parts)), min(len(self._parts), SUMS))
        sums = [[self._added(self._parts[i], shifts, rates) for i in group] for group in groups]
        found: dict[int, Field] = {}

        def done(number: int, field: Field) -> None:
            found[number] = field
            steps.done(sum(len(self._parts[i]) for i in groups[number]))

        compute_each([tree_sum(group) for group in sums], done)
        field = functools.reduce(operator.add, (found[number] for number in sorted(found)))
        return here.mean_of(field.total, field.count)

    def _added(self, part: range, shifts: Floats, rates: Floats) -> Any:
        at = slice(part.start, part.stop)
        return _task(_add)(self._frames(part), shifts[at], rates[at])

    def _frames(self, part: range) -> Any:
        """Where they are."""
        return self._stack[part.start : part.stop].rechunk(-1).to_delayed().item()

    def _pairs(self, part: range) -> list[Key]:
        return [(i, at) for at in part for i in range(max(0, at - self.band), at)]


class _OneByOne:
    """Frames of a Dask array by their number."""

    def __init__(self, stack: da.Array) -> None:
        self._stack, self.shape, self.dtype = stack, stack.shape, stack.dtype

    def __getitem__(self, index: int) -> Any:
        return self._stack[index].compute()


def _parts(shape: tuple[int, int, int], most: int) -> list[range]:
    count, rows, columns = shape
    size = max(min(most, PART_PIXELS // (rows * columns)), 1)
    return [range(first, min(first + size, count)) for first in range(0, count, size)]


def _measure(
    frames: Any, read: range, part: range, judge: Judge, band: int, all_pairs: bool
) -> dict[Key, Drift]:
    looks = Looks(Frames(frames), judge.opened(), band, all_pairs=all_pairs)
    begin = part.start - read.start
    drifts = measured(looks, None, Steps(None, 0), begin=begin)
    first = read.start
    return {(i + first, at + first): drift for (i, at), drift in drifts.items() if at >= begin}


def _sum(frames: Any, part: range, places: Places, judge: Judge) -> Field:
    return summed(places, _prepared(frames, part, judge), Steps(None, 0))


def _see(frames: Any, part: range, places: Places, judge: Judge, field: Field) -> Sequence[Seen]:
    frame_at = _prepared(frames, part, judge)
    return [seen(places, order, frame_at, field) for order in range(len(places.at))]


def _add(frames: Any, shifts: Floats, rates: Floats) -> Field:
    images = here.AlignedFrames(Frames(frames), shifts, rates)
    return Field(*here.sums_of(images, Steps(None, 0)))


def _prepared(frames: Any, part: range, judge: Judge) -> Any:
    looks = Looks(Frames(frames), judge.opened(), 0)
    return lambda index: looks.counts(index - part.start)


def _straight(frames: Any, moves: Any) -> Any:
    shifts, rates = moves[:, 0, :2], moves[:, 0, 2:]
    return np.asarray(here.AlignedFrames(Frames(frames), shifts, rates))
