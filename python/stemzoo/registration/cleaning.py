"""A frame made fit for correlation: what is no image in it is taken out.

Masked pixels, borders of NaN, dead lines and hot pixels stand still on the detector while the
specimen drifts. Left in, each of them speaks for a drift of zero.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import native_image

Mask = NDArray[np.bool_]
Pixels = NDArray[np.float32]

ROUNDS = 3  # of looking for hot pixels: beside a very hot pixel no other is seen
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
    pixels = _about_zero(given, lost)
    seen = None if lost is None else ~lost
    survey = _core.Survey(pixels)
    dead = _dead_lines(survey)
    if dead is not None:
        lost = dead if lost is None else lost | dead
    if lost is not None:
        _fill(pixels, lost)
        survey = _core.Survey(pixels)
    for _ in range(ROUNDS):
        if not _core.cool(pixels, survey):
            break
        _fill(pixels, lost)  # what was hot was in the mean
        survey = _core.Survey(pixels)
    _take_out_stripes(pixels, survey)
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


def _about_zero(given: NDArray[Any], lost: Mask | None) -> Pixels:
    """Without its mean, and scaled where float32 could not square it: no unit matters to a drift.

    The mean goes as exactly as the pixels are given: float32 would lose what is carried by an
    offset of 1e9 in a 32-bit counter.
    """
    exact = np.result_type(given, np.float32)
    mean = (given if lost is None else given[~lost]).mean(dtype=np.float64).astype(exact)
    pixels = _core.zeros(*given.shape)
    apart = pixels if exact == np.float32 else np.empty(given.shape, exact)
    np.subtract(given, mean, out=apart, dtype=exact)
    if lost is not None:
        apart[lost] = 0
    largest = max(float(apart.max()), -float(apart.min()))
    if largest and not LEAST < largest < 1 / LEAST:
        apart /= largest
    if apart is not pixels:
        pixels[:] = apart
    return pixels


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


def _dead_lines(survey: _core.Survey) -> Mask | None:
    """Rows and columns of one value, in an image that is not of one value throughout."""
    rows, columns = survey.same_rows, survey.same_columns
    if not (rows.any() or columns.any()) or rows.all() or columns.all():
        return None
    dead: Mask = rows[:, None] | columns
    return dead


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


def _take_out_stripes(pixels: Pixels, survey: _core.Survey) -> None:
    """Patterns that are the same all along one axis: bad columns, the gain of rows.

    A crystal's rows give a profile a few sharp frequencies; stripes give it all of them."""
    for axis, profile in enumerate((survey.column_means, survey.row_means)):
        power = np.abs(np.fft.rfft(profile * _window(len(profile)))) ** 2
        expected = 0.375 * len(profile) * survey.noise / pixels.shape[axis]
        if np.median(power) > STRIPED * expected > 0:
            pixels -= np.expand_dims(profile, axis)


@functools.lru_cache(maxsize=8)
def _window(side: int) -> NDArray[np.float64]:
    return np.hanning(side + 2)[1:-1]
