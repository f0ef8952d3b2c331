"""What is counted of a stream."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from stemzoo.common.errors import reason

LATENCIES = 1000  # the last ones, of which percentiles are taken
ERRORS = 16  # the last ones


@dataclass
class LiveStatistics:
    """Counts of frames. received = delivered + dropped + failed, and those still in work.

    `errors` are the last failures, (id, message); `latencies` the last times from the arrival of a
    frame until its sink had it, in s.
    """

    received: int = 0
    delivered: int = 0
    dropped: int = 0
    failed: int = 0
    ambiguous: int = 0  # delivered frames whose drift is not to be trusted
    started: float = field(default_factory=time.time)
    ended: float | None = None
    errors: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=ERRORS))
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))

    def note_delivery(self, latency: float, ambiguous: bool) -> None:
        self.delivered += 1
        self.ambiguous += ambiguous
        self.latencies.append(latency)

    def note_failure(self, frame: int, error: Exception) -> None:
        self.failed += 1
        self.errors.append((frame, reason(error)))

    def latency(self, share: float = 0.5) -> float | None:
        """A percentile of the latencies in s: 0.5 is the median, 0.99 is exceeded by one of 100."""
        ordered = sorted(self.latencies.copy())
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None

    @property
    def rate(self) -> float:
        """Delivered frames per second."""
        return self.delivered / max((self.ended or time.time()) - self.started, 1e-9)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        counts = ("received", "delivered", "dropped", "failed", "ambiguous")
        return {name: getattr(self, name) for name in counts} | {
            "rate": self.rate,
            "latency_median": self.latency(),
            "latency_p99": self.latency(0.99),
            "errors": [list(error) for error in self.errors.copy()],
        }
