"""Where the drift may be, and how probable each place is."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNLIKELY = 1e-6  # of the best: a candidate less probable is not told
DOUBT = 0.01  # how probable it is that the features of a pair mislead, and say nothing of its drift
USUAL = 3 / 32  # of the frame: how far it usually drifts, at most
WITHIN, BEYOND = 3.0, 6.0  # standard deviations: what an expectation bears out, and rules out
ALONE = 2.0  # times the height of all others: a peak that is no lattice's
SHARP = 0.1  # of its height lost within a pixel: a peak that says where it is to a tenth of one
PEAK_SIGMA = 0.15  # px: how far a peak lies from the drift it stands for
LIKELIER = 3.0  # in log-odds, than any peak: a shift that is looked at without a peak
NEAR = 4.0  # px, where features are finest: a shift so near to a peak means that peak
STRIDE, COARSE = 2, 4  # px of a frame to one of its features: where they are finest, and coarsest

Points = NDArray[np.floating]  # (count, 2): (dy, dx)
Peaks = NDArray[np.floating]  # (count, 4): dy, dx, height, sharpness, the highest first


@dataclass(frozen=True)
class Expected:
    """Where a drift should be, and the standard deviation of that along each axis."""

    shift: tuple[float, float]
    sigma: tuple[float, float]


@dataclass(frozen=True)
class Candidates:
    """Drifts, the most probable first, and their probabilities, which sum to at most one.

    `evidence` is by how much the first one's log-odds exceed the second's.
    """

    shifts: Points
    probability: NDArray[np.float64]
    evidence: float


def weighed(
    shifts: Points,
    odds: NDArray[np.floating],
    field: tuple[int, int],
    more: NDArray[np.float64] | float = 0.0,
    stride: int = STRIDE,
) -> Candidates:
    """Candidates with their probabilities, by the log-odds that features `stride` px apart give
    every shift, and by `more` of each of their own."""
    prior = log_prior(shifts, field)
    logits = between(odds, shifts / stride) + more
    told = shares(logits + prior)
    probability = (1 - DOUBT) * told + DOUBT * shares(prior)
    order = np.argsort(-probability, kind="stable")
    evidence = float(logits[order[0]] - logits[order[1]]) if len(order) > 1 else np.inf
    order = order[probability[order] >= UNLIKELY * probability[order[0]]]
    return Candidates(shifts[order], probability[order], evidence)


def plain_answer(peaks: Peaks, expected: Expected | None) -> int | None:
    """Which peak the drift is where no features need be asked: one that stands alone, or the only
    one where the drift is expected."""
    if not len(peaks):
        return None
    if _stands_alone(peaks):
        return 0
    return where_expected(peaks[:, :2], expected) if expected else None


def is_sharp(peaks: Peaks, peak: tuple[float, float]) -> bool:
    """Whether a drift lies at a sharp peak."""
    if not len(peaks):
        return False
    away = np.hypot(*(peaks[:, :2] - peak).T)
    nearest = int(away.argmin())
    return bool(away[nearest] < 1 and peaks[nearest, 3] >= SHARP)


def _stands_alone(peaks: Peaks) -> bool:
    """No lattice has such a peak: all its others are nearly as high."""
    away = np.hypot(*(peaks[:, :2] - peaks[0, :2]).T) > NEAR
    others = peaks[away, 2]
    return bool(len(peaks) > 1 and peaks[0, 2] >= ALONE * (others[0] if len(others) else 0))


def where_expected(shifts: Points, expected: Expected) -> int | None:
    """The one peak that an expectation bears out, if it rules out all others."""
    if not len(shifts):
        return None
    off = (shifts - expected.shift) / np.hypot(expected.sigma, PEAK_SIGMA)
    miss = np.hypot(off[:, 0], off[:, 1])
    nearest = int(miss.argmin())
    return None if miss[nearest] > WITHIN or (miss <= BEYOND).sum() > 1 else nearest


def ruled_out(sigma: float) -> float:
    """How far a peak lies, at least, from what is expected by so much along an axis, to be none."""
    return BEYOND * math.hypot(sigma, PEAK_SIGMA)


def lags(reach: tuple[int, int], field: tuple[int, int], stride: int = STRIDE) -> tuple[int, int]:
    """How far features of a frame are compared for shifts of up to `reach` px."""
    rows, columns = (
        min(pixels // stride + 2, looked_at(side) // stride - 1)
        for pixels, side in zip(reach, field, strict=True)
    )
    return rows, columns


def looked_at(side: int) -> int:
    """How many pixels of a side a look sees; see csrc/drift/look.hpp."""
    return side // 8 * 8


def middle(surface: NDArray[np.float32], extent: tuple[int, int]) -> NDArray[np.float32]:
    """Of a surface with zero shift in its middle, what lies within the extent."""
    (top, left), (down, across) = (side // 2 for side in surface.shape), extent
    return surface[top - down : top + down + 1, left - across : left + across + 1]


@functools.lru_cache(maxsize=8)
def prior_surface(
    extent: tuple[int, int], reach: tuple[int, int], field: tuple[int, int], stride: int = STRIDE
) -> NDArray[np.float32]:
    """`log_prior` of every shift that features are compared for; none beyond `reach`."""
    y, x = (stride * np.arange(-most, most + 1.0) for most in extent)
    points = np.stack(np.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2)
    prior = np.where((np.abs(points) <= reach).all(1), log_prior(points, field), -np.inf)
    return prior.reshape(len(y), len(x)).astype(np.float32)


def with_likeliest(
    shifts: Points,
    odds: NDArray[np.floating],
    prior: NDArray[np.floating],
    stride: int = STRIDE,
) -> Points:
    """And the likeliest shift of all, where no peak is near it or nearly as likely: what has no
    lattice may have no peak."""
    logits = odds + prior
    row, column = np.unravel_index(int(logits.argmax()), odds.shape)
    top, left = odds.shape[0] // 2, odds.shape[1] // 2
    likeliest = np.array([[row - top, column - left]], float) * stride
    if not odds.any():
        return shifts
    if len(shifts):
        near = np.hypot(*(shifts - likeliest).T).min() <= NEAR * stride / STRIDE
        known = between(np.maximum(logits, -1e30), shifts / stride).max()
        if near or logits[row, column] - known < LIKELIER:
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
