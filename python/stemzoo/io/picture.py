"""Grey pictures (PNG, BMP, JPEG): no calibration, but what some detectors save."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stemzoo.io.datasets import Dataset

SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg")

_GREY = {"1", "L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"}


def read(path: Path) -> list[Dataset]:
    from PIL import Image

    with Image.open(path) as picture:
        data = np.asarray(picture)
        colour = picture.mode not in _GREY
    problem = "it is a colour picture; convert it to greyscale first" if colour else None
    return [Dataset(data, problem=problem)]
