"""Scores of other packages, kept in the repository: their pictures take hours of CPU time.

A score belongs to a method with its version, to a case, and to the way of scoring
(`measures.SCORING`). It is measured again where one of them has changed.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.common.atomic import replacing
from training.evaluation.cases import Case
from training.evaluation.measures import SCORING, Score

PATH = Path(__file__).with_name("peer_scores.json")
DIGITS = 6
SAME = 1e-4  # of a case's statistics, which rounding changes from processor to processor


class PeerScores:
    """What is known of every method and case; saved whenever something is added."""

    def __init__(self, path: Path = PATH) -> None:
        self.path = path
        kept = json.loads(path.read_text()) if path.exists() else {}
        self._scores: dict[str, dict[str, Any]] = kept if kept.pop("scoring", 0) == SCORING else {}

    def get(self, method: str, case: Case) -> Score | None:
        kept = self._scores.get(method, {}).get(case.name)
        if kept is None or not np.allclose(kept["case"], _statistics(case), rtol=SAME):
            return None
        return Score(**kept["score"])

    def put(self, method: str, case: Case, score: Score) -> None:
        known = {key: value for key, value in asdict(score).items() if math.isfinite(value)}
        self._scores.setdefault(method, {})[case.name] = {
            "case": _statistics(case),
            "score": {key: _rounded(value) for key, value in known.items()},
        }
        self._save()

    def _save(self) -> None:
        """One line for every case."""
        methods = []
        for method, cases in sorted(self._scores.items()):
            lines = [f"  {json.dumps(name)}: {json.dumps(cases[name])}" for name in sorted(cases)]
            methods.append(f" {json.dumps(method)}: {{\n" + ",\n".join(lines) + "\n }")
        text = f'{{\n "scoring": {SCORING},\n' + ",\n".join(methods) + "\n}\n"
        with replacing(self.path) as file:
            file.write(text.encode())


def _statistics(case: Case) -> list[float]:
    """They tell whether a case is still the same picture."""
    return [_rounded(float(part)) for image in (case.noisy, case.truth) for part in _moments(image)]


def _moments(image: np.ndarray[Any, Any]) -> tuple[np.floating[Any], np.floating[Any]]:
    return image.mean(dtype=np.float64), image.std(dtype=np.float64)


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
