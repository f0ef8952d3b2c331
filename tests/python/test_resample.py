"""Rows moved and slid by the core, beside their definition."""

import numpy as np
import pytest

from stemzoo import _core

TAPS = 3


def reference(image, first, weights):
    """Row r of the sum of rows first[r] ...; nothing outside."""
    padded = np.pad(image.astype(float), ((99, 99), (0, 0)))
    parts = [
        sum(w * padded[99 + at + i] for i, w in enumerate(row))
        for at, row in zip(first.clip(-98, 98), weights, strict=True)
    ]
    return np.stack(parts)


def drawn(seed, shape, side):
    """An image, and taps that may begin outside of a side of it."""
    random = np.random.default_rng(seed)
    image = random.normal(size=shape).astype(np.float32)
    first = random.integers(-side - 4, side + 4, shape[0])
    return image, first, random.normal(size=(shape[0], TAPS)).astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (9, 150)])
def test_rows_are_weighted_sums_of_their_neighbours(shape):
    image, first, weights = drawn(0, shape, shape[0])
    moved = _core.move_rows(image, first, weights)
    np.testing.assert_allclose(moved, reference(image, first, weights), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (5, 90)])
def test_columns_are_weighted_sums_along_each_row(shape):
    image, first, weights = drawn(1, shape, shape[1])
    slid = _core.slide_rows(image, first, weights)
    for row, line in enumerate(image):
        columns = np.arange(shape[1]) + first[row]
        expected = reference(line[:, None], columns, np.tile(weights[row], (shape[1], 1)))[:, 0]
        np.testing.assert_allclose(slid[row], expected, atol=1e-5)


def test_what_does_not_fit_is_refused():
    image = np.zeros((4, 4), np.float32)
    with pytest.raises(ValueError, match="4 rows needs as many"):
        _core.move_rows(image, np.zeros(3, np.int64), np.zeros((4, 2), np.float32))
    with pytest.raises(ValueError, match="4 rows needs as many"):
        _core.slide_rows(image, np.zeros(4, np.int64), np.zeros((5, 2), np.float32))
