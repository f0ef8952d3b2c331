"""Drifts of the pairs of a series: frames prepared and compared, and kept as memory allows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from stemzoo.alignment.foresight import Foresight, is_first
from stemzoo.alignment.frames import Frames
from stemzoo.alignment.pair_file import Key, PairFile
from stemzoo.common.progress import Progress
from stemzoo.registration.pair import Drift, Estimator, Expected, Frame

KEPT_PIXELS = 1 << 26  # of frames waiting to be compared: bounds memory where frames are large


class Steps:
    """Counts what is done, for whoever watches."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def expect(self, more: int) -> None:
        """There is more to do than was known."""
        self._total += more

    def done(self, more: int = 1) -> None:
        self._done += more
        if self._progress and more:
            self._progress(self._done, self._total)


class Looks:
    """What the estimator knows of each frame; kept as long as it is needed and memory allows."""

    def __init__(
        self, frames: Frames, judge: Estimator, band: int, *, all_pairs: bool | None = None
    ) -> None:
        """`all_pairs` says whether all frames of the series are compared with all, where `frames`
        are a part of it."""
        self._frames, self._judge, self.band = frames, judge, band
        self._all_pairs = band >= len(frames) - 1 if all_pairs is None else all_pairs
        self._all = math.prod(frames.shape) <= KEPT_PIXELS // 4
        self._kept: dict[int, Frame] = {}

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def shape(self) -> tuple[int, int]:
        """Of each frame."""
        return self._judge.shape

    def compared(self, index: int) -> Frame:
        """As it is compared with those before it. Asked for in order."""
        if not self._all:
            self._kept.pop(index - self.band - 1, None)
        found = self._kept.get(index)
        if found is None:
            found = self._kept[index] = self._seen(index)
        return found

    def counts(self, index: int) -> Frame:
        """As it is refined."""
        found = self._kept.get(index)
        if found is None:
            found = self._seen(index)
            if self._all:
                self._kept[index] = found
        return found

    def _seen(self, index: int) -> Frame:
        frame = self._frames[index]
        # Of a frame without any valid pixel nothing is known, which is what zeros say.
        image = frame.pixels if frame.blank else frame.masked()
        return self._judge.frame(image, f"stack[{index}]")

    def drift(
        self, still: Frame, moving: Frame, apart: int, expected: Expected | None = None
    ) -> Drift:
        """As far as it has to tell which candidates are true. But neighbours exactly, where not all
        are compared with all: many small errors would make a long path another."""
        refined = apart == 1 and not self._all_pairs
        found = self._judge.confirmed(still, moving, expected) if expected else None
        return found or self._judge.pair(still, moving, refined=refined)


@contextmanager
def workers(threads: int) -> Iterator[Any]:
    """A `map`. Frames and pairs are independent, and the core computes without Python's lock."""
    if threads == 1:
        yield map
        return
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def measured(
    looks: Looks, kept: PairFile | None, steps: Steps, run: Any = map, *, begin: int = 0
) -> dict[Key, Drift]:
    """The drifts of all pairs up to `looks.band` frames apart. Of frames before `begin`, which are
    others' to measure, no more than tells where these are."""
    band = looks.band
    drifts = kept.drifts if kept else {}

    def before(at: int) -> list[int]:
        stills = range(max(0, at - band), at)
        return [i for i in stills if at >= begin or is_first(at - i)]

    wanted = [(still, at) for at in range(len(looks)) for still in before(at)]
    needed = {index for pair in wanted if pair not in drifts for index in pair}
    seen: dict[int, Frame] = {}
    foresight = Foresight(len(looks))

    def measure(stills: Iterable[int], at: int) -> None:
        wanted = [i for i in stills if (i, at) not in drifts]
        pairs = [(seen[i], seen[at], at - i, foresight.expected(i, at)) for i in wanted]
        found = run(lambda pair: looks.drift(*pair), pairs)
        for still, drift in zip(wanted, found, strict=True):
            drifts[still, at] = drift
            steps.done()

    try:
        for at in range(len(looks)):
            if at in needed:
                seen[at] = looks.compared(at)
            stills = before(at)
            steps.done(sum((i, at) in drifts for i in stills))
            first = [i for i in stills if is_first(at - i)]
            measure(first, at)
            foreseen = foresight.see(at, {i: drifts[i, at] for i in first})
            measure(stills, at)
            if not foreseen:
                foresight.look_back(at, {i: drifts[i, at] for i in stills})
            seen.pop(at - band, None)
            if kept:
                kept.tick()
    finally:
        if kept:
            kept.write()
    return drifts
