"""A line plot in greys, of the size of the pictures beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stemzoo.plotting.pictures import INK, PAPER, Grey

LEFT, BOTTOM, TOP, RIGHT = 46, 38, 26, 12  # px around the axes
TICKS = 5
FINE = 2  # drawn this much larger and reduced, so that lines are smooth

Floats = NDArray[np.float64]


class Plot:
    def __init__(self, shape: tuple[int, ...], across: str, up: str) -> None:
        from PIL import Image, ImageDraw, ImageFont

        self._height, self._width = shape
        self._sheet = Image.new("L", (self._width * FINE, self._height * FINE), PAPER)
        self._draw = ImageDraw.Draw(self._sheet)
        self._font = ImageFont.load_default(12 * FINE)
        self._names = (across, up)
        self._labels = 0
        self._low, self._high = np.zeros(2), np.ones(2)

    def limits(self, across: Floats, up: Floats) -> None:
        """Axes that show these values."""
        spans = [values[np.isfinite(values)] for values in (across, up)]
        self._low = np.array([values.min() for values in spans], float)
        self._high = np.array([values.max() for values in spans], float)
        flat = self._high <= self._low
        self._low[flat], self._high[flat] = self._low[flat] - 0.5, self._high[flat] + 0.5
        self._axes()

    def line(self, across: Floats, up: Floats, level: int, name: str) -> None:
        points = [self._at(x, y) for x, y in zip(across, up, strict=True)]
        if len(points) > 1:
            self._draw.line(points, fill=level, width=2 * FINE, joint="curve")
        for x, y in points if len(points) < self._width // 6 else []:
            self._draw.ellipse([x - 2 * FINE, y - 2 * FINE, x + 2 * FINE, y + 2 * FINE], fill=level)
        if name:
            left, top = (LEFT + 30 + 40 * self._labels) * FINE, 4 * FINE
            self._draw.text((left, top), name, fill=level, font=self._font)
            self._labels += 1

    def bars(self, across: Floats, up: Floats, half: Floats, level: int) -> None:
        for x, y, error in zip(across, up, half, strict=True):
            self._draw.line([self._at(x, y - error), self._at(x, y + error)], level, 2 * FINE)

    def rings(self, across: Floats, up: Floats) -> None:
        """A ring about each point; `up` has a column for each line."""
        for x, values in zip(across, up, strict=True):
            for value in values:
                left, top = self._at(x, value)
                around = 5 * FINE
                box = [left - around, top - around, left + around, top + around]
                self._draw.ellipse(box, outline=INK, width=FINE)

    def grey(self) -> Grey:
        return np.asarray(self._sheet.reduce(FINE))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        right, down = (np.array([x, y]) - self._low) / (self._high - self._low)
        return (
            (LEFT + right * (self._width - LEFT - RIGHT)) * FINE,
            (TOP + (1 - down) * (self._height - TOP - BOTTOM)) * FINE,
        )

    def _axes(self) -> None:
        corner, far = self._at(*self._low), self._at(*self._high)
        self._draw.line([corner[0], far[1], corner[0], corner[1], far[0], corner[1]], INK, FINE)
        for axis in range(2):
            for value in _ticks(self._low[axis], self._high[axis]):
                text = f"{value:g}"
                if axis:
                    x, y = corner[0], self._at(self._low[0], value)[1]
                    self._draw.line([x - 4 * FINE, y, x, y], INK, FINE)
                    self._draw.text((x - 7 * FINE, y), text, INK, self._font, anchor="rm")
                else:
                    x, y = self._at(value, self._low[1])[0], corner[1]
                    self._draw.line([x, y, x, y + 4 * FINE], INK, FINE)
                    self._draw.text((x, y + 6 * FINE), text, INK, self._font, anchor="mt")
        across, up = self._names
        self._draw.text((far[0], corner[1] + 20 * FINE), across, INK, self._font, anchor="rt")
        self._draw.text((4 * FINE, 4 * FINE), up, INK, self._font)


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers."""
    rough = (high - low) / TICKS
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(times for times in (1, 2, 5, 10) if times * power >= rough)
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    return [round(number * step, 12) for number in range(first, last + 1)]
