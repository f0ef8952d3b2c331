"""How the average of an aligned series came to be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stemzoo.alignment.align import Alignment
from stemzoo.inference.model import Model
from stemzoo.inference.record import Record, input_record, model_record, rounded, software


def alignment_provenance(
    found: Alignment,
    model: Model | None,
    source: Path,
    settings: Record,
    dataset: int | None = None,
    earlier: Record | None = None,
    *,
    bin: int = 1,
    more: Sequence[Path] = (),
) -> Record:
    """The record inside the file of an average; `settings` are arguments of `align`.

    `more` are the files of all frames but the first, where each frame has one.
    """
    return {
        "task": "align",
        "input": input_record(source, dataset, earlier, bin=bin, more=more),
        "model": model and model_record(model),
        "settings": settings,
        "shifts": rounded(found.shifts),
        "sigma": rounded(found.sigma),
        "rejected": np.flatnonzero(found.rejected).tolist(),
        "ambiguous": np.flatnonzero(found.ambiguous).tolist(),
        **({"provider": model.provider} if model else {}),
        "software": software(),
    }
