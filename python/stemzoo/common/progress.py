"""How far long work has come, and a bar that shows it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]  # done, in all: tiles, frames or bytes

_PATIENCE = 1.0  # s without news after which the bar shows that work goes on


def progress_bar(label: str) -> Progress | None:
    """A bar on a terminal; nothing in a log."""
    return _Bar(label).show if sys.stderr.isatty() else None


@contextmanager
def watched(label: str) -> Iterator[Progress | None]:
    """A bar that also counts the seconds while there is no news: of one piece that takes long."""
    if not sys.stderr.isatty():
        yield None
        return
    bar = _Bar(label)
    ended = threading.Event()

    def count() -> None:
        while not ended.wait(_PATIENCE):
            bar.draw()

    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    try:
        yield bar.show
    finally:
        ended.set()
        counter.join()
        bar.close()


class _Bar:
    """One line that is drawn again and again, with the time gone by and the time to come."""

    def __init__(self, label: str) -> None:
        self._label, self._started = label, time.monotonic()
        self._done, self._total = 0, 0
        self._open = False
        self._lock = threading.Lock()

    def show(self, done: int, total: int) -> None:
        with self._lock:
            self._done, self._total = done, total
        self.draw()
        if done >= total:
            self.close()

    def draw(self) -> None:
        with self._lock:
            done, total = self._done, self._total
            filled = 30 * done // total if total else 0
            bar = "#" * filled + "." * (30 - filled)
            count = f" {done}/{total}" if total else ""
            text = f"\r{self._label} [{bar}]{count}{self._times(done, total)}"
            print(text, end="\033[K", file=sys.stderr, flush=True)
            self._open = True

    def close(self) -> None:
        with self._lock:
            if self._open:
                print(file=sys.stderr, flush=True)
            self._open = False

    def _times(self, done: int, total: int) -> str:
        passed = time.monotonic() - self._started
        if passed < _PATIENCE:
            return ""
        left = f", about {passed * (total - done) / done:.0f} s left" if 0 < done < total else ""
        return f" {passed:.0f} s{left}"
