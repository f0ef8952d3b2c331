"""One microscope, described by what its frames have in common, and simulated frames of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from training.simulate.detector import record
from training.simulate.draw import log_uniform
from training.simulate.scan import EDGE, coefficients, displacements, sample
from training.simulate.scenes import LEAST_SIGMA, render_crystals

CLOSEST = 2 * LEAST_SIGMA  # px between columns that a picture can show apart


@dataclass(frozen=True)
class Microscope:
    """`dose` is in electrons per pixel at the brightest columns, `columns` the distances between
    columns of its specimens in nm, `pixel` the size of a pixel in nm.

    `row_jitter` displaces rows along themselves, px rms; `afterglow` is the fraction of the signal
    that comes late; `readout` is the noise of the electronics, relative to the shot noise at the
    brightest columns.
    """

    dose: tuple[float, float]
    columns: tuple[float, float]
    pixel: float
    row_jitter: float = 0.0
    afterglow: float = 0.0
    readout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("dose", "columns"):
            low, high = getattr(self, name)
            if not 0 < low <= high < math.inf:
                raise SystemExit(
                    f"{name} of the microscope is {low} to {high}; expected a range above 0"
                )
        if not 0 < self.pixel < math.inf:
            raise SystemExit(f"pixel of the microscope is {self.pixel} nm; expected a size above 0")
        if self.columns[0] < CLOSEST * self.pixel:
            raise SystemExit(
                f"columns {self.columns[0]} nm apart cannot be seen with pixels of {self.pixel} nm;"
                f" expected at least {CLOSEST:g} pixels between columns"
            )

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items())

    def frames(self, count: int, side: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Noisy frames of random crystals and what they should become, [count, side, side]."""
        spacing = (self.columns[0] / self.pixel, self.columns[1] / self.pixel)
        return self.expose(render_crystals(count, side + 2 * EDGE, spacing, random), random)

    def expose(self, scenes: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """The same of clean pictures with a maximum of one, EDGE px larger on every side."""
        count, rows, columns = len(scenes), *(size - 2 * EDGE for size in scenes.shape[-2:])
        strengths = {
            name: torch.full((count,), getattr(self, name))
            for name in ("afterglow", "readout", "row_jitter")
        }
        jitter = {"row_jitter_x": strengths.pop("row_jitter")}
        _, moved = displacements(count, rows, columns, random, jitter)
        seen = sample(coefficients(scenes), moved).clamp(min=0)
        return record(seen, log_uniform((count,), *self.dose, random), random, strengths)
