"""Counts added up where the beam was when they were recorded; csrc/scan/rebin.hpp does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.registration.correction.parts import Part
from stemzoo.registration.correction.recording import Cut, Recording, Shape

BLOCK = 1 << 25  # bytes that are read at once

Sums = NDArray[np.float32]


def border_of(parts: Sequence[Part], picture: Shape) -> int:
    """How many pixels around the picture its recordings reach."""
    return max(part.recording.beyond(part.scan, picture) for part in parts)


def rebin(parts: Sequence[Part], picture: Shape, sums: Sums, threads: int) -> None:
    """Adds all counts to the sums, which are zero; reads them block by block."""
    for part in parts:
        row = part.itemsize * int(np.prod(part.shape[1:]))
        step = max(BLOCK // max(row, 1), 1)
        for top in range(0, part.scan[0], step):
            counts = part.read((slice(top, top + step),))
            add(part.recording, part.scan, counts, (top, 0), sums, (0, 0), picture, threads)


def rebinned_cut(
    counts: Sequence[NDArray[Any]],
    wanted: Sequence[tuple[Recording, Shape, Cut]],
    cut: Cut,
    picture: Shape,
    trailing: tuple[int, ...],
    threads: int,
) -> Sums:
    """A part of the picture, from the parts of the recordings that reach it."""
    size = (cut[0].stop - cut[0].start, cut[1].stop - cut[1].start)
    sums = np.zeros((*size, *trailing), np.float32)
    corner = (cut[0].start, cut[1].start)
    for values, (recording, shape, read) in zip(counts, wanted, strict=True):
        first = (read[0].start, read[1].start)
        add(recording, shape, values, first, sums, corner, picture, threads)
    return sums


def add(
    recording: Recording,
    shape: Shape,
    counts: NDArray[Any],
    first: Shape,
    sums: Sums,
    corner: Shape,
    picture: Shape,
    threads: int,
) -> None:
    """Adds the part `counts` of a recording, which begins at `first`, to the part `sums` of the
    picture, which begins at `corner`."""
    path = recording.lines(shape)
    values = counts.reshape(*counts.shape[:2], -1)
    total = sums.reshape(*sums.shape[:2], -1)
    if recording.fast_axis == "y":  # lines are columns
        path = np.ascontiguousarray(path[:, ::-1])
        values, total = values.swapaxes(0, 1), total.swapaxes(0, 1)
        first, corner, shape, picture = first[::-1], corner[::-1], shape[::-1], picture[::-1]
    _core.rebin(values, first, path, recording.angle, shape, total, corner, picture, threads)
