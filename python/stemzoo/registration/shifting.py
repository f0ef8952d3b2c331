"""An image displaced by a fraction of a pixel, and the peak of a surface between pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def moved(image: NDArray[np.floating], dy: float, dx: float) -> NDArray[np.float64]:
    """The image displaced by a sub-pixel shift; what leaves one edge comes in at the other."""
    rows, columns = image.shape
    phase_y = np.exp(-2j * np.pi * dy * np.fft.fftfreq(rows))[:, None]
    phase_x = np.exp(-2j * np.pi * dx * np.fft.rfftfreq(columns))[None, :]
    shifted = np.fft.irfft2(np.fft.rfft2(image) * phase_y * phase_x, s=image.shape)
    return np.asarray(shifted, np.float64)


def peak(surface: NDArray[np.float32]) -> tuple[float, float]:
    """Where an NCC surface is highest, between pixels."""
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    return refined(surface, int(row), int(column))


def refined(surface: NDArray[np.float32], row: int, column: int) -> tuple[float, float]:
    """The shift of a local maximum, between pixels by a parabola along each axis."""
    middle_y, middle_x = surface.shape[0] // 2, surface.shape[1] // 2
    along_y, along_x = surface[:, column], surface[row, :]
    return row - middle_y + _vertex(along_y, row), column - middle_x + _vertex(along_x, column)


def _vertex(line: NDArray[np.float32], at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = (float(line[i]) for i in (at - 1, at, at + 1))
    curvature = before - 2 * here + after
    return 0.5 * (before - after) / curvature if curvature < 0 else 0.0
