"""The noise of a frame about a clean estimate of it: its variance and its spectrum.

Variance(mean) = gain * (mean - offset) + readout^2 is that of a detector that counts. Afterglow,
smoothing and resampling correlate the noise of neighbouring pixels: its spectrum is not flat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core

GRID = _core.NOISE_GRID  # frequencies along an axis of the noise spectrum

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoiseModel:
    """Noise in the units of the frame; `gain` is the signal of one electron per pixel.

    Where the noise does not grow with the signal, gain and offset are NaN, and `readout` is the
    standard deviation of all noise. Readout noise and an offset cannot be told apart where both
    are there: one of them is 0.
    """

    gain: float
    offset: float
    readout: float
    level: float  # variance = level + slope * intensity, as fitted
    slope: float
    spectrum: Floats = field(repr=False)  # [GRID, GRID], mean 1, frequencies as np.fft.fftfreq
    white: bool
    # Variance of the residual over that of the noise: less than 1 where the clean estimate has kept
    # noise, more where the residual holds structure.
    share: float = 1.0

    @property
    def counts(self) -> bool:
        """Whether the noise grows with the signal as that of counted electrons does."""
        return math.isfinite(self.gain)

    @property
    def present(self) -> bool:
        """Whether there is any noise to judge a result by."""
        return self.level > 0 or self.slope > 0

    @cached_property
    def correlation(self) -> Floats:
        """[GRID, GRID]: correlation of the noise of two pixels, by their distance along y and x."""
        found: Floats = np.fft.ifft2(self.spectrum).real
        found /= found[0, 0]
        return found

    def variance(self, intensity: NDArray[np.floating]) -> NDArray[np.floating]:
        """Of the noise where the clean intensity is this."""
        least = 0.02 * (self.level + self.slope * float(np.mean(intensity)))
        found: NDArray[np.floating] = np.maximum(
            self.level + self.slope * intensity, max(least, 1e-30)
        )
        return found


def measure_noise(raw: Image, clean: Image) -> NoiseModel:
    """The noise model of `raw`, of which `clean` is the estimate without noise; both float32."""
    return NoiseModel(**_core.measure_noise(raw, clean))
