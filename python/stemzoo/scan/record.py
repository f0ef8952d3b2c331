"""How the picture of merged scans came to be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stemzoo.inference.model import Model
from stemzoo.inference.record import Record, input_record, model_record, rounded, software
from stemzoo.scan.merge import ScanMerge


def merge_provenance(
    found: ScanMerge,
    model: Model | None,
    sources: Sequence[Path],
    settings: Record,
    earlier: Sequence[Record | None],
    dataset: int | None = None,
) -> Record:
    """The record inside the file of a merged picture; `settings` are arguments of `merge_scans`."""
    return {
        "task": "merge",
        "inputs": [
            input_record(path, dataset, record)
            for path, record in zip(sources, earlier, strict=True)
        ],
        "model": model and model_record(model),
        "settings": settings,
        "paths": [rounded(path) for path in found.paths],
        "ambiguous": found.ambiguous,
        **({"provider": model.provider} if model else {}),
        "software": software(),
    }
