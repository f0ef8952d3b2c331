"""Computations on a thread of their own, with progress, that can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from stemzoo.common.progress import Progress

Result = TypeVar("Result")


class Cancelled(Exception):
    """Raised out of a computation by its progress."""


class _Reports(QObject):  # type: ignore[misc]
    """Carries progress from the thread of a computation to the main one."""

    progress = Signal(int, int)


class Job:
    """A computation that has been started. All callbacks run on the main thread."""

    def __init__(
        self,
        work: Callable[[Progress], Result],
        *,
        on_progress: Progress,
        on_result: Callable[[Result], None],
        on_error: Callable[[Exception], None],
        on_end: Callable[[], None],
    ) -> None:
        """`on_end` is called in any case, after the others."""
        self._cancelled = threading.Event()
        self._reports = _Reports()
        self._reports.progress.connect(on_progress)
        self._on_result = on_result
        self._last = {"errored": on_error, "finished": on_end}
        self._worker = create_worker(
            self._computed,
            work,
            _connect={"returned": self._returned, **self._last},
            _ignore_errors=True,
        )

    def cancel(self) -> None:
        """Ends the computation where it next tells its progress; its result is dropped."""
        self._cancelled.set()

    def abandon(self) -> None:
        """Cancels, and calls nobody back."""
        self.cancel()
        self._reports.progress.disconnect()
        for signal, callback in self._last.items():
            getattr(self._worker, signal).disconnect(callback)

    def _computed(self, work: Callable[[Progress], Result]) -> Result | None:
        """On the thread of the computation."""
        try:
            return work(self._report)
        except Cancelled:
            return None

    def _report(self, done: int, total: int) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self._reports.progress.emit(done, total)

    def _returned(self, result: Any) -> None:
        if not self._cancelled.is_set():
            self._on_result(result)
