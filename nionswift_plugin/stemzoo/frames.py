"""A scan of Nion Swift as a source for `stemzoo.live`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from stemzoo.io import Micrograph

TICK = 0.1  # s between looks at `stop`


def scan_frames(
    scan_hardware_source: Any, *, channel: int = 0, stop: threading.Event | None = None
) -> Iterator[Micrograph]:
    """The whole frames of a scan, as they come, with their calibration.

    Nothing here keeps the scan waiting: whoever takes frames too slowly misses some, and `metadata`
    says how many were `missed` so far. `channel` counts the enabled ones. Ends at `stop`.
    """
    stop = stop or threading.Event()
    newest = _Newest(channel)
    with contextlib.closing(scan_hardware_source.xdatas_available_event.listen(newest.put)):
        taken = missed = 0
        while not stop.is_set():
            found = newest.after(taken)
            if found is None:
                continue
            frame, count = found
            missed += count - taken - 1
            taken = count
            calibrations = frame.dimensional_calibrations
            yield Micrograph(
                np.copy(frame.data),
                (calibrations[0].scale, calibrations[1].scale),
                calibrations[1].units,
                {"frame": count - 1, "missed": missed},
            )


class _Newest:
    """The last frame that came."""

    def __init__(self, channel: int) -> None:
        self._channel = channel
        self._frame: Any = None
        self._count = 0
        self._changed = threading.Condition()

    def put(self, promises: Sequence[Any]) -> None:
        """On the thread of the acquisition."""
        xdata = promises[self._channel].xdata if len(promises) > self._channel else None
        if xdata is not None:
            with self._changed:
                self._frame, self._count = xdata, self._count + 1
                self._changed.notify_all()

    def after(self, taken: int) -> tuple[Any, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._count > taken, TICK)
            return (self._frame, self._count) if self._count > taken else None
