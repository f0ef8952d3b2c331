"""What an alignment did, on one sheet: the path, the frames, the averages, what they resolve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.alignment.align import Alignment
from stemzoo.alignment.frames import Frames
from stemzoo.plotting.panels import FAINT, framed, limits_of, rings_panel
from stemzoo.plotting.pictures import INK, Grey, grey, save_panels
from stemzoo.plotting.plots import Plot

LEAST_FRAMES = 4  # two in either half

Floats = NDArray[np.float64]


def save_alignment(path: Path, stack: Any, found: Alignment) -> None:
    """A PNG of the alignment `found` of `stack`."""
    naive, even, odd, first = _averages(Frames(stack), found)
    inside = found.coverage >= max(1, found.coverage.max() // 2)
    limits = limits_of(found.average[inside])
    panels = [
        ("first frame", framed(grey(first))),
        ("average as recorded", framed(grey(naive, limits))),
        (_averaged(found), framed(grey(found.average, limits))),
    ]
    shape = panels[0][1].shape
    panels.append((_drifted(found), path_panel(found, found.shifts, shape)))
    panels.append((_unsteady(found), path_panel(found, _less_steady(found.shifts), shape)))
    if even is not None and odd is not None:
        panels.append(rings_panel("even and odd frames", even, odd, shape))
    save_panels(path, panels, columns=3)


def path_panel(found: Alignment, shifts: Floats, shape: tuple[int, ...]) -> Grey:
    """Shifts against the number of the frame, with the standard deviations that were found."""
    plot = Plot(shape, "frame", "px")
    number = np.arange(len(shifts), dtype=float)
    placed = np.isfinite(shifts[:, 0])
    plot.limits(number, np.concatenate([shifts + found.sigma, shifts - found.sigma]))
    for axis, (name, level) in enumerate((("dy", INK), ("dx", FAINT))):
        shift, sigma = shifts[placed, axis], found.sigma[placed, axis]
        plot.bars(number[placed], shift, sigma, level)
        plot.line(number[placed], shift, level, name)
    doubtful = found.ambiguous & placed
    plot.rings(number[doubtful], shifts[doubtful])
    return plot.grey()


def _averages(frames: Frames, found: Alignment) -> tuple[Floats, Floats | None, Floats | None, Any]:
    """The mean as recorded, the aligned means of even and of odd frames, and the first frame.

    The halves share no frame, hence no counting noise. They share the path, which was found from
    all of them and so fits some of their noise: two numbers a frame, against as many as there are
    pixels, which is too little to make noise agree. A pattern fixed to the detector is in both
    halves, but the path smears it as soon as the drift is longer than the pattern.
    """
    shape = frames.shape[1:]
    naive, seen = np.zeros(shape), np.zeros(shape)
    halves, covers = np.zeros((2, *shape)), np.zeros((2, *shape))
    turn = 0
    for index in range(len(frames)):
        frame = frames[index]
        naive += frame.pixels if frame.valid is None else np.where(frame.valid, frame.pixels, 0)
        seen += 1 if frame.valid is None else frame.valid
        if not found.rejected[index]:
            image, covered = found.images.straight(index)
            halves[turn % 2] += image
            covers[turn % 2] += covered
            turn += 1
    with np.errstate(invalid="ignore"):
        naive, halves = naive / seen, halves / covers
    first = frames[0]
    shown = first.pixels if first.valid is None else np.where(first.valid, first.pixels, np.nan)
    return (
        (naive, halves[0], halves[1], shown) if turn >= LEAST_FRAMES else (naive, None, None, shown)
    )


def _drifted(found: Alignment) -> str:
    placed = found.shifts[~found.rejected]
    lost = [f"{found.rejected.sum()} rejected"] * bool(found.rejected.any())
    doubt = [f"{found.ambiguous.sum()} ringed: ambiguous"] * bool(found.ambiguous.any())
    span = float(np.hypot(*np.ptp(placed, axis=0)))
    return ", ".join([f"drift over {span:.1f} px", *lost, *doubt])


def _unsteady(found: Alignment) -> str:
    return f"less a steady drift; sigma up to {np.nanmax(found.sigma):.2f} px"


def _less_steady(shifts: Floats) -> Floats:
    """What is left of a straight line: small enough to see the errors beside it."""
    at = np.flatnonzero(np.isfinite(shifts[:, 0]))
    line = np.stack([np.ones(len(shifts)), np.arange(len(shifts))], axis=1)
    fit, *_ = np.linalg.lstsq(line[at], shifts[at], rcond=None)
    left: Floats = shifts - line @ fit
    return left


def _averaged(found: Alignment) -> str:
    return f"average of {(~found.rejected).sum()} frames, aligned"
