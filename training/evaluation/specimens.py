"""The multislice specimens for evaluation, written by `training.evaluation.multislice`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SPECIMEN_FOLDER = Path(__file__).parent / "specimens"
SPECIMEN_MARGIN = 16  # px on every side, for scan errors of a frame of 256 px


@dataclass(frozen=True)
class MultisliceSpecimen:
    """One noise-free dark-field picture and the atom columns in it."""

    name: str
    image: NDArray[np.float32]  # [288, 288], from 0 in vacuum to 1 at the brightest pixel
    columns: NDArray[np.float32]  # (y, x, weight); px from the middle of the first pixel
    spacing: float  # px between nearest columns
    pixel_size: float  # nm
    description: str


def specimens(folder: Path = SPECIMEN_FOLDER) -> list[MultisliceSpecimen]:
    """All specimens, by name. A column's weight is its expected signal beside the strongest's."""
    return [_read(path) for path in sorted(folder.glob("*.npz"))]


def _read(path: Path) -> MultisliceSpecimen:
    with np.load(path) as file:
        return MultisliceSpecimen(
            name=path.stem,
            image=file["image"].astype(np.float32),
            columns=file["columns"].astype(np.float32),
            spacing=float(file["spacing"]),
            pixel_size=float(file["pixel_size"]),
            description=str(file["description"]),
        )
