"""Where a frame waits while another is worked on: room for one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Literal

from stemzoo.io.micrograph import Micrograph
from stemzoo.streaming.statistics import LiveStatistics

Policy = Literal["newest", "block"]
TICK = 0.1  # s between looks at `stop`


@dataclass(frozen=True)
class Waiting:
    """A frame, or why there is none."""

    id: int
    item: Micrograph | Exception
    since: float  # time.perf_counter()


class Slot:
    """One thread puts frames in, another takes them; `policy` is for when the slot is full."""

    def __init__(self, policy: Policy, stop: threading.Event, statistics: LiveStatistics) -> None:
        self.failure: BaseException | None = None  # what the source raised
        self._policy = policy
        self._stop = stop
        self._statistics = statistics
        self._changed = threading.Condition()
        self._waiting: Waiting | None = None
        self._ended = False

    def put(self, item: Micrograph | Exception) -> bool:
        """Whether the stream still goes on."""
        with self._changed:
            arrived = Waiting(self._statistics.received, item, time.perf_counter())
            self._statistics.received += 1
            while self._waiting and not self._is_over():
                if self._policy == "newest":
                    self._statistics.dropped += 1
                    break
                self._changed.wait(TICK)
            if self._is_over():
                self._statistics.dropped += 1
                return False
            self._waiting = arrived
            self._changed.notify_all()
            return True

    def take(self) -> Waiting | None:
        """The next frame; None where the stream has ended."""
        with self._changed:
            while not self._waiting and not self._is_over():
                self._changed.wait(TICK)
            taken, self._waiting = self._waiting, None
            self._changed.notify_all()
            return taken

    def end(self) -> None:
        """The source has no more; what waits is still taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody takes any more."""
        with self._changed:
            self._ended = True
            self._statistics.dropped += self._waiting is not None
            self._waiting = None
            self._changed.notify_all()

    def _is_over(self) -> bool:
        return self._ended or self._stop.is_set()
