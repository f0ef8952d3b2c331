"""Scores of a picture against its truth, without the border of the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from stemzoo.cli.demo.phantoms import psnr
from training.evaluation import columns
from training.evaluation.cases import Case
from training.evaluation.colours import white
from training.evaluation.invented import invented
from training.evaluation.rows import row_bound, row_shifts
from training.evaluation.seams import bragg_power

BORDER = 8  # px on every side that do not count
SCORING = 1  # another number whenever the same picture gets another score

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """Scores of one picture; NaN where undefined, such as SSIM of a blank field."""

    psnr: float  # dB, of the truth's maximum
    ssim: float = np.nan
    slope: float = np.nan  # of intensities over the true ones: 1 where contrast is preserved
    noise: float = np.nan  # standard deviation over that of the noisy picture
    invented: float = np.nan  # columns per megapixel
    f1: float = np.nan  # of columns found, the harmonic mean of precision and recall
    weak: float = np.nan  # recall of faint columns
    error: float = np.nan  # px, rms of columns' positions
    excess: float = np.nan  # of columns' positions over the Cramer-Rao bound
    bragg: float = np.nan  # power of the residual at Bragg peaks over that around them
    rows: float = np.nan  # px, rms of the remaining row displacements
    rows_excess: float = np.nan  # over the Cramer-Rao bound of a row by itself


def judged(image: NDArray[np.floating], case: Case) -> Score:
    result, truth, noisy = (interior(array) for array in (image, case.truth, case.noisy))
    fidelity = psnr(result, truth)
    flat = np.ptp(truth) < 1e-6 * truth.max()
    shape = {} if flat else {"ssim": ssim(result, truth), "slope": slope(result, truth)}
    if case.spacing is None:
        noise = float((noisy - truth).std())
        left = float(result.std() / noisy.std()) if flat else np.nan
        return Score(fidelity, noise=left, invented=invented(result, truth, noise), **shape)
    found = on_columns(image, case)
    rows = float(np.nanstd(row_shifts(result, truth))) if case.jittered else np.nan
    return Score(
        fidelity,
        f1=found.f1,
        weak=found.weak_recall,
        error=found.error,
        excess=found.excess,
        bragg=bragg_power(noisy - result, truth),
        rows=rows,
        rows_excess=rows / row_bound(truth),
        **shape,
    )


def on_columns(image: NDArray[np.floating], case: Case) -> columns.ColumnScore:
    """Detection of columns, against those detected in the noise-free picture.

    The bound is given for white Poisson noise without row displacements only.
    """
    assert case.spacing is not None
    true = columns.detected(case.truth, case.spacing)
    bounds = None
    if case.colour == white and not case.jittered:
        bounds = columns.position_bounds(case.truth, true[:, :2], case.spacing)
    found = columns.detected(image, case.spacing)
    rows, across = case.truth.shape
    return columns.score(found, true, case.spacing, (rows, across), case.spacing, bounds)


def slope(image: NDArray[np.floating], truth: Floats) -> float:
    """Slope of a picture's intensities over the true ones: 1 if contrast is preserved."""
    return float(np.polyfit(truth.ravel(), np.asarray(image, np.float64).ravel(), 1)[0])


def fidelity(image: NDArray[np.floating], truth: Floats) -> float:
    """PSNR of the interior, dB."""
    return psnr(interior(image), interior(truth))


def ssim(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    """Structural similarity (Wang et al. 2004), over the range from zero to the truth's maximum."""
    pair = (np.asarray(array, np.float64) for array in (image, truth))
    value = structural_similarity(*pair, data_range=float(truth.max()))  # type: ignore[no-untyped-call]
    return float(value)


def interior(image: NDArray[np.floating]) -> Floats:
    return np.asarray(image, np.float64)[BORDER:-BORDER, BORDER:-BORDER]
