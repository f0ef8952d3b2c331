"""What travels between a file and the rest of stemzoo."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


# Without generated equality: comparing two arrays with == has no single answer.
@dataclass(frozen=True, eq=False)
class Micrograph:
    """An image (rows, columns) or a stack (frames, rows, columns), and what is known about it.

    `pixel_size` is (y, x) for one pixel in `unit` ("nm", "Å", "µm", "1/nm", ...); both are None
    where the file does not say. `metadata` can be written as JSON; it holds at least `title`
    when it comes from a file, and `provenance` when stemzoo wrote that file.
    """

    data: NDArray[Any]
    pixel_size: tuple[float, float] | None = None
    unit: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    source: Path | None = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.data, dtype, copy=copy)
