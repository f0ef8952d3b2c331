"""Plain warnings where a picture lies outside what a model was trained for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.survey import Survey, survey
from stemzoo.model_file.contract import Contract


def warnings_of(contract: Contract, raw: Any, clean: Any) -> tuple[str, ...]:
    """What a model was not trained for in an image or a stack, of which it made `clean`.

    Of a stack, the first, the middle and the last frame are measured; of a large frame, its middle.
    """
    part = _core.measured_part(*np.shape(clean)[-2:])
    if part is None or not any(_core.trained_ranges(contract.trained_for)):
        return ()
    if np.ndim(clean) == 2:
        return range_warnings(contract, survey(*comparable(raw[part], clean[part])))
    chosen = sorted({0, len(clean) // 2, len(clean) - 1})
    surveys = [survey(*comparable(raw[index][part], clean[index][part])) for index in chosen]
    return max((range_warnings(contract, each) for each in surveys), key=len)


def comparable(raw: Any, clean: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both as float32; unknown pixels of the frame as in the estimate."""
    estimate = np.ma.getdata(clean).astype(np.float64)
    estimate = np.where(np.isfinite(estimate), estimate, np.nanmean(estimate))
    frame = np.ma.filled(np.ma.asarray(raw).astype(np.float64), np.nan)
    frame = np.where(np.isfinite(frame), frame, estimate)
    return frame.astype(np.float32), estimate.astype(np.float32)


def range_warnings(contract: Contract, found: Survey) -> tuple[str, ...]:
    """The same of a picture that was measured."""
    told = _core.range_warnings(
        contract.name, contract.trained_for, found.independent_dose, found.spacing, found.atoms
    )
    # As the commands are told to bin pixels.
    return tuple(text + (f" (--bin {by})" if by > 1 else "") for text, by in told)
