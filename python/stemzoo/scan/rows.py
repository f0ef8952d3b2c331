"""Row jitter of a scan: where the beam was while each row was recorded, and the image without it.

A row is placed by the likelihood of its counts given a pilot, a clean estimate of the specimen. The
core does so, and makes the next image to be cleaned of every straightened one (`csrc/scan`); here
are the arguments.
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
from stemzoo.registration.correction.rows import oriented, straighten, turned, typical

REACH = _core.RESTORING_REACH  # px across and along rows
SLOW = 25.0  # rows

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
        are left to the specimen, whose own distortion looks alike: all of them where rows hardly
        jitter, and about a quarter where they jitter by 2 px. 0 leaves nothing.
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
    found = _core.find_rows(pixels, model, _whole(reach), _slowness(slow), workers)
    return _as_rows(found, fast_axis)


def straightened(
    image: ArrayLike,
    pilot_of: Callable[[Image], NDArray[Any]],
    *,
    passes: int = _core.RESTORING_PASSES,
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
    across them are found where there are none. Rows stay where they are unless the first pass shows
    that they have moved: later pilots agree with whatever displaced the rows before. The image that
    comes back still has its noise.

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
    axes: tuple[Axis, ...] = ("x", "y") if fast_axis is None else (fast_axis,)
    scans = {
        axis: _core.Straightening(
            recorded if axis == "x" else recorded.T,
            passes=passes,
            reach=_whole(reach),
            slow=_slowness(slow),
            threads=workers,
        )
        for axis in axes
    }
    lines = scans[axes[0]].next()
    assert lines is not None
    pilot = _pilot(pilot_of, turned(lines, axes[0]))
    for either, scan in scans.items():
        scan.take(turned(pilot, either))
    axis = max(axes, key=lambda a: scans[a].found[2][1])
    scan = scans[axis]
    while (lines := scan.next()) is not None:
        scan.take(turned(_pilot(pilot_of, turned(lines, axis)), axis))
    return turned(scan.result(), axis), _as_rows(scan.found, axis)


def _pilot(pilot_of: Callable[[Image], NDArray[Any]], image: Image) -> NDArray[Any]:
    """The pilot of an image, checked."""
    pilot = native_image(pilot_of(image), "pilot")
    if pilot.shape != image.shape:
        raise ValueError(f"pilot_of made shape {pilot.shape} of {image.shape}; expected the same")
    return pilot


def _whole(reach: tuple[int, int]) -> tuple[int, int]:
    try:
        across, along = (operator.index(pixels) for pixels in reach)
    except (TypeError, ValueError):
        raise ValueError(f"reach is {reach!r:.80}; expected (y, x), in whole pixels") from None
    return across, along


def _slowness(slow: float) -> float:
    try:
        return float(slow)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"slow is {slow!r:.80}; expected a number of rows, 0 or more") from None


def _as_rows(found: tuple[Floats, Floats, tuple[float, float]], axis: Axis) -> Rows:
    """Displacements across and along lines as (dy, dx)."""
    order = slice(None) if axis == "x" else slice(None, None, -1)
    displacements, sigma, evidence = found
    return Rows(displacements[:, order].copy(), sigma[:, order].copy(), evidence, axis)
