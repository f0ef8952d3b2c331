"""Where a specimen is, as far as frames say so, and where it will be."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WINDOW = 8  # the last steps, of which the rate is the mean
HORIZON = 3.0  # steps that are extrapolated over at most
ENOUGH = 4  # predictions that were compared with what came: from here on their error is known
NEAR, FAR = 3.0, 6.0  # standard deviations: one candidate within, all others beyond

Vector = NDArray[np.float64]


class Motion:
    """Positions in time, and their extrapolation: the last position and the mean rate.

    For a steady drift with a random walk on it this is the best that can be said of the next frame;
    its error is the next step of the walk.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Vector]] = deque(maxlen=WINDOW + 1)
        self._errors: deque[Vector] = deque(maxlen=WINDOW)  # of predictions
        self._held = False

    @property
    def position(self) -> Vector:
        return self._seen[-1][1] if self._seen else np.zeros(2)

    @property
    def rate(self) -> Vector:
        """Per second."""
        if len(self._seen) < 2:
            return np.zeros(2)
        (first, start), (last, end) = self._seen[0], self._seen[-1]
        return (end - start) / (last - first)

    def add(self, time: float, position: Vector) -> None:
        if self._seen and time <= self._seen[-1][0]:
            raise ValueError(f"a frame of {time} s came after one of {self._seen[-1][0]} s")
        if len(self._seen) > 1:
            self._errors.append(position - self._extrapolated(time))
        self._seen.append((time, position))
        self._held = False

    def hold(self) -> None:
        """The last frame said nothing: what is predicted is the last position that is known."""
        self._held = True

    def predict(self, time: float) -> Vector:
        return self.position if self._held else self._extrapolated(time)

    def chosen(self, time: float, candidates: Sequence[Vector], least: float) -> int | None:
        """The one candidate that is where the motion so far leads, if every other is far from
        there; predictions are taken to be wrong by `least` or more."""
        if len(self._errors) < ENOUGH:
            return None
        sigma = max(float(np.sqrt(np.mean(np.square(self._errors)))), least)
        expected = self._extrapolated(time)
        distances = [float(np.hypot(*(one - expected))) / sigma for one in candidates]
        near = [index for index, distance in enumerate(distances) if distance < NEAR]
        others = [distance for distance in distances if distance >= NEAR]
        return near[0] if len(near) == 1 and min(others, default=FAR) >= FAR else None

    def _extrapolated(self, time: float) -> Vector:
        if len(self._seen) < 2:
            return self.position
        step = (self._seen[-1][0] - self._seen[0][0]) / (len(self._seen) - 1)
        ahead = min(max(time - self._seen[-1][0], 0.0), HORIZON * step)
        return self.position + self.rate * ahead


def rotated(vector: Vector, angle: float) -> Vector:
    """(y, x), turned as nion.utils.Geometry turns it."""
    y, x = vector
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.array([y * cosine + x * sine, x * cosine - y * sine])
