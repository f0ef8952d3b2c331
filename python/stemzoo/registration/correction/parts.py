"""What a correction is applied to: a recording, and what was recorded with it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.arrays import native
from stemzoo.common.chunks import is_lazy
from stemzoo.registration.correction.recording import Recording, Shape

Index = tuple[slice | int, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """The array recorded with one of the recordings: `array[at]`, its first two axes the scan's."""

    recording: Recording
    array: Any
    at: tuple[int, ...]
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(size) for size in self.array.shape[len(self.at) :])

    @property
    def scan(self) -> Shape:
        return self.shape[0], self.shape[1]

    @property
    def itemsize(self) -> int:
        return int(np.dtype(self.array.dtype).itemsize)

    @property
    def is_lazy(self) -> bool:
        return is_lazy(self.array)

    def cut(self, index: Index) -> Any:
        """A part of it, still lazy if it is."""
        return self.array[(*self.at, *index)]

    def read(self, index: Index) -> NDArray[Any]:
        """A part of it in memory, or a view where it is there already; what the core reads."""
        given = self.cut(index)
        return native(given if np.ma.isMaskedArray(given) else np.asarray(given), self.name)


def pieces(sizes: tuple[int, ...], most: int) -> Iterator[Index]:
    """Indices that cut axes of these sizes into pieces of up to `most` elements, in order."""
    if not sizes:
        yield ()
        return
    first, rest = sizes[0], sizes[1:]
    inner = math.prod(rest)
    step = max(most // max(inner, 1), 1)
    if inner <= most:
        for start in range(0, first, step):
            yield (slice(start, min(start + step, first)), *(slice(0, size) for size in rest))
        return
    for number in range(first):
        for index in pieces(rest, most):
            yield (slice(number, number + 1), *index)
