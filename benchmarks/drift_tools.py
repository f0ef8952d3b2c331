"""Drift estimators of several packages with one interface: two frames in, (dy, dx) out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from nion.data.Core import function_register_template
from numpy.typing import NDArray
from pystackreg import StackReg
from skimage.registration import phase_cross_correlation

import stemzoo
from stemzoo.registration.pair import Estimator
from stemzoo.registration.shifting import peak

MAX_SHIFT = 32  # px: search range of the tools that need one
DRIFT_LATTICE, VASUDEVAN_DRIFT = "drift-lattice", "vasudevan-drift"
CLASSICAL = "no network"
SUBPIXEL = partial(phase_cross_correlation, upsample_factor=100)

Frame = NDArray[np.float32]
Shift = tuple[float, float]
Tool = Callable[[Frame, Frame], Shift]


def our_models() -> dict[str, stemzoo.Model | None]:
    """The models of the estimator: drift-lattice, if the zoo has it, and none."""
    there = {info.name for info in stemzoo.models()}
    trained = (
        {DRIFT_LATTICE: stemzoo.load(DRIFT_LATTICE, threads=1)} if DRIFT_LATTICE in there else {}
    )
    return {**trained, CLASSICAL: None}


def tools(size: int) -> dict[str, Tool]:
    """Each with one thread, for frames of size x size; ours search up to a third of that."""
    cv2.setNumThreads(1)
    window = cv2.createHanningWindow((size, size), cv2.CV_32F)
    return {
        **{
            f"stemzoo.drift, {name}": partial(_estimated, Estimator((size, size), model, threads=1))
            for name, model in our_models().items()
        },
        f"{VASUDEVAN_DRIFT}, the published chain": partial(
            _chain, stemzoo.load(VASUDEVAN_DRIFT, threads=1)
        ),
        "scikit-image phase_cross_correlation": _scikit,
        "OpenCV matchTemplate": _template,
        "OpenCV phaseCorrelate + Hann": partial(_phase, window),
        "pystackreg": partial(_stackreg, StackReg(StackReg.TRANSLATION)),
        "Nion Swift register_template": _nion,
    }


def _estimated(estimator: Estimator, reference: Frame, moving: Frame) -> Shift:
    """`stemzoo.drift` with one thread."""
    found = estimator.pair(estimator.frame(reference), estimator.frame(moving))
    return found.dy, found.dx


def _chain(model: stemzoo.Model, reference: Frame, moving: Frame) -> Shift:
    found = stemzoo.drift(reference, moving, model)
    return found.dy, found.dx


def _scikit(reference: Frame, moving: Frame) -> Shift:
    back = SUBPIXEL(reference, moving)[0]
    return -float(back[0]), -float(back[1])


def _template(reference: Frame, moving: Frame) -> Shift:
    surface = cv2.matchTemplate(moving, _inner(reference), cv2.TM_CCOEFF_NORMED)
    return peak(np.asarray(surface, np.float32))


def _phase(window: Any, reference: Frame, moving: Frame) -> Shift:
    # It applies the window to the frames in place.
    (dx, dy), _ = cv2.phaseCorrelate(reference.copy(), moving.copy(), window)
    return dy, dx


def _stackreg(registration: Any, reference: Frame, moving: Frame) -> Shift:
    matrix = registration.register(reference, moving)
    return float(matrix[1, 2]), float(matrix[0, 2])


def _nion(reference: Frame, moving: Frame) -> Shift:
    _, (dy, dx) = function_register_template(moving, _inner(reference))
    return dy, dx


def _inner(reference: Frame) -> Frame:
    """The part that stays inside the other frame at every shift up to MAX_SHIFT."""
    return np.ascontiguousarray(reference[MAX_SHIFT:-MAX_SHIFT, MAX_SHIFT:-MAX_SHIFT])
