"""Scores of a model on the test cases, for metrics.json, and their tables for cards."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import fields
from itertools import islice

import numpy as np

import stemzoo
from stemzoo.inference.model import Model
from training.evaluation.cases import Case, cases
from training.evaluation.measures import Score, judged
from training.evaluation.models.common import Metrics, rounded

SCORE_NAMES = [field.name for field in fields(Score)]
SMOKE_CASES = 1  # of every topic
COLUMN_HEADS = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "slope": "slope",
    "noise": "noise left",
    "f1": "F1",
    "weak": "faint",
    "error": "position, px",
    "excess": "over bound",
    "rows": "rows, px",
    "rows_excess": "over bound",
    "bragg": "Bragg",
    "invented": "invented per Mpx",
}
EXPLANATION = """\
PSNR is relative to the truth's maximum, with that of the noisy picture in brackets and a 95 %
confidence interval. Slope: of the intensities over the true ones. F1: of the atom columns detected
in the noise-free picture; faint: recall of those lower than 0.3 of the highest. Position: rms error
of the columns' positions; over bound: median error over that at the Cramer-Rao bound of a column
(or of a row) by itself. Bragg: power of the residual at the Bragg peaks over that around them.
Invented: spots that rise by 25 % of the noise's standard deviation where the truth has none."""


def by_topic(model: Model, topics: Iterable[str], smoke: bool = False) -> Metrics:
    """Mean scores by topic and condition; with `smoke`, of the first case of every topic only."""
    return {
        topic: on(
            model, islice(cases([topic], quick=True), SMOKE_CASES) if smoke else cases([topic])
        )
        for topic in topics
    }


def on(model: Model, taken: Iterable[Case]) -> list[Metrics]:
    """Mean scores of these cases, one entry per condition."""
    answer = stemzoo.restore if model.contract.task == "restore" else stemzoo.denoise
    scores: dict[str, list[tuple[Score, Score]]] = {}
    for case in taken:
        clean = np.asarray(answer(case.noisy, model))
        pair = judged(case.noisy, case), judged(clean, case)
        scores.setdefault(case.condition, []).append(pair)
    return [
        {"condition": condition, "pictures": len(pairs), **_means(pairs)}
        for condition, pairs in scores.items()
    ]


def _means(pairs: list[tuple[Score, Score]]) -> Metrics:
    """Means of all defined scores, and the confidence interval of PSNR."""
    raw = float(np.mean([before.psnr for before, _ in pairs]))
    fidelity = [after.psnr for _, after in pairs]
    means: Metrics = {"raw": rounded(raw)}
    for name in SCORE_NAMES:
        values = [getattr(after, name) for _, after in pairs]
        known = [value for value in values if math.isfinite(value)]
        if known:
            means[name] = rounded(np.mean(known))
    if len(pairs) > 1:
        means["interval"] = rounded(1.96 * np.std(fidelity, ddof=1) / len(pairs) ** 0.5)
    return means


def section(metrics: Metrics) -> list[str]:
    """The section of a card; empty for metrics without cases."""
    return ["", tables(metrics["cases"])] if "cases" in metrics else []


def tables(metrics: Metrics) -> str:
    """A table for every topic."""
    parts = [EXPLANATION]
    for topic, rows in metrics.items():
        shown = [name for name in COLUMN_HEADS if any(name in row for row in rows)]
        parts += [
            "",
            f"{topic.capitalize().replace('-', ' ')} ({rows[0]['pictures']} pictures each):",
            "",
            "| | " + " | ".join(COLUMN_HEADS[name] for name in shown) + " |",
            "|---" * (len(shown) + 1) + "|",
        ]
        parts += [
            f"| {row['condition']} | " + " | ".join(_cell(row, name) for name in shown) + " |"
            for row in rows
        ]
    return "\n".join(parts)


def _cell(row: Metrics, name: str) -> str:
    if name not in row:
        return ""
    value = row[name]
    if name == "psnr":
        interval = f" ± {row['interval']:.1f}" if "interval" in row else ""
        return f"{value:.1f}{interval} ({row['raw']:.1f})"
    if name == "noise":
        return f"{100 * value:.1f} %"
    return f"{value:.0f}" if name == "invented" else f"{value:.3g}"
