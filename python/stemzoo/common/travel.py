"""How objects of the core travel to another process: as the arguments they were made of.

Pickle, copy, joblib, Dask and multiprocessing's spawn all go this way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any


class Remade(ABC):
    """Pickles as its class and the arguments of its constructor, and is made anew from them."""

    @abstractmethod
    def _made_of(self) -> dict[str, Any]:
        """The arguments, by name."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _make, (type(self), self._made_of())


def _make(kind: type, arguments: dict[str, Any]) -> Any:
    return kind(**arguments)
