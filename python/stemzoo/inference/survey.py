"""What kind of picture a frame is: its noise, its dose, and how far apart its columns are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.noise import NoiseModel

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Survey:
    """A frame and its clean estimate, measured. Lengths in px, doses in electrons per pixel."""

    noise: NoiseModel
    dose: float  # at the brightest columns; NaN where the noise says nothing of it
    independent_dose: float  # the same per independent pixel: more in a frame that was enlarged
    spacing: float  # median distance of a column to the nearest; NaN where none were found
    columns: int  # that stand out in the clean estimate
    peaks: int  # Bragg peaks in the frame
    atoms: bool  # whether it shows an ordered arrangement of columns


def survey(raw: Image, clean: Image) -> Survey:
    """Of a frame and its clean estimate, both float32 and finite: csrc/survey."""
    found = _core.survey(raw, clean)
    return Survey(NoiseModel(**found.pop("noise")), **found)
