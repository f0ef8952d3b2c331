"""Hallucinations: spots in a denoised picture that the specimen does not have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

Floats = NDArray[np.float64]

INNER_SIGMA, OUTER_SIGMA = 1.0, 4.0  # px, of the Gaussians whose difference shows spots
MEDIAN_OF_GAUSSIAN = 0.6745  # of the absolute value, in standard deviations
SPOT_DISTANCE = 5  # px between spots, at least
# A spot counts if it rises over its surroundings by LEAST_RISE of the noise's standard deviation,
# by TEXTURE_DEVIATIONS of the true picture's own texture, and by TRUTH_RATIO times the true rise.
LEAST_RISE, TEXTURE_DEVIATIONS, TRUTH_RATIO = 0.25, 3.0, 2.0


def invented(image: NDArray[np.floating], truth: NDArray[np.floating], noise: float) -> float:
    """Spots per megapixel that the noise-free picture `truth` does not have.

    `noise` is the standard deviation of the noisy picture about the truth. For an amorphous film's
    speckle, the best linear filter scores almost zero.
    """
    seen, true = _spots(image), _spots(truth)
    texture = float(np.median(np.abs(true)) / MEDIAN_OF_GAUSSIAN)
    least = max(LEAST_RISE * noise, TEXTURE_DEVIATIONS * texture)
    highest = maximum_filter(seen, SPOT_DISTANCE) == seen
    found = highest & (seen > least) & (seen > TRUTH_RATIO * true)
    return float(found.sum() / seen.size * 1e6)


def _spots(image: NDArray[np.floating]) -> Floats:
    """Difference of Gaussians: the rise of a picture over its surroundings."""
    picture = np.asarray(image, np.float64)
    difference: Floats = gaussian_filter(picture, INNER_SIGMA) - gaussian_filter(
        picture, OUTER_SIGMA
    )
    return difference
