"""Live streams of the service by name, for those who watch them."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

from stemzoo.streaming.live import LiveFrame
from stemzoo.streaming.statistics import LiveStatistics

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass
class Stream:
    """The newest result of a stream. Whoever is too slow to see it sees the next."""

    name: str
    statistics: LiveStatistics = field(default_factory=LiveStatistics)
    _newest: LiveFrame | None = None
    _published: int = 0
    _ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def ended(self) -> bool:
        return self._ended

    def publish(self, frame: LiveFrame) -> None:
        with self._changed:
            self._newest = frame
            self._published += 1
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def after(self, seen: int, timeout: float) -> tuple[LiveFrame, int] | None:
        """The newest frame and how many there were with it; None where there is none in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._published > seen or self._ended, timeout)
            if self._newest is None or self._published <= seen:
                return None
            return self._newest, self._published


class Streams:
    """Those that go on now."""

    def __init__(self) -> None:
        self._open: dict[str, Stream] = {}
        self._lock = threading.Lock()

    def open(self, name: object) -> Stream:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(
                f"name is {name!r:.80}; expected 1 to 64 letters, digits, '-', '_' or '.'"
            )
        with self._lock:
            if name in self._open:
                raise ValueError(f"there is a stream {name} already; give another name")
            self._open[name] = Stream(name)
            return self._open[name]

    def close(self, stream: Stream) -> None:
        stream.end()
        with self._lock:
            self._open.pop(stream.name, None)

    def find(self, name: object) -> Stream:
        with self._lock:
            found = self._open.get(name) if isinstance(name, str) else None
            if found is None:
                there = ", ".join(sorted(self._open)) or "none"
                raise ValueError(f"there is no stream {name!r:.80}; there are: {there}")
            return found

    def all(self) -> list[Stream]:
        with self._lock:
            return list(self._open.values())
