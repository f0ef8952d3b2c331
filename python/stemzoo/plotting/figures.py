"""Figures for notebooks, drawn by matplotlib: `pip install 'stemzoo[plot]'`.

Every function draws into the axes given, or into new ones, and returns them.

>>> from stemzoo import plot
>>> plot.drift_path(stemzoo.align(stack))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo.plotting.panels import limits_of
from stemzoo.plotting.ring_correlation import THRESHOLD, resolved_frequency, ring_correlation

if TYPE_CHECKING:
    from stemzoo.alignment.align import Alignment
    from stemzoo.scan.merge import ScanMerge
    from stemzoo.scan.restoration import Restoration

__all__ = ["before_after", "drift_path", "residual", "ring_correlations"]

SPREAD = 3.0  # standard deviations of a residual that are black or white
INTERVAL = 2.0  # standard deviations of a path that are shaded on either side
AXES = ("dy", "dx")

Floats = NDArray[np.float64]


def drift_path(found: Alignment | Restoration | ScanMerge, ax: Any = None) -> Any:
    """Shifts of the frames of an `Alignment`, or displacements of the rows of a `Restoration` or a
    `ScanMerge`, px along y and x, with a band of two standard deviations.

    Frames that are ambiguous are ringed; frames that were rejected leave a gap.
    """
    from stemzoo.alignment.align import Alignment
    from stemzoo.scan.merge import ScanMerge
    from stemzoo.scan.restoration import Restoration

    if not isinstance(found, Alignment | Restoration | ScanMerge):
        raise TypeError(
            f"found is a {type(found).__name__}; expected what align, restore(details=True) or "
            "merge_scans returned"
        )
    axes = ax or _new_axes(1)[0]
    if isinstance(found, ScanMerge):
        for number, (path, sigma) in enumerate(zip(found.paths, found.sigma, strict=True), 1):
            _path(axes, path, sigma, f", scan {number}")
    elif isinstance(found, Restoration):
        _path(axes, found.rows, found.sigma)
    else:
        _path(axes, found.shifts, found.sigma)
        doubtful = np.flatnonzero(found.ambiguous & ~found.rejected)
        for axis in range(2):
            axes.plot(doubtful, found.shifts[doubtful, axis], "o", mfc="none", mec="black", ms=9)
    across = "frame" if isinstance(found, Alignment) else "row"
    axes.set(xlabel=across, ylabel="px")
    axes.legend()
    return axes


def before_after(before: ArrayLike, after: Any, ax: Sequence[Any] | None = None) -> Any:
    """A picture and what was made of it, side by side.

    `after` is an image, or a result that holds one: `Alignment`, `Restoration`, `ScanMerge`. Each
    picture spans its own greys: noise would hide the contrast of the clean one. `ax` are two axes.
    """
    axes = _new_axes(2) if ax is None else ax
    images = {"before": np.asarray(before), "after": _image(after)}
    for each, (name, image) in zip(axes, images.items(), strict=True):
        _picture(each, image, *limits_of(image[np.isfinite(image)]))
        each.set_title(name)
    return axes


def residual(before: ArrayLike, after: Any, ax: Any = None) -> Any:
    """A picture less what was made of it: of a sound result, noise and nothing else.

    Not for a result whose rows or frames were moved: its pixels lie elsewhere.
    """
    axes = ax or _new_axes(1)[0]
    image, result = np.asarray(before, np.float64), _image(after)
    if image.shape != result.shape:
        raise ValueError(
            f"before has shape {image.shape} and after {result.shape}; expected equal shapes"
        )
    left = image - result
    spread = SPREAD * float(np.nanstd(left)) or 1.0
    shown = _picture(axes, left, -spread, spread)
    axes.figure.colorbar(shown, ax=axes, shrink=0.8)
    axes.set_title("residual")
    return axes


def ring_correlations(one: ArrayLike, other: ArrayLike, ax: Any = None) -> Any:
    """Fourier ring correlation of two pictures of one specimen, with the threshold of 1/7.

    The pictures must share no noise: two scans, or the averages of even and of odd frames.
    """
    axes = ax or _new_axes(1)[0]
    images = [np.asarray(image, np.float64) for image in (one, other)]
    if images[0].shape != images[1].shape or images[0].ndim != 2:
        raise ValueError(
            f"the pictures have shapes {images[0].shape} and {images[1].shape}; expected two "
            "images of one shape"
        )
    frequencies, agreement = ring_correlation(*images)
    last = resolved_frequency(frequencies, agreement, min(images[0].shape))
    axes.plot(frequencies, agreement)
    axes.axhline(THRESHOLD, color="grey", linestyle="--", label="1/7")
    if last:
        axes.axvline(last, color="grey", label=f"{1 / last:.1f} px")
    axes.set(xlabel="spatial frequency (1/px)", ylabel="FRC", xlim=(0, 0.5), ylim=(-0.2, 1.05))
    axes.legend()
    return axes


def _path(axes: Any, path: Floats, sigma: Floats, name: str = "") -> None:
    number = np.arange(len(path))
    for axis, label in enumerate(AXES):
        (line,) = axes.plot(number, path[:, axis], ".-", label=label + name)
        around = INTERVAL * sigma[:, axis]
        axes.fill_between(
            number,
            path[:, axis] - around,
            path[:, axis] + around,
            color=line.get_color(),
            alpha=0.25,
            linewidth=0,
        )


def _picture(axes: Any, image: NDArray[Any], low: float, high: float) -> Any:
    axes.set_axis_off()
    return axes.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="nearest")


def _image(result: Any) -> NDArray[Any]:
    """The picture that a result holds."""
    for name in ("image", "average"):
        if hasattr(result, name):
            return np.asarray(getattr(result, name))
    return np.asarray(result)


def _new_axes(count: int) -> Any:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError("stemzoo.plot needs matplotlib: pip install 'stemzoo[plot]'") from None
    _, axes = pyplot.subplots(
        1, count, figsize=(4.5 * count, 4), squeeze=False, layout="constrained"
    )
    return axes[0]
