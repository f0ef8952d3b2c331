"""Trials of drift estimators: new pairs for each cell of a table, the same for every system.

A system is a function of (reference, moving, max_drift) that returns a Drift; `max_drift` is the
longest drift of the pairs along either axis, px.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import stemzoo
from stemzoo.inference.model import Model
from stemzoo.registration.pair import Drift
from stemzoo.registration.shifting import peak
from training.evaluation.colours import Colour, white
from training.evaluation.models.common import EVALUATION_SEED, Metrics
from training.evaluation.models.drift_limits import observed
from training.simulate.bound import bound, information
from training.simulate.crystal_pairs import (
    MOVING_SHAPES,
    SPECIMEN_KINDS,
    draw_crystals,
    draw_shapes,
)
from training.simulate.disturbances import Disturbance, record_pair
from training.simulate.hexagons import MAX_DRIFT
from training.simulate.lattice_pairs import FRAME_SIZE, LATTICE_CASES, ScenePairs, draw_lattices
from training.simulate.scan import EDGE

DRIFT_LATTICE, CLASSICAL, VASUDEVAN_DRIFT, HIGHEST_PEAK = (
    "drift-lattice",
    "classical",
    "vasudevan-drift",
    "highest peak",
)
DOSES = (1.0, 3.0, 10.0, 100.0)  # electrons per px at the peak of a column
HIT_RADIUS = 0.5  # px: longest error of a right drift
PAIRS_AT_ONCE = 50  # drawn at once; vasudevan-drift, which is slow, is tried on no more per cell
PEER_MAX_SHIFT = 32  # px along either axis: search range of vasudevan-drift and the highest peak
TRIAL_SEED = EVALUATION_SEED + 600_000

LONG_DRIFTS = "shifts up to a third"
DISTURBANCES = {
    "one hot pixel": Disturbance(hot=100.0),
    "fixed stripes": Disturbance(stripes=0.2),
    "constant rows": Disturbance(constant=5),
    "3x less dose in one": Disturbance(ratio=3.0),
    "gain and offset": Disturbance(gain=2.0, offset=1.0),
    "2 % larger or smaller": Disturbance(scale=0.02),
    "2 % drift in the scan": Disturbance(stretch=0.02),
    "borders of NaN": Disturbance(blank=24),
    LONG_DRIFTS: Disturbance(),
}

Frame = NDArray[Any]
System = Callable[[Frame, Frame, float], Drift]
Table = dict[str, dict[str, dict[str, Metrics]]]  # by group, case, and dose or disturbance


@dataclass(frozen=True)
class Setup:
    """Scenes of one case, recorded at each dose."""

    group: str
    case: str
    doses: tuple[float, ...]
    count: int
    disturbance: Disturbance
    label: str = ""  # instead of the dose
    max_drift: float = MAX_DRIFT
    seed: int = TRIAL_SEED
    colour: Colour = white  # of the noise


@dataclass(frozen=True)
class Trial:
    reference: Frame
    moving: Frame
    drift: NDArray[np.float64]
    bound: NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """An estimated drift compared with the truth."""

    error: NDArray[np.float64]
    sigma: NDArray[np.float64]
    bound: NDArray[np.float64]
    ambiguous: bool
    contained: bool  # the drift or a candidate is right

    @property
    def hit(self) -> bool:
        return math.hypot(*self.error) <= HIT_RADIUS


def setups(smoke: bool = False) -> list[Setup]:
    count = 2 if smoke else 200
    doses = DOSES[2:3] if smoke else DOSES
    found = [Setup("lattices", case, doses, count, Disturbance()) for case in LATTICE_CASES]
    found += [Setup("unseen", case, doses, count, Disturbance()) for case in SPECIMEN_KINDS]
    found += [
        Setup("jitter", case, doses, count, Disturbance(jitter=0.5)) for case in LATTICE_CASES
    ]
    few = max(1, count // 4)
    found += [Setup("shapes", case, DOSES[2:], few, Disturbance()) for case in MOVING_SHAPES]
    for name, disturbance in DISTURBANCES.items():
        max_drift = float(FRAME_SIZE // 3) if name == LONG_DRIFTS else MAX_DRIFT
        for case in list(LATTICE_CASES)[:3]:
            found.append(Setup("robustness", case, (10.0,), 2 * few, disturbance, name, max_drift))
    return [replace(setup, seed=TRIAL_SEED + 1000 * n) for n, setup in enumerate(found)]


def tried(systems: Mapping[str, System], smoke: bool = False) -> Table:
    """The scores of every system in every cell."""
    cells: Table = {}
    for setup in setups(smoke):
        outcomes: dict[str, dict[str, list[Outcome]]] = {}
        for label, trial in trials(setup):
            cell = outcomes.setdefault(label, {name: [] for name in systems})
            for name, system in systems.items():
                if name != VASUDEVAN_DRIFT or len(cell[name]) < PAIRS_AT_ONCE:
                    answer = system(trial.reference, trial.moving, setup.max_drift)
                    cell[name].append(compared(answer, trial))
        case = cells.setdefault(setup.group, {}).setdefault(setup.case, {})
        for label, found in outcomes.items():
            limits = [outcome.bound for outcome in found[next(iter(systems))]]
            case[label] = {name: summary(answers) for name, answers in found.items()}
            case[label]["bound"] = _rounded(float(np.median(limits)))
        if setup.disturbance == Disturbance() and not setup.label:
            best = observed(setup.case, setup.doses, setup.count, setup.seed)
            for label, share in zip(outcomes, best or (), strict=bool(best)):
                case[label]["observer"] = _rounded(share)
    return cells


def compared_systems(model: Model) -> dict[str, System]:
    """The model, and the estimators it is compared with."""
    estimate: Callable[..., Drift] = stemzoo.drift
    return {
        DRIFT_LATTICE: lambda still, moved, max_drift: estimate(still, moved, model),
        CLASSICAL: lambda still, moved, max_drift: estimate(still, moved, None),
        VASUDEVAN_DRIFT: lambda still, moved, max_drift: estimate(still, moved, VASUDEVAN_DRIFT),
        HIGHEST_PEAK: highest_peak,
    }


def highest_peak(reference: Frame, moving: Frame, max_drift: float = MAX_DRIFT) -> Drift:
    """The maximum of the normalised cross-correlation, which most tools take for the drift."""
    surface = stemzoo.ncc(reference, moving, max(PEER_MAX_SHIFT, math.ceil(max_drift)))
    dy, dx = peak(surface)
    return Drift(dy, dx, (math.nan, math.nan), False, float(surface.max()), ())


def trials(setup: Setup) -> Iterator[tuple[str, Trial]]:
    """All pairs of a setup, each with the label of its cell."""
    for start in range(0, setup.count, PAIRS_AT_ONCE):
        random = torch.Generator().manual_seed(setup.seed + start)
        scenes = drawn(setup.case, min(PAIRS_AT_ONCE, setup.count - start), random, setup.max_drift)
        pixel = 2 if setup.colour.zoomed else 1  # of the counts, in px of a frame
        if setup.colour.zoomed:
            scenes = _halved(scenes)
        rows = information(scenes)
        for dose in setup.doses:
            pairs = record_pair(scenes, dose, random, setup.disturbance)
            first, second = (dose * ratio for ratio in setup.disturbance.ratios)
            limits = pixel * bound(rows, (first, second), setup.disturbance.jitter).numpy()
            drifts = pixel * pairs.drift.double().numpy()
            frames = zip(pairs.reference, pairs.moving, drifts, limits, strict=True)
            for still, moved, drift, limit in frames:
                one, other = (_frame(frame, setup.colour) for frame in (still, moved))
                yield setup.label or f"{dose:g}", Trial(one, other, drift, limit)


def _halved(scenes: ScenePairs) -> ScenePairs:
    """At half the size, with the same margin."""
    margin = [EDGE - EDGE // 2] * 4
    still, moved = (
        torch.nn.functional.pad(
            torch.nn.functional.avg_pool2d(scene[:, None], 2), margin, mode="reflect"
        )[:, 0]
        for scene in (scenes.reference, scenes.moving)
    )
    return ScenePairs(still, moved, scenes.drift / 2)


def drawn(
    case: str, count: int, random: torch.Generator, max_drift: float = MAX_DRIFT
) -> ScenePairs:
    """Scenes of a case of any group."""
    if case in LATTICE_CASES:
        return draw_lattices(case, count, random, max_drift=max_drift)
    if case in SPECIMEN_KINDS:
        return draw_crystals(case, count, random, max_drift=max_drift)
    if case in MOVING_SHAPES:
        return draw_shapes(case, count, random, max_drift=max_drift)
    known = ", ".join([*LATTICE_CASES, *SPECIMEN_KINDS, *MOVING_SHAPES])
    raise ValueError(f"there are no scenes of '{case}'; expected one of {known}")


def compared(answer: Drift, trial: Trial) -> Outcome:
    named = [(answer.dy, answer.dx), *((dy, dx) for dy, dx, _ in answer.candidates)]
    errors = np.array(named) - trial.drift
    return Outcome(
        errors[0],
        np.array(answer.sigma),
        trial.bound,
        answer.ambiguous,
        bool((np.linalg.norm(errors, axis=1) <= HIT_RADIUS).any()),
    )


def summary(outcomes: Sequence[Outcome]) -> Metrics:
    """Fractions of all trials; `rmse` and `sigma` are of the hits, over both axes.

    `within`: right, called ambiguous or not. `wrong`: neither right nor called ambiguous.
    `contained`: the drift or one of the candidates is right. `rmse`: of the errors divided by the
    Cramer-Rao bound of their pair. `sigma`: fraction of errors of at most one sigma.
    """
    hits = [outcome for outcome in outcomes if outcome.hit]
    ratios = np.array([outcome.error / outcome.bound for outcome in hits])
    sure = np.array([np.abs(outcome.error) <= outcome.sigma for outcome in hits])
    known = hits and np.isfinite([outcome.sigma for outcome in hits]).all()
    return {
        "trials": len(outcomes),
        "within": _rounded(_mean(outcome.hit for outcome in outcomes)),
        "ambiguous": _rounded(_mean(outcome.ambiguous for outcome in outcomes)),
        "wrong": _rounded(_mean(not (o.hit or o.ambiguous) for o in outcomes)),
        "contained": _rounded(_mean(outcome.contained for outcome in outcomes)),
        "rmse": _rounded(float(np.sqrt(np.mean(ratios**2)))) if hits else None,
        "sigma": _rounded(float(np.mean(sure))) if known else None,
    }


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))


def _rounded(value: float) -> float:
    return round(value, 4)


def _frame(pixels: torch.Tensor, colour: Colour) -> Frame:
    """As users pass it: masked where no pixel was recorded."""
    frame = pixels.numpy()
    if colour != white:
        return colour.after(frame.astype(np.float64)).astype(np.float32)
    return frame if np.isfinite(frame).all() else np.ma.masked_invalid(frame)
