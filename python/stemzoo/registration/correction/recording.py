"""Where the lines of a recording lie in the picture that it is corrected to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Axis = Literal["x", "y"]
Floats = NDArray[np.float64]
Shape = tuple[int, int]
Cut = tuple[slice, slice]  # a rectangle of rows and columns


@dataclass(frozen=True, eq=False)
class Recording:
    """One frame or scan of a correction.

    A line is a row, or a column where `fast_axis` is "y". Pixel (y, x) lies at (y, x) + path[line]
    along the recording's own axes, px. `path` and its standard deviations `sigma` are [lines, 2],
    or [1, 2] where all lines are displaced alike. `rate` is added on the way from the first line to
    the last. A recording without a place has `path` None.

    `angle` is by how many degrees the specimen appears turned counter-clockwise, about the middle.
    `shape` is None where any will do.
    """

    shape: Shape | None
    path: Floats | None
    sigma: Floats | None = None
    rate: tuple[float, float] = (0.0, 0.0)
    angle: float = 0.0
    fast_axis: Axis = "x"

    def lines(self, shape: Shape) -> Floats:
        """The path of every line of a recording of that shape."""
        assert self.path is not None
        count = shape[0] if self.fast_axis == "x" else shape[1]
        middle = (count - 1) / 2
        along = (np.arange(count) - middle)[:, None] / count * np.asarray(self.rate)
        return np.ascontiguousarray(self.path + along)

    def starts(self, shape: Shape, picture: Shape) -> tuple[Floats, tuple[float, float]]:
        """Where the first pixel of each line lies in the picture, and the step to the next one."""
        lines = self.lines(shape)
        numbers = np.arange(len(lines))
        if self.fast_axis == "y":
            around = np.subtract(picture, shape) / 2
            return lines + around + np.stack([0 * numbers, numbers], axis=1), (1.0, 0.0)
        turn = math.radians(self.angle)
        cos, sin = _exact(math.cos(turn)), _exact(math.sin(turn))
        dy = lines[:, 0] + numbers - (shape[0] - 1) / 2
        dx = lines[:, 1] - (shape[1] - 1) / 2
        y = (picture[0] - 1) / 2 + cos * dy + sin * dx
        x = (picture[1] - 1) / 2 + cos * dx - sin * dy
        return np.stack([y, x], axis=1), (sin, cos)

    def beyond(self, shape: Shape, picture: Shape) -> int:
        """How many pixels around the picture it reaches."""
        start, step = self.starts(shape, picture)
        pixels = shape[1] if self.fast_axis == "x" else shape[0]
        ends = np.concatenate([start, start + np.multiply(step, pixels - 1)])
        after = ends - (np.asarray(picture) - 1)
        return max(math.ceil(float(max((-ends).max(), after.max())) - 1e-9), 0)

    def reaching(self, shape: Shape, picture: Shape, cut: Cut) -> Cut | None:
        """The smallest part of the recording that holds all that lands in a part of the picture."""
        start, step = self.starts(shape, picture)
        pixels = shape[1] if self.fast_axis == "x" else shape[0]
        low, high = np.zeros(len(start)), np.full(len(start), float(pixels))
        for axis in (0, 1):
            first, last = _within(start[:, axis], step[axis], cut[axis].start - 1, cut[axis].stop)
            low, high = np.maximum(low, first), np.minimum(high, last)
        lines = np.flatnonzero(low < high)
        if not len(lines):
            return None
        across = slice(int(lines[0]), int(lines[-1]) + 1)
        along = slice(int(low[lines].min()), int(high[lines].max()))
        return (across, along) if self.fast_axis == "x" else (along, across)


def _within(start: Floats, step: float, low: float, high: float) -> tuple[Floats, Floats]:
    """Pixels [first, last) of lines that lie between low and high."""
    if abs(step) < 1e-12:
        inside = (start > low) & (start < high)
        return np.where(inside, -np.inf, np.inf), np.where(inside, np.inf, -np.inf)
    ends = np.sort([(low - start) / step, (high - start) / step], axis=0)
    return np.floor(ends[0]), np.ceil(ends[1]) + 1


def _exact(value: float) -> float:
    """Quarter turns map pixels onto pixels."""
    return float(round(value)) if abs(value - round(value)) < 1e-12 else value
