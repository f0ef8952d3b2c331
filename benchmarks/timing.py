"""Timing on a noisy machine: candidates take turns, and the median counts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Job = Callable[[], object]


def medians(jobs: Mapping[str, Job], rounds: int = 15, budget: float = 10.0) -> dict[str, float]:
    """Median seconds of each job; rounds end early when `budget` seconds are spent."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()  # warm-up of caches, FFT plans and memory pages
    started = time.perf_counter()
    for round_number in range(rounds):
        if round_number >= 3 and time.perf_counter() - started > budget:
            break
        for name, job in jobs.items():
            before = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - before)
    return {name: statistics.median(values) for name, values in times.items()}


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def by_size(columns: Mapping[int, Mapping[str, float]]) -> str:
    """A table of times by name and size, with the ratio to the first name's."""
    ours = {size: next(iter(seconds.values())) for size, seconds in columns.items()}
    rows = [
        [
            name,
            *(
                f"{milliseconds(seconds[name])} ({times(seconds[name] / ours[size])})"
                for size, seconds in columns.items()
            ),
        ]
        for name in next(iter(columns.values()))
    ]
    return table(["", *(str(size) for size in columns)], rows)


def milliseconds(seconds: float) -> str:
    return _three_figures(1e3 * seconds)


def times(ratio: float) -> str:
    return f"{_three_figures(ratio)}x"


def _three_figures(value: float) -> str:
    """Three significant figures, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
