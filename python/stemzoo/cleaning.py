"""A frame made fit for correlation: what is no image in it is taken out.

Masked pixels, borders of NaN, dead lines and hot pixels stand still on the detector while the
specimen drifts. Left in, each of them speaks for a drift of zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo._arrays import native_image

Mask = NDArray[np.bool_]
Pixels = NDArray[np.float32]

FEW = 8  # pixels of a line that are looked at before all of them are
OUTLYING = 6.0  # standard deviations from the mean beyond which a pixel is looked at
HOT = 6.0  # of the shot noise that a pixel stands above the highest of its neighbours
ROUNDS = 3  # of looking for them: beside a very hot pixel no other is seen
BESIDE = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]
STRIPED = 9.0  # times the power that noise gives a profile's frequencies, at their median
LEAST = 1e-12  # the largest value of a frame that float32 can square and sum as it is


@dataclass(frozen=True)
class Clean:
    """`pixels` without what is no image, and which of them are real (None: all).

    `valid` leaves out dead lines too; what takes the place of those is near the truth, so features
    may read it: `seen` is without whole areas only.
    """

    pixels: Pixels
    valid: Mask | None
    seen: Mask | None


def cleaned(image: ArrayLike, name: str) -> Clean:
    """The frame as correlation reads it; refused, by `name`, where it cannot be used."""
    given, lost = checked(image, name)
    # The mean goes first, as exactly as the pixels are given: float32 would lose what is carried by
    # an offset of 1e9 in a 32-bit counter.
    exact = np.result_type(given, np.float32)
    mean = (given if lost is None else given[~lost]).mean(dtype=np.float64).astype(exact)
    apart = np.subtract(given, mean, dtype=exact)
    if lost is not None:
        apart[lost] = 0
    pixels = _within_range(apart).astype(np.float32)
    seen = None if lost is None else ~lost
    dead = _dead_lines(pixels)
    if dead is not None:
        lost = dead if lost is None else lost | dead
    _fill(pixels, lost)
    for _ in range(ROUNDS):
        if not _cool(pixels):
            break
        _fill(pixels, lost)  # what was hot was in the mean
    _take_out_stripes(pixels)
    return Clean(pixels, None if lost is None else ~lost, seen)


def checked(image: ArrayLike, name: str) -> tuple[NDArray[Any], Mask | None]:
    """Native pixels, and which are masked or belong to a border of NaN."""
    mask: Any = np.ma.getmaskarray(image) if np.ma.isMaskedArray(image) else None
    pixels = native_image(np.ma.getdata(image), name)
    if min(pixels.shape) < 2:
        raise ValueError(
            f"{name} has shape {pixels.shape}, which shows no drift along both axes; expected at "
            "least 2 x 2 pixels"
        )
    if mask is not None and mask.all():
        raise ValueError(f"every pixel of {name} is masked, so there is nothing to correlate")
    if pixels.dtype.kind == "f" and not _adds_up(pixels):
        mask = _with_border(pixels, mask, name)
    return pixels, mask if mask is not None and mask.any() else None


def _adds_up(pixels: NDArray[Any]) -> bool:
    """Whether no pixel is NaN or infinite; false, too, where all of them together are."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(pixels.sum(dtype=np.float64)))


def _within_range(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled where float32 could not square them: no unit matters to a drift."""
    largest = float(np.abs(pixels).max())
    return pixels if LEAST < largest < 1 / LEAST or largest == 0 else pixels / largest


def _with_border(pixels: NDArray[Any], mask: Mask | None, name: str) -> Mask | None:
    """The mask, and the NaN that a row or column has from an edge on, as aligned images have."""
    missing = np.isnan(pixels)
    known = missing if mask is None else missing | mask
    border = np.zeros_like(known)
    for axis in (0, 1):
        border |= np.logical_and.accumulate(known, axis)
        flipped = np.logical_and.accumulate(np.flip(known, axis), axis)
        border |= np.flip(flipped, axis)
    border &= known
    lost: Mask = border if mask is None else np.logical_or(border, mask)
    if lost.all():
        raise ValueError(f"every pixel of {name} is NaN or masked; there is nothing to correlate")
    if not np.isfinite(pixels[~lost]).all():
        raise ValueError(
            f"{name} holds NaN or infinity; replace those pixels, or mask them: "
            f"numpy.ma.masked_invalid({name})"
        )
    return lost


def _dead_lines(pixels: Pixels) -> Mask | None:
    """Rows and columns of one value, in an image that is not of one value throughout."""
    rows, columns = _of_one_value(pixels), _of_one_value(pixels.T)
    if not (rows.any() or columns.any()) or rows.all() or columns.all():
        return None
    dead: Mask = rows[:, None] | columns
    return dead


def _of_one_value(lines: Pixels) -> Mask:
    """Of each line; most are told apart by their first few pixels."""
    same = (lines[:, 1:FEW] == lines[:, :1]).all(1)
    alike = np.flatnonzero(same)
    same[alike] = (lines[alike] == lines[alike, :1]).all(1)
    return np.asarray(same, np.bool_)


def _fill(pixels: Pixels, lost: Mask | None) -> None:
    """Lost pixels take the mean of the others, which is no feature to follow; lone lines that of
    their neighbours, which leaves no line."""
    if lost is None:
        return
    pixels[lost] = 0
    pixels[~lost] -= pixels[~lost].mean(dtype=np.float64)
    for view, missing in ((pixels, lost.all(1)), (pixels.T, lost.all(0))):
        kept = np.flatnonzero(~missing)
        for line in np.flatnonzero(missing):
            after = int(np.searchsorted(kept, line))
            if 0 < after < len(kept):
                view[line] = (view[kept[after - 1]] + view[kept[after]]) / 2


def _cool(pixels: Pixels) -> bool:
    """Hot pixels become the median of their neighbours; whether there were any."""
    # Their mean is zero, but for what rounding has left of it.
    far = OUTLYING * math.sqrt(_mean_square(pixels))
    lines = np.flatnonzero((pixels.max(1) > far) | (pixels.min(1) < -far))
    at, columns = np.nonzero(np.abs(pixels[lines]) > far)
    rows = lines[at]
    if not len(rows) or len(rows) > pixels.size // 50:
        return False
    around = _neighbours(pixels, rows, columns)
    usual = np.median(around, axis=0)
    values = pixels[rows, columns]
    pixels[rows, columns] = usual  # one hot pixel would be most of the noise
    floor = float(pixels.min())
    # Shot noise: the variance is the signal times a gain, which the image itself tells.
    gain = noise_variance(pixels) / max(float(pixels.mean()) - floor, 1e-30)
    above, below = values - around.max(0), around.min(0) - values
    noise = np.sqrt(gain * (np.maximum(around.max(0) - floor, 0) + gain))
    hot = np.maximum(above, below) > HOT * noise
    pixels[rows, columns] = np.where(hot, usual, values)
    return bool(hot.any())


def _neighbours(pixels: Pixels, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Pixels:
    """[8, N]: those of each pixel; beyond an edge, the ones opposite."""
    around = []
    for dy, dx in BESIDE:
        y, x = np.abs(rows + dy), np.abs(columns + dx)
        y = np.where(y < pixels.shape[0], y, rows - 1)
        x = np.where(x < pixels.shape[1], x, columns - 1)
        around.append(pixels[y, x])
    return np.stack(around)


def noise_variance(pixels: Pixels) -> float:
    """Of white noise, by differences of differences: what is smooth over two pixels is not in it.

    Every other pixel along each axis is enough."""
    rows, columns = (2 * (side // 2) for side in pixels.shape)
    down = pixels[:rows:2, :columns] - pixels[1:rows:2, :columns]
    return _mean_square(down[:, ::2] - down[:, 1::2]) / 4


def _mean_square(pixels: Pixels) -> float:
    """In float32 along rows, which are short enough for it."""
    rows = np.einsum("ij,ij->i", pixels, pixels)
    return float(rows.sum(dtype=np.float64) / pixels.size)


def _take_out_stripes(pixels: Pixels) -> None:
    """Patterns that are the same all along one axis: bad columns, the gain of rows.

    A crystal's rows give a profile a few sharp frequencies; stripes give it all of them."""
    noise = noise_variance(pixels)
    for axis in (0, 1):
        profile = pixels.mean(axis)
        power = np.abs(np.fft.rfft(profile * np.hanning(len(profile) + 2)[1:-1])) ** 2
        expected = 0.375 * len(profile) * noise / pixels.shape[axis]
        if np.median(power) > STRIPED * expected > 0:
            pixels -= np.expand_dims(profile, axis)
