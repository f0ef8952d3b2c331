"""Linear filters that correlate counting noise: afterglow, smoothing and resampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Colour:
    """The colour (spectrum) of noise: a filter of counts and truth; lengths in px, 0 for none."""

    glow_x: float = 0.0  # exponential afterglow along x
    glow_y: float = 0.0
    sigma: float = 0.0  # of a Gaussian
    zoomed: bool = False  # recorded at half the size and enlarged

    @property
    def directed(self) -> bool:
        return bool(self.glow_x or self.glow_y)

    def before(self, image: Floats) -> Floats:
        """The picture in which electrons are counted."""
        if not self.zoomed:
            return image
        rows, columns = (length // 2 for length in image.shape)
        return np.asarray(image.reshape(rows, 2, columns, 2).mean(axis=(1, 3)))

    def after(self, image: Floats) -> Floats:
        """The filtered counts, or their expectation."""
        if self.zoomed:
            image = scipy.ndimage.zoom(image, 2, order=3, mode="grid-mirror", grid_mode=True)
        for axis, length in enumerate((self.glow_y, self.glow_x)):
            if length:
                image = _afterglow(image, length, axis)
        return scipy.ndimage.gaussian_filter(image, self.sigma) if self.sigma else image


def _afterglow(image: Floats, length: float, axis: int) -> Floats:
    """Exponential decay by 1/e over `length` px, which preserves the total signal."""
    decay = np.exp(-1 / length)
    # Initial state: the first pixel repeated before the picture.
    first = np.take(image, [0], axis)
    settled = decay * first
    return np.asarray(scipy.signal.lfilter([1 - decay], [1, -decay], image, axis, zi=settled)[0])


white = Colour()
COLOURS = {
    "afterglow along x": Colour(glow_x=2),
    "afterglow along y": Colour(glow_y=2),
    "zoomed by two": Colour(zoomed=True),
    "smoothed by 0.9 px": Colour(sigma=0.9),
}
