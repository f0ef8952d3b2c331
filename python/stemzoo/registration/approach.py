"""Drifts that a broad peak tells badly, approached on shrunken frames.

Edges have no sharp peak: what correlates best may lie some pixels from the drift, farther than
refinement on the counts reaches. On a frame shrunk to a quarter that is one or two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.registration.answers import Shift
from stemzoo.registration.cleaning import Clean

STEPS = (4, 2)  # px of a frame to one of a shrunken frame, in turn
LEAST_SIDE = 16  # px of a frame that can be refined
ROUNDS = 3  # on each, at most
CLOSE = 1.0  # px of a shrunken frame: a step so short is the last


def approached(reference: Clean, moving: Clean, start: Shift, threads: int = 0) -> Shift:
    """Near enough to the drift to be refined, if `start` is within some six pixels of it."""
    place = np.array(start, float)
    for step in STEPS:
        if min(reference.pixels.shape) < LEAST_SIDE * step:
            continue
        frames = [_shrunken(clean, step, threads) for clean in (reference, moving)]
        for _ in range(ROUNDS):
            found = _core.refine(frames[0], frames[1], (place[0] / step, place[1] / step))
            if found is None:
                break
            way = np.array(found[:2]) * step - place
            place += way
            if np.abs(way).max() < CLOSE * step:
                break
    return float(place[0]), float(place[1])


def _shrunken(clean: Clean, step: int, threads: int) -> _core.DriftFrame:
    pixels = _blocks(clean.pixels, step).mean((1, 3), dtype=np.float32)
    if clean.valid is None:
        return _core.DriftFrame(pixels, None, threads)
    return _core.DriftFrame(pixels, np.all(_blocks(clean.valid, step), axis=(1, 3)), threads)


def _blocks(image: NDArray[Any], step: int) -> NDArray[Any]:
    """[rows, step, columns, step]: its squares of `step` pixels a side."""
    rows, columns = (side // step for side in image.shape)
    return image[: rows * step, : columns * step].reshape(rows, step, columns, step)
