"""Row jitter of a scan: where the beam was while each row was recorded, and the image without it.

A row is placed by the likelihood of its counts given a pilot, a clean estimate of the specimen. The
core does so (`csrc/scan`); here are the arguments and the loop that makes a better pilot of every
straightened image.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import native_image
from stemzoo.common.settings import thread_count
from stemzoo.registration.correction.recording import Axis
from stemzoo.registration.correction.rows import oriented, restored, straighten, turned, typical

REACH = (0, 5)  # px across and along rows
SLOW = 25.0  # rows
DAMPING = 0.7  # of a change to the next one
SETTLED = 0.01  # px rms: displacements that change less are final

Image = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Where the rows of a scan were recorded; columns, if the fast scan direction is y.

    recorded[y, x] = specimen(y + dy[y], x + dx[y]), with (dy, dx) = displacements[y] in pixels;
    `sigma` is the posterior standard deviation of each. `evidence` is the log-likelihood ratio of
    these displacements against none, across rows and along them.
    """

    displacements: Floats
    sigma: Floats
    evidence: tuple[float, float]
    fast_axis: Axis = "x"

    def apply(self, image: ArrayLike) -> Image:
        """The same correction on another image of this scan."""
        return straighten(image, self.displacements, fast_axis=self.fast_axis)


def find_rows(
    image: ArrayLike,
    pilot: ArrayLike,
    *,
    reach: tuple[int, int] = REACH,
    slow: float = SLOW,
    fast_axis: Axis = "x",
    threads: int | None = None,
) -> Rows:
    """Finds where each row of a scan was recorded.

    Parameters
    ----------
    image : the recorded frame, 2-D. Pixels that are NaN, and rows of a single value, are ignored.
    pilot : a clean estimate of it, of the same shape and in the same units.
    reach : largest displacement across rows and along them, in whole pixels. A first number of 0
        leaves displacements across rows out. They need a pilot that is nearly free of jitter, and
        are ambiguous for rows about which the specimen is symmetric.
    slow : displacements that vary more slowly than a Gaussian of this standard deviation, in rows,
        are left to the specimen, whose own distortion looks alike. 0 leaves nothing.
    fast_axis : "x" if the beam moves along rows of the array, "y" if along its columns.
    threads : how many CPU threads, by default all cores.

    Raises ValueError for what is no real 2-D image, for unequal shapes, for a pilot with NaN, and
    for an image too small for the reach.
    """
    workers = thread_count(threads)
    recorded, clean = native_image(image, "image"), native_image(pilot, "pilot")
    if recorded.shape != clean.shape:
        raise ValueError(
            f"image has shape {recorded.shape} and pilot {clean.shape}; expected equal shapes"
        )
    offset = typical(clean)
    pixels, model = oriented(recorded, offset, fast_axis), oriented(clean, offset, fast_axis)
    found = _core.find_rows(pixels, model, _whole(reach), float(slow), workers)
    return _as_rows(found, fast_axis)


def straightened(
    image: ArrayLike,
    pilot_of: Callable[[Image], NDArray[Any]],
    *,
    passes: int = 4,
    fast_axis: Axis | None = None,
    reach: tuple[int, int] = REACH,
    slow: float = SLOW,
    threads: int | None = None,
) -> tuple[Image, Rows]:
    """Takes row jitter out of a scan: (image, rows).

    `pilot_of` makes a clean estimate of an image, such as `stemzoo.denoise`. It is called up to
    `passes` times, each time on the recorded frame resampled by the displacements found so far,
    until these change by less than 0.01 px rms. Displacements across rows, if `reach` allows any,
    are only found in the last pass: with a pilot that keeps jitter along rows, displacements
    across them are found where there are none. The image that comes back still has its noise.

    fast_axis : "x", "y", or None: the direction whose displacements have the higher likelihood.
    reach, slow, threads : as for `find_rows`.

    Raises ValueError for what `find_rows` refuses.
    """
    workers = thread_count(threads)
    recorded = native_image(image, "image")
    if passes < 1:
        raise ValueError(f"passes is {passes}; expected 1 or more")
    if fast_axis not in (None, "x", "y"):
        raise ValueError(f"fast_axis is {fast_axis!r}; expected 'x', 'y' or None")
    offset = typical(recorded)
    axes: tuple[Axis, ...] = ("x", "y") if fast_axis is None else (fast_axis,)
    pilot = _pilot(pilot_of, _filled(oriented(recorded, offset, "x")), offset)
    along = (0, _whole(reach)[1])
    first = {}
    for axis in axes:
        pixels, model = oriented(recorded, offset, axis), turned(pilot, axis)
        first[axis] = _core.find_rows(pixels, model, along, float(slow), workers)
    axis = max(axes, key=lambda a: first[a][2][1])
    found, pixels = first[axis], oriented(recorded, offset, axis)
    total, power, settled = found[0], None, False
    both = reach[0] > 0 and passes > 1
    for left in range(passes - 1, 0, -1):
        image_now = turned(_filled(_core.resample_rows(pixels, total, workers)), axis)
        model = turned(_pilot(pilot_of, image_now, offset), axis)
        if both and (left == 1 or settled):
            found = _core.find_rows(pixels, model, _whole(reach), float(slow), workers)
            total = found[0]
            break
        found = _core.find_rows(pixels, model, along, float(slow), workers)
        change, power = _damped(found[0] - total, power)
        total = total + change
        settled = bool(np.sqrt(np.mean(change[:, 1] ** 2)) < SETTLED)
        if settled and not both:
            break
    rows = _as_rows((total, *found[1:]), axis)
    return restored(pixels, total, offset, axis, workers), rows


def _damped(change: Floats, last: Floats | None) -> tuple[Floats, Floats]:
    """The change of a pass, no larger than `DAMPING` times the last at any frequency of rows, and
    its amplitude there.

    The pilot reproduces displacements that are periodic with the lattice, or slow. The counts say
    nothing about these, and without a limit they would drift from pass to pass.
    """
    count = len(change)
    spectrum = np.fft.rfft(np.concatenate([change, change[::-1]]), axis=0)
    padded = np.pad(np.abs(spectrum) ** 2, ((2, 2), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0)
    amplitude: Floats = np.sqrt(windows.mean(-1))
    if last is None:
        return change, amplitude
    factor = np.minimum(1, DAMPING * last / np.maximum(amplitude, 1e-12))
    damped: Floats = np.fft.irfft(spectrum * factor, 2 * count, axis=0)[:count]
    return damped, amplitude * factor


def _pilot(pilot_of: Callable[[Image], NDArray[Any]], image: Image, offset: float) -> Image:
    """The pilot of an image without its offset, checked."""
    given = image if offset == 0 else (image + np.float64(offset)).astype(np.float32)
    pilot = native_image(pilot_of(given), "pilot")
    if pilot.shape != image.shape:
        raise ValueError(f"pilot_of made shape {pilot.shape} of {image.shape}; expected the same")
    return oriented(pilot, offset, "x")


def _filled(image: Image) -> Image:
    """NaN replaced by the pixel before it in the row, or by the median (0) where there is none."""
    known = np.isfinite(image)
    if known.all():
        return image
    columns = np.where(known, np.arange(image.shape[1]), 0)
    before = np.take_along_axis(image, np.maximum.accumulate(columns, axis=1), axis=1)
    return np.nan_to_num(before, nan=0.0, posinf=0.0, neginf=0.0)


def _whole(reach: tuple[int, int]) -> tuple[int, int]:
    across, along = (operator.index(pixels) for pixels in reach)
    return across, along


def _as_rows(found: tuple[Floats, Floats, tuple[float, float]], axis: Axis) -> Rows:
    """Displacements across and along lines as (dy, dx)."""
    order = slice(None) if axis == "x" else slice(None, None, -1)
    displacements, sigma, evidence = found
    return Rows(displacements[:, order].copy(), sigma[:, order].copy(), evidence, axis)
