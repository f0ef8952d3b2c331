"""Where the drift may be, and how probable each place is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNLIKELY = 1e-6  # of the best: a candidate less probable is not told
DOUBT = 0.01  # how probable it is that the features of a pair mislead, and say nothing of its drift
USUAL = 3 / 32  # of the frame: how far it usually drifts, at most
NEAR = 4.0  # px: a shift so near to a peak means that peak
STRIDE = 2  # px of a frame to one of its features

Points = NDArray[np.floating]  # (count, 2): (dy, dx)


@dataclass(frozen=True)
class Candidates:
    """Drifts, the most probable first, and their probabilities, which sum to at most one."""

    shifts: Points
    probability: NDArray[np.float64]


def weighed(shifts: Points, odds: NDArray[np.floating], field: tuple[int, int]) -> Candidates:
    """Candidates with their probabilities, by the log-odds that features give every shift."""
    prior = log_prior(shifts, field)
    told = shares(between(odds, shifts / STRIDE) + prior)
    probability = (1 - DOUBT) * told + DOUBT * shares(prior)
    order = np.argsort(-probability, kind="stable")
    order = order[probability[order] >= UNLIKELY * probability[order[0]]]
    return Candidates(shifts[order], probability[order])


def lags(reach: tuple[int, int], field: tuple[int, int]) -> tuple[int, int]:
    """How far features of a frame are compared for shifts of up to `reach` px."""
    rows, columns = (
        min(pixels // STRIDE + 2, side // 4 * 2 - 1)
        for pixels, side in zip(reach, field, strict=True)
    )
    return rows, columns


def prior_surface(
    extent: tuple[int, int], reach: tuple[int, int], field: tuple[int, int]
) -> NDArray[np.float32]:
    """`log_prior` of every shift that features are compared for; none beyond `reach`."""
    y, x = (STRIDE * np.arange(-most, most + 1.0) for most in extent)
    points = np.stack(np.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2)
    prior = np.where((np.abs(points) <= reach).all(1), log_prior(points, field), -np.inf)
    return prior.reshape(len(y), len(x)).astype(np.float32)


def with_likeliest(
    shifts: Points, odds: NDArray[np.floating], prior: NDArray[np.floating]
) -> Points:
    """And the likeliest shift, where no peak is near it: what has no lattice may have no peak."""
    row, column = np.unravel_index(int((odds + prior).argmax()), odds.shape)
    middle = odds.shape[0] // 2, odds.shape[1] // 2
    likeliest = np.array([[row - middle[0], column - middle[1]]], float) * STRIDE
    if not odds.any() or (len(shifts) and np.hypot(*(shifts - likeliest).T).min() <= NEAR):
        return shifts
    return np.concatenate([shifts, likeliest])


def shares(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from their logarithms, but for a constant."""
    weight = np.exp(logits - logits.max())
    return np.asarray(weight / weight.sum())


def log_prior(shifts: NDArray[np.floating], field: tuple[int, int]) -> NDArray[np.float64]:
    """What is known of a drift before the frames are seen: a short one is likelier than a long one,
    and none is impossible (a Student distribution). What it costs a drift of a third of the frame,
    eight, is little beside what a frame can say."""
    square = np.square(shifts / (USUAL * min(field))).sum(1)
    return np.asarray(-3.0 * np.log1p(square), np.float64)


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
