"""A segment of shared memory through which one connection passes its frames.

The service makes it and names it, so that no name from the network opens anything.
"""

from __future__ import annotations

import contextlib
import os
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.streaming.service.messages import Layout, Refusal, read_payload


class Segment:
    def __init__(self, size: int) -> None:
        self.size = size
        self._shared = SharedMemory(create=True, size=size)
        try:
            _reserve(self._shared.name, size)
        except OSError:
            self.close()
            raise

    @property
    def name(self) -> str:
        return self._shared.name

    def payload(self, layout: Layout, identity: int) -> tuple[NDArray[Any], ...]:
        """A copy of what lies at the start of the segment: the client may write there again."""
        if layout.bytes > self.size:
            raise Refusal(
                "value",
                f"the frame has {layout.bytes} bytes and the shared memory {self.size}; open a "
                "larger one with memory.open",
                identity,
            )
        at = 0

        def read(view: memoryview) -> None:
            nonlocal at
            buffer = self._shared.buf
            assert buffer is not None  # until it is closed
            view[:] = buffer[at : at + len(view)]
            at += len(view)

        return read_payload(read, layout)

    def put(self, pixels: NDArray[Any], identity: int) -> None:
        if pixels.nbytes > self.size:
            raise Refusal(
                "value",
                f"the result has {pixels.nbytes} bytes and the shared memory {self.size}; open a "
                "larger one with memory.open",
                identity,
            )
        view: NDArray[Any] = np.ndarray(pixels.shape, pixels.dtype, self._shared.buf)
        view[...] = pixels

    def close(self) -> None:
        self._shared.close()
        with contextlib.suppress(FileNotFoundError):  # a client's resource tracker may be first
            self._shared.unlink()


def _reserve(name: str, size: int) -> None:
    """Raises OSError where there is no room: on Linux, writing there would kill the process."""
    path = f"/dev/shm/{name}"
    if hasattr(os, "posix_fallocate") and os.path.exists(path):
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
