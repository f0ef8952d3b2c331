"""How a result came to be: what must be known to make it again."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.model import Model, Run

Record = dict[str, Any]


def provenance(
    run: Run,
    model: Model,
    source: Path,
    dataset: int | None = None,
    earlier: Record | None = None,
    *,
    bin: int = 1,
) -> Record:
    """The record that travels inside every file written from `run`, of one dataset of a file.

    `earlier` is what that file said of how it was made: a record holds those of all steps before.
    `bin` x `bin` pixels of the file were added up to one.
    """
    return {
        "task": model.contract.task,
        "input": input_record(source, dataset, earlier, bin=bin),
        "model": model_record(model),
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
    """Of a file; of a format that is a folder, over the names and hashes of all files in it."""
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file())
        lines = [f"{each.relative_to(path).as_posix()} {sha256(each)}\n" for each in files]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def steps(record: Record) -> list[Record]:
    """The record of every step that led to a result, from the first to the last."""
    found = [record]
    while (earlier := _earlier(found[0])) is not None:
        found.insert(0, earlier)
    return found


def _earlier(record: Record) -> Record | None:
    """What the input of a step said of itself, if it was a result too."""
    given = record.get("input")
    said = given.get("provenance") if isinstance(given, dict) else None
    return said if isinstance(said, dict) and "task" in said else None


def input_record(
    source: Path,
    dataset: int | None,
    earlier: Record | None,
    *,
    bin: int = 1,
    more: Sequence[Path] = (),
) -> Record:
    """What a step was made from; `more` are the files of the other frames, where each has one."""
    said: Record = {} if bin == 1 else {"bin": bin}
    if more:
        said["more"] = [{"file": path.name, "sha256": sha256(path)} for path in more]
    said |= {} if earlier is None else {"provenance": earlier}
    return {"file": source.name, "sha256": sha256(source), "dataset": dataset, **said}


def model_record(model: Model) -> Record:
    contract = model.contract
    return {"name": contract.name, "version": contract.version, "sha256": model.sha256}


def rounded(rows: NDArray[Any]) -> list[list[float] | None]:
    """Pixels to four digits, finer than any displacement is known; None where one is unknown."""
    return [
        [round(float(value), 4) for value in row] if np.isfinite(row).all() else None
        for row in rows
    ]
