"""What travels between a file and the rest of stemzoo."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


# Without generated equality: comparing two arrays with == has no single answer.
@dataclass(frozen=True, eq=False, repr=False)
class Micrograph:
    """An image (rows, columns) or a stack (frames, rows, columns), and what is known about it.

    `pixel_size` is (y, x) for one pixel in `unit` ("nm", "Å", "µm", "1/nm", ...); both are None
    where the file does not say. `metadata` can be written as JSON; it holds at least `title`
    when it comes from a file, and `provenance` when stemzoo wrote that file. `signal` is the number
    of this image among the `signals`, the names of all that a file of several holds.
    """

    data: NDArray[Any]
    pixel_size: tuple[float, float] | None = None
    unit: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    source: Path | None = None
    signal: int | None = None
    signals: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the image is called, "" where nobody has named it."""
        return str(self.metadata.get("title") or "")

    @property
    def beam_energy(self) -> float | None:
        """In keV, where the microscope wrote it down."""
        found: Any = self.metadata
        for key in ("Acquisition_instrument", "TEM", "beam_energy"):
            found = found.get(key) if isinstance(found, dict) else None
        number = isinstance(found, int | float) and not isinstance(found, bool) and found > 0
        return float(found) if number else None

    @property
    def chosen(self) -> str:
        """Which of a file's signals this is, in words; "" where there is no other."""
        if self.signal is None or len(self.signals) < 2:
            return ""
        return f"signal {self.signal} of {len(self.signals)}, {self.signals[self.signal]}"

    def __repr__(self) -> str:
        parts = [_shape(self.data.shape), str(self.data.dtype)]
        if self.pixel_size and self.unit:
            y, x = self.pixel_size
            size = f"{y:.4g}" if y == x else f"{y:.4g} x {x:.4g}"
            parts.append(f"{size} {self.unit} a pixel")
        else:
            parts.append("not calibrated")
        if self.beam_energy:
            parts.append(f"{self.beam_energy:g} keV")
        parts += [part for part in (self.title and repr(self.title), self.chosen) if part]
        if self.source:
            parts.append(f"from {self.source.name}")
        return f"Micrograph({', '.join(parts)})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.data, dtype, copy=copy)


def _shape(shape: tuple[int, ...]) -> str:
    if len(shape) != 3:
        return " x ".join(map(str, shape))
    return f"{shape[0]} frames of {shape[1]} x {shape[2]}"
