"""Finds atom columns in a picture, given their approximate spacing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GAUSS_NEWTON_STEPS = 12  # Gauss-Newton steps; columns settle in four or five


def find_columns(image: NDArray[np.floating], spacing: float, sigma: float) -> Floats:
    """Columns as rows of (y, x, height): maxima of the blurred picture, refined by Gaussian fits.

    `spacing` is roughly the least distance between columns and `sigma` their width, in px. Columns
    too near to the edge for a fit, or whose fit is negative or diverges, are left out.
    """
    picture = np.asarray(image, np.float64)
    reach = round(spacing / 2)
    maxima = _maxima(_blurred(picture, sigma), reach)
    inside = np.all((maxima >= reach) & (maxima < np.array(picture.shape) - reach), axis=1)
    return _fitted(picture, maxima[inside], reach, sigma)


def _blurred(image: Floats, sigma: float) -> Floats:
    """Convolution with a Gaussian, with reflected edges."""
    reach = int(4 * sigma)
    kernel = np.exp(-(np.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    for axis in (0, 1):
        wide = np.pad(image, [(reach, reach) if a == axis else (0, 0) for a in (0, 1)], "reflect")
        image = np.apply_along_axis(np.convolve, axis, wide, kernel, "valid")
    return image


def _disc(radius: int) -> NDArray[np.int64]:
    """The (y, x) offsets within `radius`, as an array (2, n)."""
    side = np.arange(-radius, radius + 1)
    y, x = np.meshgrid(side, side, indexing="ij")
    inside = y**2 + x**2 <= radius**2
    return np.stack([y[inside], x[inside]])


def _maxima(image: Floats, reach: int) -> NDArray[np.int64]:
    """(y, x) of the pixels that are maxima within `reach` px."""
    wide = np.pad(image, reach, constant_values=-np.inf)
    rows, columns = image.shape
    highest = image
    for y, x in (_disc(reach) + reach).T:
        highest = np.maximum(highest, wide[y : y + rows, x : x + columns])
    return np.argwhere(image == highest)


def _fitted(image: Floats, maxima: NDArray[np.int64], reach: int, sigma: float) -> Floats:
    """Gauss-Newton fits of a Gaussian of width `sigma` plus a constant, about each maximum."""
    offsets = _disc(reach)
    rows, columns = maxima.T[:, :, None] + offsets[:, None, :]
    values = image[rows, columns]
    ground = values.min(axis=1)
    height = values.max(axis=1) - ground
    place = np.zeros((len(maxima), 2))
    for _ in range(GAUSS_NEWTON_STEPS):
        away = offsets[None] - place[:, :, None]
        shape = np.exp(-(away**2).sum(axis=1) / (2 * sigma**2))
        slopes = height[:, None, None] * away * shape[:, None] / sigma**2
        jacobian = np.stack([slopes[:, 0], slopes[:, 1], shape, np.ones_like(shape)], axis=2)
        left = values - height[:, None] * shape - ground[:, None]
        normal = np.swapaxes(jacobian, 1, 2) @ jacobian
        # Damping, against singular matrices where noise has flattened a column.
        normal += 1e-6 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(4)
        change = np.linalg.solve(normal, np.swapaxes(jacobian, 1, 2) @ left[:, :, None])[:, :, 0]
        place += np.clip(change[:, :2], -0.5, 0.5)
        height, ground = height + change[:, 2], ground + change[:, 3]
    good = (height > 0) & (np.hypot(*place.T) < reach / 2)
    found: Floats = np.column_stack([maxima + place, height])[good]
    return found
