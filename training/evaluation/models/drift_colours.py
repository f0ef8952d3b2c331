"""Drifts of frames whose noise is not white: afterglow, smoothed, or zoomed.

Counts are filtered after they were recorded, which loses nothing that a drift is estimated from but
what a frame of half the size did not record. The bound is that of the counts before the filter.
"""

from __future__ import annotations

from dataclasses import replace

from stemzoo.inference.model import Model
from training.evaluation.colours import COLOURS, Colour, white
from training.evaluation.models.common import Metrics
from training.evaluation.models.drift_trials import (
    CLASSICAL,
    DRIFT_LATTICE,
    TRIAL_SEED,
    Outcome,
    Setup,
    Trial,
    compared,
    compared_systems,
    summary,
    trials,
)
from training.simulate.disturbances import Disturbance

COLOURED_CASES = ("column-intensity spread", "one vacancy")
COLOURED_DOSES = (3.0, 10.0)  # electrons per recorded px at the peak of a column
COLOURED_SEED = TRIAL_SEED + 500_000
PAIRS = 200
WHITE = "white"
UNZOOMED = "recorded at half the size"
ZOOMED = "zoomed by two"
KINDS: dict[str, Colour] = {WHITE: white, UNZOOMED: white, **COLOURS}
SYSTEMS = (DRIFT_LATTICE, CLASSICAL)
QUANTITIES = {
    "within": "right",
    "wrong": "wrong, and not called ambiguous",
    "ambiguous": "called ambiguous",
    "rmse": "RMSE of the right ones, over the bound",
    "sigma": "errors of the right ones within one sigma",
}

# The frames of every kind show the same scenes.
Coloured = dict[str, dict[str, dict[str, dict[str, Metrics]]]]  # by case, kind, dose and system


def measure_colours(model: Model, count: int = PAIRS) -> Coloured:
    """Scores of drift-lattice and of the classical estimator; `bound` in px."""
    estimate = compared_systems(model)
    systems = {name: estimate[name] for name in SYSTEMS}
    found: Coloured = {}
    for n, case in enumerate(COLOURED_CASES):
        for kind, colour in KINDS.items():
            setup = Setup("colours", case, COLOURED_DOSES, count, Disturbance())
            setup = replace(
                setup, seed=COLOURED_SEED + 1000 * n, colour=colour, halved=kind == UNZOOMED
            )
            cells: dict[str, dict[str, list[Outcome]]] = {}
            for dose, trial in trials(setup):
                cell = cells.setdefault(dose, {name: [] for name in systems})
                for name, system in systems.items():
                    answer = system(trial.reference, trial.moving, setup.max_drift)
                    cell[name].append(compared(answer, trial))
            found.setdefault(case, {})[kind] = {
                dose: {name: summary(outcomes) for name, outcomes in cell.items()}
                for dose, cell in cells.items()
            }
    return found
