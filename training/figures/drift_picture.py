"""A pair on which others hop: both frames, and what is left after each answer is taken back.

Where the answer is right, only noise is left. Where it is a lattice vector off, whatever breaks the
lattice is left twice: bright where it was, dark where it was thought to be.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import Grey, grey
from stemzoo.registration.pair import Drift
from stemzoo.registration.shifting import moved, refined
from training.figures.drift_trials import (
    HIT,
    NARROW,
    OURS,
    Trial,
    setups,
    systems_beside,
    trials,
)

CASE, DOSE = "one vacancy", "10"
TRIED = 30  # pairs among which the one is looked for that most others get wrong
BLUR = 2.5  # px: what is left is smoothed, for the eye

Image = NDArray[np.floating]
Shift = tuple[float, float]
Peer = Callable[[Image, Image], Shift]


def panels(model: Model) -> tuple[list[tuple[str, Grey]], int]:
    """The panels, captioned, and how many there are in a row."""
    trial, answers = _telling(model)
    left = {name: _left(trial, answer) for name, answer in answers.items()}
    limit = 4 * float(np.nanstd(left[OURS]))
    dy, dx = trial.drift
    frames = [
        ("the reference", grey(trial.reference)),
        (f"moved by ({dy:.1f}, {dx:.1f}) px", grey(trial.moving)),
    ]
    return frames + [
        (_caption(name, answers[name], trial), grey(np.nan_to_num(image), (-limit, limit)))
        for name, image in left.items()
    ], 4


def peers() -> dict[str, Peer]:
    """Other projects' ways, of those that are installed."""
    found: dict[str, Peer] = {}
    try:
        from skimage.registration import phase_cross_correlation

        found["scikit-image"] = partial(_by_phase, phase_cross_correlation)
    except ImportError:
        pass
    try:
        import cv2

        found["OpenCV"] = partial(_by_template, cv2)
    except ImportError:
        pass
    return found


def candidates() -> list[Trial]:
    """The first pairs of the cell that is pictured."""
    (setup,) = (known for known in setups() if (known.group, known.case) == ("lattices", CASE))
    found = (trial for label, trial in trials(setup) if label == DOSE)
    return list(itertools.islice(found, TRIED))


def _telling(model: Model) -> tuple[Trial, dict[str, Shift]]:
    """Of the pairs that the model gets right, the one that most others get wrong."""

    def worth(found: tuple[Trial, dict[str, Shift]]) -> tuple[bool, int]:
        trial, answers = found
        wrong = {name for name, answer in answers.items() if not _off(answer, trial) <= HIT}
        return OURS not in wrong, len(wrong)

    return max(((trial, _answers(model, trial)) for trial in candidates()), key=worth)


def _answers(model: Model, trial: Trial) -> dict[str, Shift]:
    def shift(answer: Drift) -> Shift:
        return answer.dy, answer.dx

    own = {
        name: shift(system(trial.reference, trial.moving, NARROW))
        for name, system in systems_beside(model).items()
    }
    return own | {name: peer(trial.reference, trial.moving) for name, peer in peers().items()}


def _by_phase(correlate: Any, reference: Image, moving: Image) -> Shift:
    """Its default; it tells how to move the second frame onto the first."""
    (dy, dx), *_ = correlate(reference, moving)
    return -float(dy), -float(dx)


def _by_template(cv2: Any, reference: Image, moving: Image) -> Shift:
    """The inner part of the reference, looked for in the other frame."""
    inner = np.ascontiguousarray(reference[NARROW:-NARROW, NARROW:-NARROW])
    surface = cv2.matchTemplate(np.ascontiguousarray(moving), inner, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(surface.argmax()), surface.shape)
    return refined(surface, int(row), int(column))


def _off(answer: Shift, trial: Trial) -> float:
    return math.dist(answer, trial.drift)


def _caption(name: str, answer: Shift, trial: Trial) -> str:
    off = _off(answer, trial)
    return f"{name} ({answer[0]:.1f}, {answer[1]:.1f}): off by {off:.{0 if off >= 1 else 2}f}"


def _left(trial: Trial, answer: Shift) -> Image:
    """The moving frame taken back, less the reference; NaN where only one of them shows it."""
    dy, dx = answer
    if not math.isfinite(dy + dx):
        return np.full(trial.reference.shape, np.nan)
    difference = _smooth(moved(trial.moving, -dy, -dx) - trial.reference)
    rows, columns = trial.reference.shape
    y, x = np.arange(rows)[:, None] + dy, np.arange(columns)[None, :] + dx
    shown = (y >= 0) & (y <= rows - 1) & (x >= 0) & (x <= columns - 1)
    return np.where(shown, difference, np.nan)


def _smooth(image: Image) -> Image:
    fy, fx = (np.fft.fftfreq(length) for length in image.shape)
    response = np.exp(-2 * (math.pi * BLUR) ** 2 * (fy[:, None] ** 2 + fx[None, :] ** 2))
    return np.fft.ifft2(np.fft.fft2(image) * response).real
