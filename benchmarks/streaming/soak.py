"""Many frames through the live loop: what memory does, and whether each comes once and in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from benchmarks.timing import table
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.streaming.live import LiveFrame

SHAPE = (256, 256)
POOL = 64  # different frames, a closed path of drift
WARM = 500  # delivered frames until caches are filled
PAGE = 4096
MAX_SHIFT = 32
PEAK = 50.0  # electrons


@dataclass
class Watch:
    """A sink that checks what it is given. A corner pixel holds the number of its frame."""

    slowness: float = 0.0  # s that it takes for a frame
    seen: int = 0
    last: int = -1
    wrong: int = 0  # repeated, out of order, or another frame than it claims
    warm: int = 0  # resident bytes after WARM frames
    most: int = 0

    def __call__(self, frame: LiveFrame) -> None:
        number = int(frame.source.data[0, 0]) + 4096 * int(frame.source.data[0, 1])
        self.wrong += not (frame.id == number > self.last)
        self.last = frame.id
        self.seen += 1
        if self.seen == WARM:
            self.warm = resident()
        if self.seen > WARM and self.seen % 100 == 0:
            self.most = max(self.most, resident())
        if self.slowness:
            time.sleep(self.slowness)


def camera(count: int, interval: float = 0.0) -> Iterator[NDArray[np.float32]]:
    """Frames of a crystal that goes round in a circle, in one buffer."""
    specimen = perovskite((SHAPE[0] + 40, SHAPE[1] + 40), 1)
    angles = np.linspace(0, 2 * np.pi, POOL, endpoint=False)
    random = np.random.default_rng(1)
    pool = [
        expose(specimen.image(SHAPE, (6 * np.sin(a) - 20, 6 * np.cos(a) - 20)), PEAK, random)
        for a in angles
    ]
    buffer = np.empty(SHAPE, np.float32)
    for number in range(count):
        buffer[:] = pool[number % POOL]
        buffer[0, :2] = number % 4096, number // 4096
        yield buffer
        if interval:
            time.sleep(interval)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def soaked(count: int, **settings: Any) -> list[str]:
    watch = Watch()
    counted = stemzoo.live(camera(count), watch, policy="block", max_shift=MAX_SHIFT, **settings)
    return _row(f"{_named(settings)}, block", watch, counted)


def outrun(count: int) -> list[str]:
    """A consumer that takes ten times as long for a frame as the camera."""
    watch = Watch(slowness=0.015)
    counted = stemzoo.live(camera(count, 0.001), watch, model=None, drift=None)
    return _row("consumer ten times too slow, newest", watch, counted)


def report(count: int) -> str:
    rows = [
        soaked(count, model=None, drift=None),
        soaked(count, model=None, drift="classical"),
        soaked(max(count // 10, 4 * WARM), model=None, drift="drift-lattice"),
        soaked(WARM + 100, model="denoise-live", drift="classical"),
        outrun(12 * WARM),
    ]
    head = ["pipeline, policy", "frames", "delivered", "dropped", "wrong", "growth, MB", "frames/s"]
    return (
        f"Frames of {SHAPE[0]} x {SHAPE[1]}. Wrong: repeated, out of order or mistaken for "
        f"another. Growth: the most resident memory after {WARM} delivered frames, above that at "
        "these.\n\n" + table(head, rows)
    )


def _row(name: str, watch: Watch, counted: stemzoo.LiveStatistics) -> list[str]:
    counts = (counted.received, counted.delivered, counted.dropped, watch.wrong)
    growth = max(watch.most - watch.warm, 0) / 1e6
    return [name, *(f"{number:,}" for number in counts), f"{growth:.1f}", f"{counted.rate:.0f}"]


def _named(settings: dict[str, Any]) -> str:
    return " and ".join(f"{value}" for value in settings.values() if value) or "frames alone"
