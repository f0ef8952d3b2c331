"""What the frame service adds to a call, on one computer."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import stemzoo
from benchmarks.timing import medians, milliseconds, table

sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python"))
import stemzoo_client

MODEL = "denoise-live"
SIZES = (256, 512)
ECHOES = 500


class Echoes:
    """Source and sink of a live stream: the next frame is sent once the last one is back."""

    def __init__(self, frame: NDArray[np.float32]) -> None:
        self.seconds: list[float] = []
        self._frame = frame
        self._back = threading.Event()
        self._sent = 0.0

    def frames(self) -> Iterator[NDArray[np.float32]]:
        for _ in range(ECHOES):
            self._back.clear()
            self._sent = time.perf_counter()
            yield self._frame
            self._back.wait()

    def returned(self, echo: stemzoo_client.LiveFrame) -> None:
        self.seconds.append(time.perf_counter() - self._sent)
        np.testing.assert_array_equal(echo.image, self._frame)
        self._back.set()


def report() -> str:
    with _service() as address:
        rows = [_row(address, (size, size)) for size in SIZES]
    head = [
        "px",
        "nothing, fastest tenth",
        "median",
        "denoise-live, direct",
        "TCP",
        "shared memory",
    ]
    return (
        "ms a frame; the service is another process on this computer. Nothing: a frame goes by TCP "
        "through a live stream without model and comes back, which is what the service adds; the "
        "fastest tenth is what it takes where the two processes need not wait for a core. Then "
        "medians of denoise-live.\n\n" + table(head, rows)
    )


def _row(address: tuple[str, int], shape: tuple[int, int]) -> list[str]:
    frame = np.random.default_rng(1).poisson(9, shape).astype(np.float32)
    model, result, echoes = stemzoo.load(MODEL), np.empty(shape, np.float32), Echoes(frame)
    with (
        stemzoo_client.connect(*address) as service,
        stemzoo_client.connect(*address, shared_memory=True) as beside,
    ):
        service.live(echoes.frames(), echoes.returned, model=None, drift=None, policy="block")
        jobs = {
            "direct": partial(model, frame),
            "TCP": partial(service.denoise, frame, MODEL, result),
            "shared": partial(beside.denoise, frame, MODEL, result),
        }
        for job in list(jobs.values())[1:]:
            job()
            np.testing.assert_array_equal(result, model(frame))
        seconds = medians(jobs, 40, 20.0).values()
    fastest = sorted(echoes.seconds)
    echo = fastest[ECHOES // 10], fastest[ECHOES // 2]
    return [f"{shape[0]}", *map(milliseconds, [*echo, *seconds])]


@contextlib.contextmanager
def _service() -> Iterator[tuple[str, int]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("stop")
        process.join()


def _serve(pipe: Connection) -> None:
    from stemzoo.streaming.service.server import Server
    from stemzoo.streaming.service.state import State

    with Server("127.0.0.1", 0, State()).running() as server:
        pipe.send(server.address)
        pipe.recv()
