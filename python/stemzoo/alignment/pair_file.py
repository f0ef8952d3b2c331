"""Measured pairs on disk, so that a long alignment goes on where it was cut."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError
from stemzoo.registration.pair import Candidate, Drift

PARTS = ("pairs", "drifts", "reasons", "counts", "candidates")
EVERY = 30.0  # s between writes: what an interruption may cost

Key = tuple[int, int]


class PairFile:
    """Drifts by pair of frames in a file that belongs to one stack and one way of measuring.

    `about` says which; a file that says otherwise is refused and left as it is.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path, self.about = path, about
        self._written = time.monotonic()
        self.drifts = _read(path, about) if path.exists() else {}
        if not self.drifts:
            self.write()  # a place that cannot be written to is known before the work, not after

    def tick(self) -> None:
        """Write now and then."""
        if time.monotonic() - self._written > EVERY:
            self.write()

    def write(self) -> None:
        parts: dict[str, Any] = {
            "about": np.array(json.dumps(self.about, sort_keys=True)),
            "pairs": np.array(list(self.drifts), np.int64).reshape(-1, 2),
            "drifts": np.array(
                [(d.dy, d.dx, *d.sigma, d.ambiguous, d.score) for d in self.drifts.values()]
            ).reshape(-1, 6),
            "reasons": np.array([d.reason for d in self.drifts.values()], np.str_),
            "counts": np.array([len(d.candidates) for d in self.drifts.values()], np.int64),
            "candidates": np.array(
                [candidate for d in self.drifts.values() for candidate in d.candidates]
            ).reshape(-1, 3),
        }
        with replacing(self.path) as file:
            np.savez(file, **parts)
        self._written = time.monotonic()


def _read(path: Path, about: dict[str, Any]) -> dict[Key, Drift]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            found = json.loads(str(file["about"]))
            drifts = _drifts(*(file[name] for name in PARTS))
        differing = [name for name in about if found[name] != about[name]]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FileError(
            f"{path} holds no measured pairs, or is damaged ({error}); delete it to begin anew, or "
            "resume from another file"
        ) from error
    if differing:
        said = ", ".join(f"{name} was {found[name]} and is {about[name]}" for name in differing)
        raise FileError(
            f"{path} holds pairs of another stack, or measured in another way: {said}; resume from "
            "the file of this one, or name a new file"
        )
    return drifts


def _drifts(
    pairs: Any, drifts: Any, reasons: Any, counts: Any, candidates: Any
) -> dict[Key, Drift]:
    if not len(pairs) == len(drifts) == len(reasons) == len(counts) or counts.sum() != len(
        candidates
    ):
        raise ValueError("its parts do not fit together")
    others = np.split(candidates, np.cumsum(counts)[:-1]) if len(counts) else []
    result = {}
    rows = zip(pairs.tolist(), drifts.tolist(), reasons.tolist(), others, strict=True)
    for (one, other), row, reason, each in rows:
        dy, dx, sigma_y, sigma_x, ambiguous, score = row
        known = tuple(Candidate(*candidate) for candidate in each.tolist())
        result[one, other] = Drift(
            dy, dx, (sigma_y, sigma_x), bool(ambiguous), score, known, reason
        )
    return result
