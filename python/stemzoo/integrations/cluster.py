"""Tasks where they are computed: by a cluster of `distributed`, or by Dask's threads here."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import dask
from dask.base import get_scheduler

TOGETHER = 2  # tasks for each core that are given to threads at a time


def compute_each(tasks: Sequence[Any], done: Callable[[int, Any], None]) -> None:
    """Calls `done` with the number and the result of every task, as they come."""
    client = getattr(get_scheduler(), "__self__", None)
    if client is None:
        _here(tasks, done)
        return
    from distributed import as_completed

    futures = client.compute(list(tasks))
    numbers = {future.key: number for number, future in enumerate(futures)}
    coming = as_completed(futures, with_results=True)
    futures.clear()  # whose results have come is held no longer
    for future, result in coming:
        done(numbers[future.key], result)


def _here(tasks: Sequence[Any], done: Callable[[int, Any], None]) -> None:
    some = TOGETHER * (os.cpu_count() or 1)
    for first in range(0, len(tasks), some):
        for number, result in enumerate(dask.compute(*tasks[first : first + some]), first):
            done(number, result)


def tree_sum(parts: Sequence[Any]) -> Any:
    """In pairs, always the same ones: sums of floats depend on their order."""
    parts = list(parts)
    add = dask.delayed(lambda one, other: one + other, name="add")
    while len(parts) > 1:
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [add(*pair) for pair in pairs] + parts[len(parts) // 2 * 2 :]
    return parts[0]
