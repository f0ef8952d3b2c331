"""Paths and `Micrograph` objects: images with a calibration, which the result keeps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.common.arrays import Call
from stemzoo.io import Micrograph, read


def run(call: Call) -> Any:
    """The result has the calibration of the first file or Micrograph among the images."""
    opened = call.changed(_opened)
    first = next(image for image in opened.images() if isinstance(image, Micrograph))
    result = opened.changed(_pixels).result()
    return call.closed(result, lambda image: _closed(image, first))


def _opened(image: Any) -> Any:
    return read(Path(image)) if isinstance(image, str | Path) else image


def _pixels(image: Any) -> Any:
    return image.data if isinstance(image, Micrograph) else image


def _closed(image: Any, like: Micrograph) -> Any:
    """Frames that are computed as they are asked for stay so. How the file came to be is not how
    the result did."""
    if not isinstance(image, np.ndarray):
        return image
    told = {name: value for name, value in like.metadata.items() if name != "provenance"}
    return dataclasses.replace(like, data=image, metadata=told)
