"""Row displacements of a picture, and their Cramer-Rao bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from training.evaluation.columns import DERIVATIVE

Floats = NDArray[np.float64]

MAX_ROW_SHIFT, ROW_SHIFT_STEP = 4.0, 0.1  # px: range and step of the tried row shifts
WRAP_MARGIN = 16  # px at both ends of a row, affected by periodic shifts
LEAST_CONTRAST = 0.3  # of the largest contrast: shifts of rows with less are not measured


def row_shifts(image: Floats, truth: Floats) -> Floats:
    """Displacement of each row of a picture along x, px; NaN for rows with too little contrast.

    The shift of the true row with the highest correlation, refined by a parabola.
    """
    columns = truth.shape[1]
    shifts = np.arange(-MAX_ROW_SHIFT, MAX_ROW_SHIFT + ROW_SHIFT_STEP / 2, ROW_SHIFT_STEP)
    phase = np.exp(-2j * np.pi * shifts[:, None] * np.fft.rfftfreq(columns))
    moved = np.fft.irfft(np.fft.rfft(truth)[:, None] * phase, columns)[
        ..., WRAP_MARGIN:-WRAP_MARGIN
    ]
    moved = moved - moved.mean(axis=-1, keepdims=True)
    moved /= np.linalg.norm(moved, axis=-1, keepdims=True) + 1e-12
    score = np.einsum("rsc,rc->rs", moved, image[:, WRAP_MARGIN:-WRAP_MARGIN])
    best = score.argmax(axis=1).clip(1, len(shifts) - 2)
    rows = np.arange(len(truth))
    left, middle, right = (score[rows, best + offset] for offset in (-1, 0, 1))
    bend = left - 2 * middle + right
    found = shifts[best] + ROW_SHIFT_STEP * np.where(bend < 0, 0.5 * (left - right) / bend, 0)
    return np.where(_seen(truth), found, np.nan)


def row_bound(counts: Floats) -> float:
    """The Cramer-Rao bound of a row's displacement along x in px, rms over rows with contrast.

    `counts` is the expected picture in electrons per pixel. The bound is for a known specimen and
    independent rows; an estimate that uses correlations between rows may be below it.
    """
    slope = correlate1d(counts, DERIVATIVE, axis=1)
    weight = np.divide(1, counts, out=np.zeros_like(counts), where=counts > 0)
    information = (slope**2 * weight).sum(axis=1)[_seen(counts)]
    return float(np.mean(1 / information) ** 0.5)


def _seen(truth: Floats) -> NDArray[np.bool_]:
    contrast = truth.std(axis=1)
    seen: NDArray[np.bool_] = contrast > LEAST_CONTRAST * contrast.max()
    return seen
