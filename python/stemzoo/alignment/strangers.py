"""Frames that show nothing of their series, such as one of noise alone.

Contradictions do not give them away: where a specimen correlates best with a frame of noise, by
chance, moves along with the specimen, so all pairs of that frame agree on a place. But they
correlate no better than chance, where the others of the series do.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.registration.answers import CHANCE, Drift

MOST_PEAKS = 1024  # places of a pair that are compared, at most
LUCK = 1e-3  # how probable it may be that no pair of a good frame stands out of chance
SHARE = 0.5  # of what frames usually correlate by with the average of the others
LEAST = 0.1  # of that: with less, it is another specimen

Flags = NDArray[np.bool_]


def strangers_by_pairs(drifts: Mapping[tuple[int, int], Drift], frames: int) -> Flags:
    """Frames none of whose pairs is better than chance, where so many others are that this is none
    of bad luck. At a low dose few pairs are, and nobody is called a stranger."""
    known = {ends: drift for ends, drift in drifts.items() if np.isfinite(drift.dy)}
    pairs = _count(list(known), frames)
    alike = _count([ends for ends, drift in known.items() if drift.reason != CHANCE], frames)
    others, alike_of_others = pairs.sum() / 2 - pairs, alike.sum() / 2 - alike
    unlike = 1 - alike_of_others / np.maximum(others, 1)
    found: Flags = (pairs > 0) & (alike == 0) & (others > 0) & (unlike**pairs < LUCK)
    return found


def strangers_by_average(scores: NDArray[np.float64], chances: NDArray[np.float64]) -> Flags:
    """Frames whose correlation with the average of the others chance reaches, or is next to none,
    though half of what the series usually has would stand out; NaN where there is none."""
    usual = float(np.nanmedian(scores)) if np.isfinite(scores).any() else 0.0
    return np.array(
        [
            _core.beyond_chance(SHARE * usual, chance, MOST_PEAKS)
            and (score < LEAST * usual or not _core.beyond_chance(score, chance, MOST_PEAKS))
            for score, chance in zip(scores.tolist(), chances.tolist(), strict=True)
        ]
    )


def _count(ends: list[tuple[int, int]], frames: int) -> NDArray[np.intp]:
    """How many pairs each frame has."""
    return np.bincount(np.array(ends, np.intp).ravel(), minlength=frames)
