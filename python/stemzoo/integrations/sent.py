"""Models as tasks carry them: by name, version and sha256; found and opened once a worker."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stemzoo.inference.model import Model
from stemzoo.inference.providers import Asked

_opening = threading.Lock()  # tasks that start together wait for one to open the model


@dataclass(frozen=True)
class Sent:
    """What a `Model` is pickled as.

    A worker computes as many tasks at a time as it has threads, so each task takes one thread for
    the network, unless the model was loaded with a number of `threads`.
    """

    reopened: Callable[..., Model]
    origin: Any
    asked: Asked | None  # which providers
    threads: int
    tile: int | None

    @classmethod
    def of(cls, model: Model) -> Sent:
        reopened, (origin, asked, threads, tile) = model.__reduce__()
        return cls(reopened, origin, asked, threads or 1, tile)

    def opened(self) -> Model:
        with _opening:
            return _opened(self, os.getpid())


@lru_cache(maxsize=8)
def _opened(sent: Sent, process: int) -> Model:
    return sent.reopened(sent.origin, sent.asked, sent.threads, sent.tile)
