"""Where something that drifts will be next: a Kalman filter of position and rate along each axis.

The acceleration is white noise. How strong it is, the filter learns from its own misses: what they
have in excess of the errors of state and measurement is what the drift has changed its mind by.
"""

from __future__ import annotations

from dataclasses import dataclass

WANDER = 1.0  # px by which a step is taken to differ from the one before, until misses tell
CALM = 0.02  # px: the least of it, so that the filter never stops listening
MEMORY = 0.9  # the weight of a miss, one step later
PRIOR = 3.0  # how many steps' misses the first guess is worth
EXACT = 1e-3  # px: no measurement is taken for better than this

Pair = tuple[float, float]  # along y and x


@dataclass(frozen=True)
class Axis:
    """Position and rate along one axis, their variances and their covariance."""

    position: float
    position_variance: float
    rate: float = 0.0
    rate_variance: float = 0.0
    covariance: float = 0.0

    def after(self, time: float, noise: float) -> Axis:
        """What is known of it some time later."""
        return Axis(
            self.position + time * self.rate,
            self.position_variance
            + time * (2 * self.covariance + time * self.rate_variance)
            + noise * time**3 / 3,
            self.rate,
            self.rate_variance + noise * time,
            self.covariance + time * self.rate_variance + noise * time**2 / 2,
        )

    def measured(self, position: float, variance: float) -> Axis:
        """What is known of it once its position has been measured."""
        expected = self.position_variance + variance
        gain, rate_gain = self.position_variance / expected, self.covariance / expected
        miss = position - self.position
        return Axis(
            self.position + gain * miss,
            self.position_variance * (1 - gain),
            self.rate + rate_gain * miss,
            self.rate_variance - rate_gain * self.covariance,
            self.covariance * (1 - gain),
        )


class Motion:
    """The state of the filter at `time`, when the position was last measured."""

    def __init__(self, time: float, position: Pair, sigma: Pair, reach: float) -> None:
        """`reach` is how far it may have moved before the rate is known."""
        self.time = time
        self.axes = (
            Axis(position[0], max(sigma[0], EXACT) ** 2),
            Axis(position[1], max(sigma[1], EXACT) ** 2),
        )
        self.rate_known = False
        self._reach = reach
        self._noise = 0.0  # of the acceleration, px^2 / time^3
        self._least = 0.0
        self._excess = self._weight = 0.0  # of the misses; their ratio is the noise

    def at(self, time: float) -> tuple[Axis, Axis]:
        """What is to be expected then."""
        y, x = self.axes
        if self.rate_known:
            return (y.after(time - self.time, self._noise), x.after(time - self.time, self._noise))
        return (self._anywhere(y), self._anywhere(x))

    def measure(self, time: float, position: Pair, sigma: Pair) -> None:
        """Take in a position measured at `time`, which is later than any before."""
        step = time - self.time
        variances = (max(sigma[0], EXACT) ** 2, max(sigma[1], EXACT) ** 2)
        if self.rate_known:
            self._learn(step, position, variances)
        else:
            self._begin(step)
        y, x = (axis.after(step, self._noise) for axis in self.axes)
        self.axes = (y.measured(position[0], variances[0]), x.measured(position[1], variances[1]))
        self.time, self.rate_known = time, True

    def _anywhere(self, axis: Axis) -> Axis:
        return Axis(axis.position, axis.position_variance + self._reach**2)

    def _begin(self, step: float) -> None:
        """The first step sets the scale of time: up to `reach` is covered in it."""
        unit = step**3 / 3
        self._noise, self._least = WANDER**2 / unit, CALM**2 / unit
        self._excess, self._weight = PRIOR * WANDER**2, PRIOR * unit
        y, x = self.axes
        rate_variance = (self._reach / step) ** 2
        self.axes = (
            Axis(y.position, y.position_variance, 0.0, rate_variance),
            Axis(x.position, x.position_variance, 0.0, rate_variance),
        )

    def _learn(self, step: float, position: Pair, variances: Pair) -> None:
        """How strong the acceleration is, from how far this position is from the expected one."""
        self._excess *= MEMORY
        self._weight = MEMORY * self._weight + 2 * step**3 / 3
        for axis, found, variance in zip(self.axes, position, variances, strict=True):
            quiet = axis.after(step, 0.0)
            self._excess += (found - quiet.position) ** 2 - quiet.position_variance - variance
        self._noise = max(self._excess / self._weight, self._least)
