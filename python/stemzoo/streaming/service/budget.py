"""How many bytes all frames in work may have together."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from stemzoo.streaming.service.messages import Layout, Refusal

RESULT = 8  # bytes a pixel for a float32 result and what is needed on the way there
PATIENCE = 10.0  # s for which a frame waits until there is room for it


def cost(layout: Layout) -> int:
    """Bytes that a frame takes with its result."""
    return layout.bytes + RESULT * layout.pixels


class Budget:
    """Bytes, taken before memory is allocated and given back when it is free."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken = 0
        self._changed = threading.Condition()

    @property
    def taken(self) -> int:
        return self._taken

    def take(self, amount: int, identity: int | None = None) -> None:
        """Raises `Refusal` where there is no room in time."""
        with self._changed:
            if amount > self._total:
                raise Refusal(
                    "too_large",
                    f"the frame needs {amount} bytes with its result, and this service has "
                    f"{self._total}: send less at a time, or start it with a larger --memory",
                    identity,
                )
            fits = self._changed.wait_for(lambda: self._taken + amount <= self._total, PATIENCE)
            if not fits:
                raise Refusal(
                    "busy",
                    f"the frame needs {amount} bytes with its result; {self._total - self._taken} "
                    f"of {self._total} are free: try again later",
                    identity,
                )
            self._taken += amount

    def give_back(self, amount: int) -> None:
        with self._changed:
            self._taken -= amount
            self._changed.notify_all()

    @contextlib.contextmanager
    def lent(self, amount: int, identity: int | None = None) -> Iterator[None]:
        self.take(amount, identity)
        try:
            yield
        finally:
            self.give_back(amount)
