"""What the frame service adds to a call, on one computer."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import socket
import struct
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from benchmarks.timing import Job, medians, milliseconds, table

MODEL = "denoise-live"
SIZES = (256, 512)
ECHOES = 500


class Client:
    """Denoises by the frame protocol, through the socket or through shared memory."""

    def __init__(self, address: tuple[str, int], shape: tuple[int, int]) -> None:
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._id = 0
        self._layout = {"dtype": "float32", "shape": list(shape)}
        told = self._call({"call": "memory.open", "bytes": 4 * shape[0] * shape[1]})
        self._memory = SharedMemory(told["memory"])
        self._shared: NDArray[np.float32] = np.ndarray(shape, np.float32, self._memory.buf)
        self._result = np.empty(shape, np.float32)

    def denoise(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        self._call({"call": "denoise", "model": MODEL, **self._layout}, frame)
        self._fill(self._result.reshape(-1).view(np.uint8).data)
        return self._result

    def denoise_shared(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        self._shared[:] = frame
        self._call({"call": "denoise", "model": MODEL, "memory": True, **self._layout})
        self._result[:] = self._shared
        return self._result

    def _call(self, header: dict[str, Any], frame: NDArray[Any] | None = None) -> dict[str, Any]:
        self._id += 1
        text = json.dumps({"version": 1, "id": self._id, **header}).encode()
        self._socket.sendall(b"STZ1" + struct.pack("<I", len(text)) + text)
        if frame is not None:
            self._socket.sendall(frame.data)
        head = bytearray(8)
        self._fill(memoryview(head))
        told = bytearray(struct.unpack("<4sI", head)[1])
        self._fill(memoryview(told))
        answer: dict[str, Any] = json.loads(told)
        return answer

    def _fill(self, view: memoryview) -> None:
        while view:
            view = view[self._socket.recv_into(view) :]


class Echo(Client):
    """A live stream that gives back what it gets."""

    def __init__(self, address: tuple[str, int], shape: tuple[int, int]) -> None:
        super().__init__(address, shape)
        settings = {"name": f"echo-{shape[0]}", "model": None, "drift": None, "policy": "block"}
        self._call({"call": "live.open", **settings})

    def push(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        self._call({"call": "live.push", **self._layout}, frame)
        self._fill(self._result.reshape(-1).view(np.uint8).data)
        return self._result

    def close(self) -> None:
        self._call({"call": "live.close"})


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
    model, client, echo = stemzoo.load(MODEL), Client(address, shape), Echo(address, shape)
    np.testing.assert_array_equal(client.denoise(frame), model(frame))
    np.testing.assert_array_equal(client.denoise_shared(frame), model(frame))
    np.testing.assert_array_equal(echo.push(frame), frame)
    echoes = sorted(_timed(partial(echo.push, frame)) for _ in range(ECHOES))
    jobs = {
        "direct": partial(model, frame),
        "TCP": partial(client.denoise, frame),
        "shared": partial(client.denoise_shared, frame),
    }
    seconds = [echoes[ECHOES // 10], echoes[ECHOES // 2], *medians(jobs, 40, 20.0).values()]
    echo.close()
    return [f"{shape[0]}", *map(milliseconds, seconds)]


def _timed(job: Job) -> float:
    before = time.perf_counter()
    job()
    return time.perf_counter() - before


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
