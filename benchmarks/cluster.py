"""benchmarks/cluster.md, a section a call: python -m benchmarks.cluster loop | series

Two local workers of one thread and 4 GB each. `loop` sets the plain loop beside Dask on the same
cores; `series` aligns and denoises a series that is made where it is computed on. The whole of it,
some hours on two cores:

    python -m benchmarks.cluster loop --frames 200
    python -m benchmarks.cluster series --frames 20000 --side 512 --kill
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import psutil
from distributed import Client, LocalCluster

import stemzoo
from stemzoo.common.progress import progress_bar
from stemzoo.integrations.cluster import compute_each
from tests.integrations.long_series import path, series

RESULTS = Path(__file__).with_name("cluster.md")
MODEL = "denoise-live"
WORKERS, MEMORY = 2, 4 << 30
ROUNDS = 3  # of either way, one after the other
REST = 10  # s in which a cluster has nothing to do
# Beside other work a killed worker takes long to come back; Dask gives it up after 15 s.
PATIENCE = {"distributed.deploy.lost-worker-timeout": "10 minutes"}
HEAD = """# Dask on two local workers

Written by `python -m benchmarks.cluster`, on 2 cores shared with other work.

"""


@contextmanager
def workers() -> Iterator[Client]:
    with (
        dask.config.set(PATIENCE),
        LocalCluster(
            WORKERS, threads_per_worker=1, memory_limit=MEMORY, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(WORKERS)
        print(f"dashboard: {client.dashboard_link}")
        yield client


def loop(frames: int, side: int) -> str:
    """Frames denoised one after another on all cores, and by Dask on workers of one thread."""
    stack = series(frames, side=side, chunk=1).astype(np.float32).compute(scheduler="threads")
    model = stemzoo.load(MODEL)
    with workers() as client:
        there = client.persist(da.from_array(stack, chunks=(1, -1, -1)))
        client.rebalance(there)
        took: dict[str, list[tuple[float, float]]] = {"loop": [], "Dask": []}
        dask.compute(stemzoo.denoise(there[:4], model))  # each worker opens the model
        model(stack[0])
        for _ in range(ROUNDS):
            took["loop"].append(_timed(lambda: [model(frame) for frame in stack], []))
            lazy: Any = stemzoo.denoise(there, model)
            took["Dask"].append(_timed(lambda lazy=lazy: client.persist(lazy), _pids(client)))
        rest = _timed(lambda: time.sleep(REST), _pids(client))[1] / REST
        same = np.array_equal(lazy.compute(), model(stack))
    best = {name: np.min(times, axis=0) for name, times in took.items()}
    lines = [
        "| frames | | wall time, s | processor time, s |",
        "|---|---|---|---|",
        *(f"| {frames} of {side} px | {n} | {w:.1f} | {c:.1f} |" for n, (w, c) in best.items()),
    ]
    wall, processor = best["Dask"] / best["loop"]
    return "\n".join(lines) + (
        f"\n\n{MODEL}; the best of {ROUNDS} rounds, taken alternately. Dask takes {wall:.2f} times "
        f"the wall time and {processor:.2f} times the processor time of the loop; of the latter, "
        f"scheduler and workers take {rest:.2f} of a core when at rest. Results are "
        f"{'the same to the last bit' if same else 'NOT the same'}.\n"
    )


def _pids(client: Client) -> list[int]:
    return list(client.run(os.getpid).values())


def _timed(work: Any, pids: list[int]) -> tuple[float, float]:
    """Wall time, and processor time of this process and others."""
    processes = [psutil.Process(pid) for pid in [os.getpid(), *pids]]
    before = [process.cpu_times() for process in processes]
    start = time.monotonic()
    made = work()
    if dask.is_dask_collection(made):
        from distributed import wait

        wait(made)
    wall = time.monotonic() - start
    after = [process.cpu_times() for process in processes]
    used = sum(a.user + a.system - b.user - b.system for a, b in zip(after, before, strict=True))
    return wall, used


def long_series(frames: int, side: int, *, denoised: int, kill: bool) -> str:
    stack = series(frames, side=side)
    with workers() as client, _watched(client) as most:
        killer = _Killer(client) if kill else None
        start = time.monotonic()
        found = stemzoo.align(stack, progress=_both(progress_bar("align"), killer))
        aligned = time.monotonic() - start
        start = time.monotonic()
        sums = _denoised(stack[:denoised])
        cleaned = time.monotonic() - start
    truth = path(frames, side) - path(frames, side)[0]
    error = np.abs(found.shifts - truth).max()
    size = stack.nbytes * 2 / 1e9  # as float32, in which it is computed on
    return "\n".join(
        [
            f"| | {frames} frames of {side} px, {size:.1f} GB |",
            "|---|---|",
            f"| aligned, s | {aligned:.0f} |",
            f"| largest error of a shift, px | {error:.3f} |",
            f"| {denoised} of them denoised by {MODEL}, s | {cleaned:.0f} |",
            f"| most memory of a worker, GB (limit {MEMORY / 2**30:.0f}) | {most[0] / 1e9:.2f} |",
            f"| most memory of who asked, GB | {most[1] / 1e9:.2f} |",
            f"| worker killed on the way | {'yes' if kill else 'no'} |",
            f"| checksum of shifts, average and denoised frames | {_sum_of(found, sums):08x} |",
            "",
        ]
    )


def _denoised(stack: da.Array) -> list[int]:
    """A checksum of every block, so that nothing has to be kept."""
    clean: Any = stemzoo.denoise(stack, MODEL)
    blocks = clean.to_delayed().ravel()
    sums, show = dict[int, int](), progress_bar("denoise")

    def done(number: int, checksum: int) -> None:
        sums[number] = checksum
        if show:
            show(len(sums), len(blocks))

    compute_each([dask.delayed(_checksum)(block) for block in blocks], done)
    return [sums[number] for number in sorted(sums)]


def _checksum(block: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(block).tobytes())


def _sum_of(found: stemzoo.Alignment, sums: list[int]) -> int:
    parts = (found.shifts, found.average, np.array(sums))
    return zlib.crc32(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))


class _Killer:
    """Kills a worker when a third is done."""

    def __init__(self, client: Client) -> None:
        self._client, self._killed = client, False

    def __call__(self, done: int, total: int) -> None:
        if not self._killed and done > total / 3:
            self._killed = True
            os.kill(_pids(self._client)[0], signal.SIGKILL)


def _both(*watchers: Any) -> Any:
    return lambda done, total: [watch(done, total) for watch in watchers if watch]


@contextmanager
def _watched(client: Client) -> Iterator[list[int]]:
    """The most memory, in bytes, that a worker has had so far, and this process."""
    most, stopped = [0, 0], threading.Event()

    def watch() -> None:
        while not stopped.wait(0.5):
            there = client.scheduler_info(n_workers=-1)["workers"].values()
            most[0] = max([most[0], *(each["metrics"].get("memory", 0) for each in there)])
            most[1] = max(most[1], psutil.Process().memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        stopped.set()
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("loop", "series"))
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--side", type=int, default=1024, help="px")
    parser.add_argument("--denoised", type=int, help="frames of the series (default: all)")
    parser.add_argument("--kill", action="store_true", help="a worker on the way")
    given = parser.parse_args()
    if given.what == "loop":
        name, part = "loop", loop(given.frames, given.side)
    else:
        denoised = given.frames if given.denoised is None else given.denoised
        name = f"series_{given.frames}_{given.side}" + ("_killed" if given.kill else "")
        part = long_series(given.frames, given.side, denoised=denoised, kill=given.kill)
    text = RESULTS.read_text() if RESULTS.exists() else ""
    pieces = re.split(r"<!-- (\w+) -->\n\n", text)[1:]
    parts = dict(zip(pieces[::2], pieces[1::2], strict=True)) | {name: part + "\n"}
    RESULTS.write_text(HEAD + "".join(f"<!-- {n} -->\n\n{p}" for n, p in sorted(parts.items())))
    print(part)


if __name__ == "__main__":
    main()
