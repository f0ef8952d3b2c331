"""Detected atom columns against the true ones: precision, recall, position error and its bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from scipy.spatial import cKDTree

from training.evaluation.column_finder import find_columns

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MATCH_RADIUS = 0.35  # of the spacing: largest distance from a found column to its true one
# Fractions of spacing and width for the finder, less than one so that weak columns beside bright
# ones are found. A Gaussian with a standard deviation below one pixel would be undersampled.
FINDER_SPACING, FINDER_SIGMA, LEAST_FINDER_SIGMA = 0.8, 0.6, 1.0
LEAST_HEIGHT = 0.08  # of a strong column's height: lower maxima are background
WEAK_WEIGHT = 0.3  # of the strongest column's weight
# Central differences exact to sixth order, as columns 5 px apart require.
DERIVATIVE = np.array([-1, 9, -45, 0, 45, -9, 1]) / 60


@dataclass(frozen=True)
class ColumnScore:
    """Scores of the detection of columns; NaN if undefined."""

    precision: float
    recall: float
    weak_recall: float  # of the columns weaker than WEAK_WEIGHT
    error: float  # px, rms distance between matched columns
    excess: float  # median position error over that at the Cramer-Rao bound

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total > 0 else 0.0


def detected(image: NDArray[np.floating], spacing: float) -> Floats:
    """The columns of a picture as rows of (y, x, height).

    `spacing` is the distance between nearest columns in px. Columns are local maxima, refined by
    Gaussian fits whose width follows that of the picture's mean column. Columns lower than
    LEAST_HEIGHT times the 90th percentile of all heights, or within 0.4 spacings of the edge, are
    left out.
    """
    picture = np.asarray(image, np.float64)
    if not np.ptp(picture) > 0:
        return np.empty((0, 3))
    sigma = max(LEAST_FINDER_SIGMA, FINDER_SIGMA * width(picture, spacing))
    found = find_columns(picture, FINDER_SPACING * spacing, sigma)
    if len(found) == 0:
        return found
    found = found[found[:, 2] > LEAST_HEIGHT * np.quantile(found[:, 2], 0.9)]
    # The fits of several maxima on a plateau converge to the same position.
    found = found[np.argsort(-found[:, 2], kind="stable")]
    twins = cKDTree(found[:, :2]).query_pairs(spacing / 4, output_type="ndarray")
    return np.delete(found, np.unique(twins[:, 1]), axis=0)


def width(image: Floats, spacing: float) -> float:
    """Standard deviation in px of the Gaussian that fits the mean of the picture's columns best."""
    reach = round(spacing / 2)
    rough = find_columns(image, spacing, 0.2 * spacing)
    if len(rough) == 0:
        return 0.2 * spacing
    strong = rough[rough[:, 2] >= np.median(rough[:, 2])]
    side = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    offsets = offsets[(offsets**2).sum(axis=1) <= reach**2]
    middle = np.round(strong[:, :2]).astype(np.int64)
    inside = np.all((middle >= reach) & (middle < np.array(image.shape) - reach), axis=1)
    middle, strong = middle[inside], strong[inside]
    if len(middle) == 0:
        return 0.2 * spacing
    place = middle[:, None] + offsets
    squares = ((place - strong[:, None, :2]) ** 2).sum(axis=-1).ravel()
    values = (image[place[..., 0], place[..., 1]] / strong[:, 2:]).ravel()
    candidates = spacing * np.linspace(0.1, 0.45, 36)
    return float(min(candidates, key=lambda sigma: _misfit(squares, values, float(sigma))))


def _misfit(squares: Floats, values: Floats, sigma: float) -> float:
    """Residual sum of squares after fitting a Gaussian of width `sigma` on a constant."""
    shape = np.exp(-squares / (2 * sigma**2))
    shape -= shape.mean()
    left = values - values.mean()
    return float(left @ left - (left @ shape) ** 2 / max(float(shape @ shape), 1e-300))


def matched(
    found: NDArray[np.floating], true: NDArray[np.floating], radius: float
) -> tuple[Integers, Integers]:
    """Indices of the pairs that are mutual nearest neighbours at most `radius` px apart."""
    if len(found) == 0 or len(true) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    distance, nearest = cKDTree(true[:, :2]).query(found[:, :2])
    _, back = cKDTree(found[:, :2]).query(true[:, :2])
    mutual = (back[nearest] == np.arange(len(found))) & (distance <= radius)
    return np.flatnonzero(mutual), nearest[mutual]


def score(
    found: NDArray[np.floating],
    true: NDArray[np.floating],
    spacing: float,
    shape: tuple[int, int],
    margin: float,
    bounds: NDArray[np.floating] | None = None,
) -> ColumnScore:
    """`found` against `true`, rows of (y, x, height or weight) in px of a picture of `shape`.

    `bounds` are the position bounds of the true columns; without them the excess is NaN.

    Columns nearer than `margin` px to the edge are matched but not counted, so that no pair is lost
    at the border of the counted area. Some columns are not maxima of the noise-free picture, so the
    score of that picture is the best possible.
    """
    ours, theirs = matched(found, true, MATCH_RADIUS * spacing)
    counted_found, counted_true = _inside(found, shape, margin), _inside(true, shape, margin)
    hit_found, hit_true = np.zeros(len(found), bool), np.zeros(len(true), bool)
    hit_found[ours], hit_true[theirs] = True, True
    weak = counted_true & (true[:, 2] < WEAK_WEIGHT * true[:, 2].max(initial=0))
    pairs = counted_true[theirs]
    away = np.hypot(*(found[ours, :2] - true[theirs, :2])[pairs].T)
    return ColumnScore(
        precision=_mean(hit_found[counted_found]),
        recall=_mean(hit_true[counted_true]),
        weak_recall=_mean(hit_true[weak]),
        error=_mean(away**2) ** 0.5,
        excess=_excess(away, bounds[theirs][pairs]) if bounds is not None else float("nan"),
    )


def _excess(away: Floats, bounds: NDArray[np.floating]) -> float:
    """Median position error over the bound; the median is robust against a few wrong matches.

    The length of 2-D Gaussian errors has a median of sqrt(ln 2) times its root mean square.
    """
    known = np.isfinite(bounds)
    return (
        float(np.median(away[known] / bounds[known]) / np.log(2) ** 0.5) if known.any() else np.nan
    )


def _inside(
    columns: NDArray[np.floating], shape: tuple[int, int], margin: float
) -> NDArray[np.bool_]:
    place = columns[:, :2]
    inside: NDArray[np.bool_] = np.all(
        (place >= margin) & (place <= np.array(shape) - 1 - margin), axis=1
    )
    return inside


def _mean(values: NDArray[np.generic]) -> float:
    # NumPy's mean of nothing is NaN too, but warns.
    return float(values.astype(np.float64).mean()) if len(values) else float("nan")


def position_bounds(
    counts: NDArray[np.floating], columns: NDArray[np.floating], spacing: float
) -> Floats:
    """The Cramer-Rao bound of each column's rms position error in px, for Poisson counts.

    `counts` is the expected noise-free picture in electrons per pixel. A column's Fisher matrix is
    the sum of w^2 (grad I)(grad I)^T / I, where w is the column's share of each pixel: Gaussians
    about all columns, normalised to a sum of one. The bound holds for each column by itself;
    methods that use the lattice, or are biased, may be below it. It is infinite where the picture
    is flat.
    """
    picture = np.asarray(counts, np.float64)
    gradient = np.stack([correlate1d(picture, DERIVATIVE, axis=axis) for axis in (0, 1)])
    # Pixels without expected electrons carry no information.
    weight = np.divide(1, picture, out=np.zeros_like(picture), where=picture > 0)
    windows = [_window(place, picture.shape, spacing) for place in np.asarray(columns, float)]
    total = np.full(picture.shape, 1e-300)
    for area, share in windows:
        total[area] += share
    bounds = np.full(len(windows), np.inf)
    for index, (area, share) in enumerate(windows):
        slopes = gradient[:, area[0], area[1]] * (share / total[area])
        fisher = np.einsum("iyx,jyx,yx->ij", slopes, slopes, weight[area])
        determinant = fisher[0, 0] * fisher[1, 1] - fisher[0, 1] ** 2
        if determinant > 1e-12 * fisher.trace() ** 2:
            # The trace of the inverse of a 2 x 2 matrix.
            bounds[index] = (fisher.trace() / determinant) ** 0.5
    return bounds


def _window(
    place: Floats, shape: tuple[int, ...], spacing: float
) -> tuple[tuple[slice, slice], Floats]:
    """The area within a spacing of a column, and a Gaussian of sigma = spacing / 4 in it."""
    corners = [
        (max(0, int(middle - spacing)), min(side, int(np.ceil(middle + spacing)) + 1))
        for middle, side in zip(place[:2], shape, strict=True)
    ]
    rows, columns = (
        np.exp(-((np.arange(*corner) - middle) ** 2) * 8 / spacing**2)
        for corner, middle in zip(corners, place[:2], strict=True)
    )
    return (slice(*corners[0]), slice(*corners[1])), np.outer(rows, columns)
