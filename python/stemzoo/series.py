"""A fast-scan series laid onto itself by NCC: what the demo needs of alignment.

On a crystal the correlation has a peak at every lattice vector, so drift is followed from frame to
frame, where it is less than half of one, and then refined against the aligned sum.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from stemzoo.ncc import NccReference, ncc

Frames = NDArray[np.float32]
Path = NDArray[np.float64]  # (frames, 2): how far features have moved since the first frame


def follow(frames: Frames, max_step: int) -> Path:
    """The drift of every frame, where two frames in a row drift apart by less than `max_step`."""
    steps = [peak(ncc(before, after, max_step)) for before, after in itertools.pairwise(frames)]
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    for _ in range(2):  # errors of single steps add up; the sum of all frames knows better
        path = path + _residuals(frames, path, max_step)
        path -= path[0]
    return path


def aligned_sum(frames: Frames, path: Path) -> NDArray[np.float64]:
    """The mean of the frames, each moved back along its path."""
    total = np.zeros(frames.shape[1:])
    for frame, (dy, dx) in zip(frames, path, strict=True):
        total += moved(frame, -dy, -dx)
    return total / len(frames)


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


def _residuals(frames: Frames, path: Path, reach: int) -> Path:
    """What is left of each frame's drift, against the sum of all frames along the path so far."""
    reference = NccReference(aligned_sum(frames, path), reach)
    straightened = [moved(frame, -dy, -dx) for frame, (dy, dx) in zip(frames, path, strict=True)]
    return np.array([peak(reference(frame)) for frame in straightened])


def _vertex(line: NDArray[np.float32], at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = (float(line[i]) for i in (at - 1, at, at + 1))
    curvature = before - 2 * here + after
    return 0.5 * (before - after) / curvature if curvature < 0 else 0.0
