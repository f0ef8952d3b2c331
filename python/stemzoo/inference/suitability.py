"""Plain warnings where a picture lies outside what a model was trained for."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.inference.survey import Survey, survey
from stemzoo.model_file.contract import Contract

# Doses are known to a factor of two, spacings better: a warning needs them to be this far outside.
DOSE_MARGIN, SPACING_MARGIN = 2.0, 1.25
LARGEST_SIDE = 2048  # px: of larger frames, the middle is as good
LEAST_SIDE = 64  # px: smaller pictures say too little of themselves

_RANGE = re.compile(r"([\d.,]*\d)\s+to\s+([\d.,]*\d)")


def warnings_of(contract: Contract, raw: Any, clean: Any) -> tuple[str, ...]:
    """What a model was not trained for in an image or a stack, of which it made `clean`.

    Of a stack, the first, the middle and the last frame are measured; of a large frame, its middle.
    """
    if min(np.shape(clean)[-2:]) < LEAST_SIDE:
        return ()
    if not any(trained_range(contract, key) for key in ("dose", "spacing")):
        return ()
    if np.ndim(clean) == 2:
        return range_warnings(contract, survey(*_middles(raw, clean)))
    chosen = sorted({0, len(clean) // 2, len(clean) - 1})
    surveys = [survey(*_middles(raw[index], clean[index])) for index in chosen]
    return max((range_warnings(contract, each) for each in surveys), key=len)


def _middles(raw: Any, clean: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    shape = np.shape(clean)
    starts = [max(0, (size - LARGEST_SIDE) // 2) for size in shape]
    middle = tuple(slice(start, start + LARGEST_SIDE) for start in starts)
    return comparable(raw[middle], clean[middle])


def comparable(raw: Any, clean: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both as float32; unknown pixels of the frame as in the estimate."""
    estimate = np.ma.getdata(clean).astype(np.float64)
    estimate = np.where(np.isfinite(estimate), estimate, np.nanmean(estimate))
    frame = np.ma.filled(np.ma.asarray(raw).astype(np.float64), np.nan)
    frame = np.where(np.isfinite(frame), frame, estimate)
    return frame.astype(np.float32), estimate.astype(np.float32)


def range_warnings(contract: Contract, found: Survey) -> tuple[str, ...]:
    """The same of a picture that was measured."""
    name = contract.name
    said = []
    doses, spacings = (trained_range(contract, key) for key in ("dose", "spacing"))
    if doses and found.independent_dose < doses[0] / DOSE_MARGIN:
        said.append(
            f"the dose is about {found.independent_dose:.2g} electrons per pixel at the brightest "
            f"columns; {name} was trained from {doses[0]:g} on: take a slower scan, average "
            f"frames, or bin pixels{_by(_room(found, spacings))}"
        )
    if not spacings:
        return tuple(said)
    if not found.atoms:
        said.append(
            "no ordered columns were found: it looks like a picture of low magnification, of a "
            f"surface, or without atoms; {name} was trained for columns "
            f"{spacings[0]:g} to {spacings[1]:g} px apart, and may draw some that are not there"
        )
    elif found.spacing < spacings[0] / SPACING_MARGIN:
        said.append(
            f"columns are about {found.spacing:.1f} px apart; {name} was trained from "
            f"{spacings[0]:g} px on: record smaller pixels"
        )
    elif found.spacing > spacings[1] * SPACING_MARGIN:
        said.append(
            f"columns are about {found.spacing:.0f} px apart; {name} was trained up to "
            f"{spacings[1]:g} px: bin pixels{_by(found.spacing / spacings[1])}"
        )
    return tuple(said)


def _room(found: Survey, spacings: tuple[float, float] | None) -> float:
    """By how much pixels may grow before columns are nearer than a model was trained for."""
    if not spacings or not found.atoms or found.spacing < 2 * spacings[0]:
        return 1.0
    return 2.0


def _by(factor: float) -> str:
    """How the commands are told to, where pixels may be binned by a whole number."""
    return f" (--bin {math.ceil(factor)})" if math.isfinite(factor) and factor > 1 else ""


def trained_range(contract: Contract, key: str) -> tuple[float, float] | None:
    """The two numbers of a range that a model says it was trained for, if it says one."""
    said = _RANGE.search(contract.trained_for.get(key, ""))
    if not said:
        return None
    try:
        low, high = (float(number.replace(",", "")) for number in said.groups())
    except ValueError:
        return None
    return (low, high) if math.isfinite(low) and low <= high else None
