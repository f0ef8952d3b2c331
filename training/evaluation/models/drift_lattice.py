"""Accuracy of a drift model on crystals, beside other estimators.

Pairs are new ones from training.simulate, the same for every system, and all estimates come from
`stemzoo.drift`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stemzoo.inference.model import Model
from training.evaluation.models import drift_targets
from training.evaluation.models.common import Metrics
from training.evaluation.models.drift_targets import DETAILED_GROUPS, PURE_LATTICE
from training.evaluation.models.drift_trials import (
    CLASSICAL,
    DRIFT_LATTICE,
    HIGHEST_PEAK,
    PEER_MAX_SHIFT,
    VASUDEVAN_DRIFT,
    compared_systems,
    tried,
)

SYSTEMS = {
    DRIFT_LATTICE: DRIFT_LATTICE,
    CLASSICAL: "two-stage classical, no network",
    VASUDEVAN_DRIFT: f"{VASUDEVAN_DRIFT}, within {PEER_MAX_SHIFT} px",
    HIGHEST_PEAK: f"highest peak of the NCC, within {PEER_MAX_SHIFT} px",
}
GROUPS = {
    "lattices": "Hexagonal lattices",
    "unseen": "Specimens that training never sees",
    "jitter": "Hexagonal lattices, every row displaced by 0.5 px rms along y and x",
    "shapes": "No lattice at all",
    "robustness": "Disturbed pairs, at a dose of 10",
}
QUANTITIES = {
    "within": "right",
    "wrong": "wrong, and not called ambiguous",
    "ambiguous": "called ambiguous",
    "rmse": "RMSE of the right ones, over the bound",
    "sigma": "errors of the right ones within one sigma",
}
RELIABLE = 0.99  # fraction right: cells below it are listed


def measure(model: Model, smoke: bool = False) -> Metrics:
    cells = tried(compared_systems(model), smoke)
    vacancy = _by_dose(cells["lattices"]["one vacancy"], DRIFT_LATTICE, "within")
    headline = f"drift within 0.5 px on a lattice with one vacancy: {vacancy} %"
    return {"headline": headline, "unit": "px", "cells": cells}


def below_target(metrics: Metrics) -> list[str]:
    """Development targets that the figures miss, for `python -m training.evaluate`."""
    missed = drift_targets.below_target(metrics["cells"])
    return [f"{GROUPS[group]}, {line}" for group, lines in missed.items() for line in lines]


def report(metrics: Metrics) -> str:
    """All tables, and a list of the cells with many wrong or ambiguous drifts."""
    cells = metrics["cells"]
    lines = [
        "Percent of the pairs, at a dose of 1 / 3 / 10 / 100 electrons per px at the peak of a",
        "column; `right` is within 0.5 px of the truth, by the length of the error.",
        "",
    ]
    for group in DETAILED_GROUPS:
        lines += _title(cells, group)
        for key, head in QUANTITIES.items():
            lines += [*_compared(cells[group], key, head), ""]
        if PURE_LATTICE in cells[group]:
            lines += [*_pure(cells[group][PURE_LATTICE]), ""]
    lines += [*_title(cells, "shapes"), *_shapes(cells["shapes"]), ""]
    lines += [*_title(cells, "robustness"), *_robustness(cells["robustness"])]
    lines += ["", f"### Where fewer than {_percent(RELIABLE)} % are right", "", *_weak(cells)]
    return "\n".join(lines).rstrip()


def _title(cells: Metrics, group: str) -> list[str]:
    (first, *_) = (row for rows in cells[group].values() for row in rows.values())
    all_pairs, peer_pairs = (first[name]["trials"] for name in (DRIFT_LATTICE, VASUDEVAN_DRIFT))
    pairs = f"{all_pairs} pairs a cell; {VASUDEVAN_DRIFT}: the first {peer_pairs}."
    return [f"### {GROUPS[group]}", "", pairs, ""]


def _compared(cases: Metrics, key: str, head: str) -> list[str]:
    """One quantity of every system on every case."""
    known = [case for case in cases if case != PURE_LATTICE]
    rows = [
        [title, *(_by_dose(cases[case], system, key) for case in known)]
        for system, title in SYSTEMS.items()
    ]
    if key == "within" and any(_observers(rows) for rows in cases.values()):
        best = (_observers(cases[case]) or "-" for case in known)
        rows.append(["*an ideal observer who knows the lattice*", *best])
    if key == "rmse":
        rows.append(["*bound, px per axis*", *(_bounds(cases[case]) for case in known)])
    return _table([head, *known], rows)


def _pure(rows: Metrics) -> list[str]:
    found = [
        [title, *(_by_dose(rows, system, key) for key in ("ambiguous", "contained"))]
        for system, title in SYSTEMS.items()
    ]
    head = [f"{PURE_LATTICE}: drift unknowable", "called ambiguous", "truth among the candidates"]
    return _table(head, found)


def _shapes(cases: Metrics) -> list[str]:
    doses = " / ".join(next(iter(cases.values())))
    rows = [
        [title, *(_by_dose(cases[case], system, "within") for case in cases)]
        for system, title in SYSTEMS.items()
    ]
    bounds = ["*bound, px per axis*", *(_bounds(cases[case]) for case in cases)]
    return _table([f"right at a dose of {doses}", *cases], [*rows, bounds])


def _robustness(cases: Metrics) -> list[str]:
    """A row for each disturbance: the fraction right in each case, and of ambiguous pairs."""
    rows = []
    for disturbance in next(iter(cases.values())):
        right = (" / ".join(_of(cases, disturbance, system, "within")) for system in SYSTEMS)
        ambiguous = " / ".join(_of(cases, disturbance, DRIFT_LATTICE, "ambiguous"))
        rows.append([disturbance, *right, ambiguous])
    titles = [title.partition(",")[0] for title in SYSTEMS.values()]
    head = [f"right: {' / '.join(cases)}", *titles, f"{DRIFT_LATTICE}: called ambiguous"]
    return _table(head, rows)


def _of(cases: Metrics, label: str, system: str, key: str) -> Iterator[str]:
    return (_percent(rows[label][system][key]) for rows in cases.values())


def _weak(cells: Metrics) -> list[str]:
    lines = []
    for group, cases in cells.items():
        found = [
            f"- {case}, {label if group == 'robustness' else f'dose {label}'}: "
            f"{_percent(row[DRIFT_LATTICE]['within'])} % right, "
            f"{_percent(row[DRIFT_LATTICE]['ambiguous'])} % called ambiguous, "
            f"{_percent(row[DRIFT_LATTICE]['wrong'])} % wrong unnoticed"
            for case, rows in cases.items()
            for label, row in rows.items()
            if case != PURE_LATTICE and row[DRIFT_LATTICE]["within"] < RELIABLE
        ]
        if found:
            lines += [f"{GROUPS[group]}:", "", *found, ""]
    return lines or ["Nowhere in these tables."]


def _by_dose(rows: Metrics, system: str, key: str) -> str:
    shown = _factor if key == "rmse" else _percent
    return " / ".join(shown(row[system][key]) for row in rows.values())


def _observers(rows: Metrics) -> str:
    return " / ".join(_percent(row["observer"]) for row in rows.values() if "observer" in row)


def _bounds(rows: Metrics) -> str:
    return " / ".join(f"{row['bound']:.2g}" for row in rows.values())


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.4g}"


def _factor(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(head: list[str], rows: list[list[Any]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
