"""CPU seconds on the same pictures, methods taking turns, one thread each.

Rows jitter in these pictures, because restore-scan needs more passes then.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.denoise.methods import RAW, Method
from training.evaluation.cases import CASE_SIDE, LARGE_CASE_SIDE, jittered, perovskite_scene

TIMING_SEED = 90_900
ROW_JITTER = 1.0  # px
PEAK = 20.0  # electrons in the brightest pixel
WARM_UP_SIDE = 96  # px: a picture to warm up with
LONG_SECONDS = 30.0  # CPU seconds: slower methods are timed once


def measured(methods: Sequence[Method], quick: bool = False) -> dict[str, dict[int, float]]:
    """Median CPU seconds by method and side of the picture."""
    sides = {CASE_SIDE: 3} if quick else {CASE_SIDE: 5, LARGE_CASE_SIDE: 3}
    found: dict[str, dict[int, float]] = {}
    for side, rounds in sides.items():
        for name, seconds in _at(side, rounds, methods, quick).items():
            found.setdefault(name, {})[side] = seconds
    return found


def _at(side: int, rounds: int, methods: Sequence[Method], quick: bool) -> dict[str, float]:
    whole, _ = jittered(perovskite_scene(TIMING_SEED), ROW_JITTER, PEAK, TIMING_SEED)
    picture = whole[:side, :side]
    times: dict[str, list[float]] = {}
    for method in methods:
        if method.name == RAW or (quick and not method.quick):
            continue
        method.timed(picture[:WARM_UP_SIDE, :WARM_UP_SIDE])
        _, first = method.timed(picture)
        times[method.name] = [first] if first > LONG_SECONDS else []
    long = {name for name, values in times.items() if values}
    for _ in range(rounds):
        for method in methods:
            if method.name in times and method.name not in long:
                times[method.name].append(method.timed(picture)[1])
    return {name: statistics.median(values) for name, values in times.items()}
