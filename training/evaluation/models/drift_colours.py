"""Drifts of frames whose noise is not white: afterglow, smoothed, or zoomed.

Counts are filtered after they were recorded. The bound is that of the counts: what the optics have
left. Frames that were zoomed by two have a quarter of the counts of the others, so white frames of
a quarter of the dose are measured as well.

On columns of unequal brightness the hits of an ideal observer (training/simulate/observer.py) bound
those of any estimator. It measures columns in the counts before the filter, so only their number
and the width of the pixels matter to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from stemzoo.inference.model import Model
from training.evaluation.colours import COLOURS, Colour, white
from training.evaluation.models.common import Metrics
from training.evaluation.models.drift_lattice import QUANTITIES
from training.evaluation.models.drift_limits import observed
from training.evaluation.models.drift_trials import (
    DRIFT_LATTICE,
    TRIAL_SEED,
    Outcome,
    Setup,
    compared,
    compared_systems,
    summary,
    trials,
)
from training.simulate.disturbances import Disturbance

CASES = ("column-intensity spread", "one vacancy")
DOSES = (3.0, 10.0)  # electrons per recorded px at the peak of a column
SEED = TRIAL_SEED + 500_000
PAIRS = 1000
OBSERVED = 1000  # pairs of the ideal observer


@dataclass(frozen=True)
class Kind:
    colour: Colour = white
    share: float = 1.0  # of the dose

    @property
    def pixel(self) -> int:
        """The width of the pixels in which electrons are counted, in px of a frame."""
        return 2 if self.colour.zoomed else 1

    @property
    def counts(self) -> float:
        """Those of an area, of what a white frame of the same dose has."""
        return self.share / self.pixel**2


KINDS = {
    "white": Kind(),
    **{name: Kind(colour) for name, colour in COLOURS.items() if not colour.zoomed},
    **{name: Kind(colour) for name, colour in COLOURS.items() if colour.zoomed},
    "white, a quarter of the dose": Kind(share=0.25),
}

Coloured = dict[str, dict[str, list[Metrics]]]  # by case and kind, a row for each dose


def measure_colours(model: Model, count: int = PAIRS) -> Coloured:
    """Scores of a model; every kind shows the same specimens."""
    system = compared_systems(model)[DRIFT_LATTICE]
    found: Coloured = {}
    for n, case in enumerate(CASES):
        for name, kind in KINDS.items():
            doses = tuple(kind.share * dose for dose in DOSES)
            setup = Setup(
                "colours",
                case,
                doses,
                count,
                Disturbance(),
                seed=SEED + 1000 * n,
                colour=kind.colour,
            )
            outcomes: dict[str, list[Outcome]] = {f"{dose:g}": [] for dose in doses}
            for dose, trial in trials(setup):
                answer = system(trial.reference, trial.moving, setup.max_drift)
                outcomes[dose].append(compared(answer, trial))
            found.setdefault(case, {})[name] = [summary(all_) for all_ in outcomes.values()]
    add_observers(found, min(5 * count, OBSERVED))
    return found


def add_observers(found: Coloured, count: int = OBSERVED) -> None:
    """The hit rate of an ideal observer of the same counts, in the cases where it is known."""
    for n, case in enumerate(CASES):
        for counts, pixel in sorted({(kind.counts, kind.pixel) for kind in KINDS.values()}):
            doses = tuple(counts * dose for dose in DOSES)
            rates = observed(case, doses, count, SEED + 1000 * n, pixel)
            for name, kind in KINDS.items():
                if rates and (kind.counts, kind.pixel) == (counts, pixel):
                    for row, rate in zip(found[case][name], rates, strict=True):
                        row["observer"] = round(rate, 4)


def report_colours(found: Coloured) -> str:
    """One table for each specimen."""
    doses = " / ".join(f"{dose:g}" for dose in DOSES)
    lines = []
    for case, kinds in found.items():
        quantities = dict(QUANTITIES)
        if all("observer" in row for rows in kinds.values() for row in rows):
            quantities["observer"] = "an ideal observer: right"
        head = [f"{case}, dose {doses}", *quantities.values()]
        rows = [
            [name, *(_by_dose(rows, key) for key in quantities)] for name, rows in kinds.items()
        ]
        table = [head, ["---"] * len(head), *rows]
        lines += [*(f"| {' | '.join(line)} |" for line in table), ""]
    return "\n".join(lines).rstrip()


def _by_dose(rows: list[Metrics], key: str) -> str:
    return " / ".join(_shown(key, row[key]) for row in rows)


def _shown(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if key == "rmse" else f"{100 * value:.4g}"
