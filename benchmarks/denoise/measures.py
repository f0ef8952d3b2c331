"""How near a picture is to its truth, away from the frame's edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from benchmarks.denoise.cases import Case
from stemzoo.phantoms import psnr

BORDER = 8  # px on every side that nobody is judged by

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """Of one picture; what a blank field has none of is NaN."""

    psnr: float  # dB, of the truth's maximum
    ssim: float
    slope: float  # of intensities over the true ones: 1 where contrast is preserved
    noise: float  # standard deviation over that of the noisy picture


def judged(image: NDArray[np.floating], case: Case) -> Score:
    result, truth, noisy = (interior(array) for array in (image, case.truth, case.noisy))
    noise = float(result.std() / noisy.std())
    if np.ptp(truth) < 1e-6 * truth.max():
        return Score(psnr(result, truth), np.nan, np.nan, noise)
    slope = float(np.polyfit(truth.ravel(), result.ravel(), 1)[0])
    return Score(psnr(result, truth), ssim(result, truth), slope, noise)


def fidelity(image: NDArray[np.floating], truth: Floats) -> float:
    """PSNR of the interior, dB."""
    return psnr(interior(image), interior(truth))


def ssim(image: Floats, truth: Floats) -> float:
    """Structural similarity (Wang et al. 2004) over the range from nothing to the truth's peak."""
    value = structural_similarity(image, truth, data_range=float(truth.max()))  # type: ignore[no-untyped-call]
    return float(value)


def interior(image: NDArray[np.floating]) -> Floats:
    return np.asarray(image, np.float64)[BORDER:-BORDER, BORDER:-BORDER]
