"""Positions along a line from differences between neighbours, by weighted least squares.

Frames at most `span` apart are compared, so the normal matrix has a band of that width: cut into
blocks of it, the matrix is block tridiagonal, and time and memory grow with the length of the
series, not with its square. A series that is all compared with all is one block.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALLEST_BLOCK = 48  # smaller blocks spend their time in calls
RIDGE = 1e-13  # of the largest weight: a frame without any pair stays where it is
PINNED = 1e6  # times the largest weight: what holds the one frame whose position is given

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def solve_differences(
    first: Indices, second: Indices, differences: Floats, weights: Floats, frames: int, pinned: int
) -> tuple[Floats, Floats]:
    """Positions (frames, axes) and the diagonals of the inverse of the normal matrix.

    differences[p] is the position of second[p] less that of first[p], where first < second, known
    with weights[p] (each pairs, axes). The frame `pinned` is at zero, and the diagonals are the
    variances of the others against it where the weights are 1 / variance.
    """
    axes = differences.shape[1]
    span = int((second - first).max(initial=1))
    size = min(max(span, SMALLEST_BLOCK), frames)
    blocks = -(-frames // size)
    inside, beside, right = [], [], []
    for axis in range(axes):
        diagonal, upper = _normal_matrix(first, second, weights[:, axis], (blocks, size), pinned)
        inside.append(diagonal)
        beside.append(upper)
        pull = weights[:, axis] * differences[:, axis]
        each = _sums(second, pull, blocks * size) - _sums(first, pull, blocks * size)
        right.append(each.reshape(blocks, size))
    positions, variances = _solve_blocks(
        np.stack(inside, 1), np.stack(beside, 1), np.stack(right, 1)
    )
    flat = (each.transpose(0, 2, 1).reshape(-1, axes)[:frames] for each in (positions, variances))
    solved, variance = flat
    return solved - solved[pinned], variance


def _normal_matrix(
    first: Indices, second: Indices, weights: Floats, shape: tuple[int, int], pinned: int
) -> tuple[Floats, Floats]:
    """The blocks on the diagonal, and those above it."""
    blocks, size = shape
    total = blocks * size
    strongest = float(weights.max(initial=0.0)) or 1.0
    diagonal = _sums(first, weights, total) + _sums(second, weights, total) + RIDGE * strongest
    diagonal[pinned] += PINNED * strongest
    # Each row of blocks, and the one right of it.
    column = second - first // size * size
    flat = _sums(first * 2 * size + column, -weights, total * 2 * size)
    rows = flat.reshape(blocks, size, 2 * size)
    inside = rows[:, :, :size] + rows[:, :, :size].transpose(0, 2, 1)
    inside[:, np.arange(size), np.arange(size)] += diagonal.reshape(blocks, size)
    return inside, rows[:, :, size:]


def _solve_blocks(inside: Floats, beside: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Block elimination down, and solution and diagonal of the inverse on the way back.

    Every array begins with (blocks, axes).
    """
    blocks = len(inside)
    pivots, links, sides = [], [], []
    pivot, side = inside[0], right[0][..., None]
    for block in range(blocks):
        inverse = np.linalg.inv(pivot)
        pivots.append(inverse)
        sides.append(inverse @ side)
        if block + 1 < blocks:
            upper = beside[block]
            lower = upper.swapaxes(-1, -2)
            links.append(inverse @ upper)
            pivot = inside[block + 1] - lower @ links[-1]
            side = right[block + 1][..., None] - lower @ sides[-1]
    solution, covariance = sides[-1], pivots[-1]
    solutions, variances = [solution], [_diagonal(covariance)]
    for block in range(blocks - 2, -1, -1):
        link = links[block]
        solution = sides[block] - link @ solution
        covariance = pivots[block] + link @ covariance @ link.swapaxes(-1, -2)
        solutions.append(solution)
        variances.append(_diagonal(covariance))
    return np.stack(solutions[::-1])[..., 0], np.stack(variances[::-1])


def _diagonal(matrices: Floats) -> Floats:
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def _sums(at: Indices, values: Floats, length: int) -> Floats:
    return np.bincount(at, values, length).astype(np.float64, copy=False)
