"""Models as tasks carry them: by name, version and sha256; found and opened once a worker."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from stemzoo.inference.model import Model

_opening = threading.Lock()  # tasks that start together wait for one to open the model


@dataclass(frozen=True)
class Sent:
    """What a `Model` is pickled as.

    A worker computes as many tasks at a time as it has threads, so each task takes one thread for
    the network, unless the model was loaded with a number of `threads`.
    """

    reopened: Callable[..., Model]
    origin: Any
    providers: tuple[str, ...] | None
    threads: int

    @classmethod
    def of(cls, model: Model) -> Sent:
        reopened, (origin, providers, threads) = model.__reduce__()
        return cls(reopened, origin, providers, threads or 1)

    def opened(self) -> Model:
        with _opening:
            return _opened(self, os.getpid())


@lru_cache(maxsize=8)
def _opened(sent: Sent, process: int) -> Model:
    return sent.reopened(sent.origin, sent.providers, sent.threads)
