"""How the average of an aligned series came to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.alignment.align import Alignment
from stemzoo.inference.model import Model
from stemzoo.inference.record import Record, input_record, model_record, software


def alignment_provenance(
    found: Alignment,
    model: Model | None,
    source: Path,
    settings: Record,
    dataset: int | None = None,
    earlier: Record | None = None,
) -> Record:
    """The record inside the file of an average; `settings` are arguments of `align`."""
    return {
        "task": "align",
        "input": input_record(source, dataset, earlier),
        "model": model and model_record(model),
        "settings": settings,
        "shifts": _rounded(found.shifts),
        "sigma": _rounded(found.sigma),
        "rejected": np.flatnonzero(found.rejected).tolist(),
        "ambiguous": np.flatnonzero(found.ambiguous).tolist(),
        **({"provider": model.provider} if model else {}),
        "software": software(),
    }


def _rounded(rows: NDArray[Any]) -> list[list[float] | None]:
    """Pixels to four digits, which is finer than any drift is known; None without a place."""
    return [
        [round(float(value), 4) for value in row] if np.isfinite(row).all() else None
        for row in rows
    ]
