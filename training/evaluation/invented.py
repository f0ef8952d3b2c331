"""Columns that a denoiser invents where the specimen has none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

Floats = NDArray[np.float64]

INNER_SIGMA, OUTER_SIGMA = 1.0, 4.0  # px, of the Gaussians whose difference shows spots
MEDIAN_OF_GAUSSIAN = 0.6745  # of the absolute value, in standard deviations
SPOT_DISTANCE = 5  # px between two spots at least
LEAST_RISE = (
    0.25  # of the noise's standard deviation: what rises less over its surroundings is flat
)
TEXTURE_DEVIATIONS = (
    3.0  # deviations of the true picture's spots: what rises less belongs to its texture
)
TRUTH_RATIO = 2.0  # a spot that is less than so many times as high as the true one is no invention


def invented(image: NDArray[np.floating], truth: NDArray[np.floating], noise: float) -> float:
    """Spots per megapixel that the noise-free picture `truth` does not have.

    `noise` is the standard deviation of the noisy picture about the truth. The best linear filter
    of an amorphous film's speckle invents next to nothing by this measure.
    """
    seen, true = _spots(image), _spots(truth)
    texture = float(np.median(np.abs(true)) / MEDIAN_OF_GAUSSIAN)
    least = max(LEAST_RISE * noise, TEXTURE_DEVIATIONS * texture)
    highest = maximum_filter(seen, SPOT_DISTANCE) == seen
    found = highest & (seen > least) & (seen > TRUTH_RATIO * true)
    return float(found.sum() / seen.size * 1e6)


def _spots(image: NDArray[np.floating]) -> Floats:
    """How far a picture rises over its surroundings."""
    picture = np.asarray(image, np.float64)
    difference: Floats = gaussian_filter(picture, INNER_SIGMA) - gaussian_filter(
        picture, OUTER_SIGMA
    )
    return difference
