"""Where the drift may be, and how probable each place is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST = 512  # peaks of a correlation that are looked at
UNLIKELY = 1e-4  # of the best: a candidate less probable is not told
USUAL = 1 / 12  # of the frame: how far it usually drifts
STRIDE = 2  # px of a frame to one of its features

Points = NDArray[np.float64]  # (count, 2): (dy, dx)


@dataclass(frozen=True)
class Candidates:
    """Drifts, the most probable first, and their probabilities, which sum to at most one."""

    shifts: Points
    probability: NDArray[np.float64]


def peaks(correlation: NDArray[np.floating]) -> Points:
    """The highest local maxima of a surface with zero shift in its middle, between pixels."""
    middle = np.array(correlation.shape) // 2
    inside = correlation[1:-1, 1:-1]
    highest = inside > 0
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            if dy or dx:
                shifted = correlation[1 + dy :, 1 + dx :][: inside.shape[0], : inside.shape[1]]
                # Of two equal neighbours the later one counts.
                highest &= inside >= shifted if (dy, dx) < (0, 0) else inside > shifted
    rows, columns = np.nonzero(highest)
    order = np.argsort(-inside[rows, columns], kind="stable")[:MOST]
    rows, columns = rows[order] + 1, columns[order] + 1
    here = correlation[rows, columns]
    vertex_y = _vertex(correlation[rows - 1, columns], here, correlation[rows + 1, columns])
    vertex_x = _vertex(correlation[rows, columns - 1], here, correlation[rows, columns + 1])
    return np.stack([rows + vertex_y, columns + vertex_x], 1) - middle


def weighed(shifts: Points, odds: NDArray[np.floating], field: tuple[int, int]) -> Candidates:
    """Candidates with their probabilities, by the log-odds that features give every shift."""
    logits = between(odds, shifts / STRIDE) + log_prior(shifts, field)
    weight = np.exp(logits - logits.max())
    probability = weight / weight.sum()
    order = np.argsort(-probability, kind="stable")
    order = order[probability[order] >= UNLIKELY * probability[order[0]]]
    return Candidates(shifts[order], probability[order])


def log_prior(shifts: NDArray[np.floating], field: tuple[int, int]) -> NDArray[np.float64]:
    """What is known of a drift before the frames are seen: a short one is likelier than a long one,
    and none is impossible. It is a Cauchy distribution."""
    square = np.square(shifts / (USUAL * min(field))).sum(1)
    return np.asarray(-1.5 * np.log1p(square), np.float64)


def between(surface: NDArray[np.floating], shifts: Points) -> NDArray[np.float64]:
    """The values of a surface with zero shift in its middle at shifts between its pixels."""
    rows, columns = surface.shape
    y = np.clip(shifts[:, 0] + rows // 2, 0, rows - 1.001)
    x = np.clip(shifts[:, 1] + columns // 2, 0, columns - 1.001)
    top, left = y.astype(int), x.astype(int)
    down, right = y - top, x - left
    upper = surface[top, left] * (1 - right) + surface[top, left + 1] * right
    lower = surface[top + 1, left] * (1 - right) + surface[top + 1, left + 1] * right
    return np.asarray(upper * (1 - down) + lower * down, np.float64)


def _vertex(
    before: NDArray[np.floating], here: NDArray[np.floating], after: NDArray[np.floating]
) -> Points:
    return np.asarray(0.5 * (before - after) / np.minimum(before - 2 * here + after, -1e-30))
