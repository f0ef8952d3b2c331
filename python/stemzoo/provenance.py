"""How a result came to be: what must be known to make it again."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo import _core
from stemzoo.model import Model, Run


def provenance(run: Run, model: Model, source: Path) -> dict[str, Any]:
    """The record that travels inside every file written from `run`."""
    import onnxruntime

    return {
        "input": {"file": source.name, "sha256": _sha256(source)},
        "model": {
            "name": model.contract.name,
            "version": model.contract.version,
            "sha256": model.sha256,
        },
        **run.settings,
        "provider": model.provider,
        "software": {
            "stemzoo": _core.__version__,
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
