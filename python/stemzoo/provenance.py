"""How a result came to be: what must be known to make it again."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo import _core
from stemzoo.model import Model, Run


def provenance(run: Run, model: Model, source: Path, dataset: int | None = None) -> dict[str, Any]:
    """The record that travels inside every file written from `run`, of one dataset of a file."""
    return {
        "task": model.contract.task,
        "input": {"file": source.name, "sha256": sha256(source), "dataset": dataset},
        "model": {
            "name": model.contract.name,
            "version": model.contract.version,
            "sha256": model.sha256,
        },
        **run.settings,
        "provider": model.provider,
        "threads": model.threads,  # 0: as many as there are cores
        "software": software(),
    }


def software() -> dict[str, str]:
    """What computes here, in which version: other versions may round differently."""
    import onnxruntime

    return {
        "stemzoo": _core.__version__,
        "onnxruntime": onnxruntime.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def steps(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The record of every step that led to a result, from the first to the last."""
    found = [record]
    while (earlier := _earlier(found[0])) is not None:
        found.insert(0, earlier)
    return found


def _earlier(record: dict[str, Any]) -> dict[str, Any] | None:
    """What the input of a step said of itself, if it was a result too."""
    given = record.get("input")
    said = given.get("provenance") if isinstance(given, dict) else None
    return said if isinstance(said, dict) and "task" in said else None
