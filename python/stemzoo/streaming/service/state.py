"""What all connections of a service have in common."""

from __future__ import annotations

import hmac
import io
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from stemzoo.streaming.service.budget import Budget
from stemzoo.streaming.service.messages import Layout, Refusal, Request
from stemzoo.streaming.service.site import site_files
from stemzoo.streaming.service.streams import Streams

MIB = 1 << 20
MAX_FRAME = 64  # MiB
BUDGET = 1024  # MiB
SHOWN = 512  # px: the longest side of the live picture


class State:
    """Token, bounds, counters, streams and the last picture. Threads share it."""

    def __init__(
        self,
        token: str = "",
        max_frame: int = MAX_FRAME * MIB,
        budget: int = BUDGET * MIB,
        page: Path | None = None,
    ) -> None:
        self.max_frame = max_frame
        self.page = site_files(page) if page else {}
        self.budget = Budget(budget)
        self.streams = Streams()
        self.working = threading.Lock()  # a model uses all cores: one image at a time
        self.needs_token = bool(token)
        self._token = token.encode()
        self._counts: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()  # in all, by call
        self._lock = threading.Lock()
        self._newest: NDArray[Any] | None = None
        self._started = time.time()

    def admits(self, token: str) -> bool:
        """Compared in constant time."""
        return not self._token or hmac.compare_digest(
            token.encode("utf-8", "surrogatepass"), self._token
        )

    def admit(self, request: Request) -> None:
        """Raises `Refusal` for a request from somebody unknown or with too large a frame."""
        if not self.admits(request.token):
            raise Refusal(
                "unauthorized",
                "token is missing or wrong; expected the one that the service was started with",
                request.id,
            )
        if request.layout:
            self.require_size(request.layout, request.id)

    def require_size(self, layout: Layout, identity: int) -> None:
        if layout.bytes > self.max_frame:
            raise Refusal(
                "too_large",
                f"shape {list(layout.shape)} takes {layout.bytes} bytes; this service takes at "
                f"most {self.max_frame}: send less at a time, or start it with a larger "
                "--max-frame",
                identity,
            )

    def count(self, name: str, change: int = 1) -> None:
        with self._lock:
            self._counts[name] += change

    def note_call(self, call: str, seconds: float) -> None:
        with self._lock:
            self._counts[f"call {call}"] += 1
            self._seconds[call] += int(seconds * 1e6)

    def counted(self, name: str) -> int:
        return self._counts[name]

    def show(self, image: NDArray[Any]) -> None:
        """What the page shows from now on."""
        self._newest = image if image.ndim == 2 else image[-1]

    def picture(self) -> bytes | None:
        """A PNG of the last image."""
        from PIL import Image

        from stemzoo.plotting.pictures import grey

        newest = self._newest
        if newest is None:
            return None
        step = -(-max(newest.shape) // SHOWN)
        file = io.BytesIO()
        Image.fromarray(grey(np.ma.getdata(newest)[::step, ::step])).save(file, "PNG")
        return file.getvalue()

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        with self._lock:
            counts, micros = dict(self._counts), dict(self._seconds)
        calls = {
            call: {"count": counts[f"call {call}"], "milliseconds": total / 1e3 / count}
            for call, total in micros.items()
            if (count := counts[f"call {call}"])
        }
        errors = {name[6:]: n for name, n in counts.items() if name.startswith("error ")}
        return {
            "stemzoo": stemzoo.__version__,
            "uptime": time.time() - self._started,
            "connections": {
                name: counts.get(name, 0) for name in ("open", "accepted", "refused", "broken")
            },
            "bytes_in_work": self.budget.taken,
            "calls": calls,
            "errors": errors,
            "streams": {stream.name: stream.statistics.as_dict() for stream in self.streams.all()},
        }
