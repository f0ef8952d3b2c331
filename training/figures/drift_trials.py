"""Drift on trial: fresh pairs by the cell, several systems on the same ones, what they got right.

A system is a function of (reference, moving, reach) to a Drift, the reach being how far along an
axis the pairs of a cell may drift.
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
from training.figures.common import EVALUATION_SEED, Metrics
from training.figures.drift_limits import observed
from training.simulate.bound import bound, information
from training.simulate.crystal_pairs import KINDS, SHAPES, draw_crystals, draw_shapes
from training.simulate.lattice_pairs import CASES, REACH, SIZE, Scenes, draw_lattices
from training.simulate.troubles import Trouble, record

OURS, CLASSICAL, CHAIN, PEAK = "drift-lattice", "classical", "vasudevan-drift", "highest peak"
DOSES = (1.0, 3.0, 10.0, 100.0)  # electrons per px at the peak of a column
HIT = 0.5  # px, of the length of the error
PART = 50  # pairs drawn at once; the published chain, slow as it is, is asked no more of a cell
NARROW = 32  # px along either axis: how far the published chain reads, and the highest peak lies
SEED = EVALUATION_SEED + 600_000

THIRD = "shifts up to a third"
TROUBLES = {
    "one hot pixel": Trouble(hot=100.0),
    "fixed stripes": Trouble(stripes=0.2),
    "constant rows": Trouble(constant=5),
    "3x less dose in one": Trouble(ratio=3.0),
    "gain and offset": Trouble(gain=2.0, offset=1.0),
    "2 % larger or smaller": Trouble(scale=0.02),
    "2 % drift in the scan": Trouble(stretch=0.02),
    "borders of NaN": Trouble(blank=24),
    THIRD: Trouble(),
}

Frame = NDArray[Any]
System = Callable[[Frame, Frame, float], Drift]
Cells = dict[str, dict[str, dict[str, Metrics]]]  # by group, case, and dose or trouble


@dataclass(frozen=True)
class Setup:
    """Scenes of one case, recorded at each of the doses."""

    group: str
    case: str
    doses: tuple[float, ...]
    count: int
    trouble: Trouble
    label: str = ""  # instead of the dose
    reach: float = REACH
    seed: int = SEED


@dataclass(frozen=True)
class Trial:
    reference: Frame
    moving: Frame
    drift: NDArray[np.float64]
    bound: NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """How one answer compares with the truth."""

    error: NDArray[np.float64]
    sigma: NDArray[np.float64]
    bound: NDArray[np.float64]
    ambiguous: bool
    contained: bool  # the answer or a candidate is the truth

    @property
    def hit(self) -> bool:
        return math.hypot(*self.error) <= HIT


def setups(smoke: bool = False) -> list[Setup]:
    count = 2 if smoke else 200
    doses = DOSES[2:3] if smoke else DOSES
    found = [Setup("lattices", case, doses, count, Trouble()) for case in CASES]
    found += [Setup("unseen", case, doses, count, Trouble()) for case in KINDS]
    found += [Setup("jitter", case, doses, count, Trouble(jitter=0.5)) for case in CASES]
    few = max(1, count // 4)
    found += [Setup("shapes", case, DOSES[2:], few, Trouble()) for case in SHAPES]
    for name, trouble in TROUBLES.items():
        reach = float(SIZE // 3) if name == THIRD else REACH
        for case in list(CASES)[:3]:
            found.append(Setup("robustness", case, (10.0,), 2 * few, trouble, name, reach))
    return [replace(setup, seed=SEED + 1000 * n) for n, setup in enumerate(found)]


def tried(systems: Mapping[str, System], smoke: bool = False) -> Cells:
    """The figures of every system in every cell."""
    cells: Cells = {}
    for setup in setups(smoke):
        outcomes: dict[str, dict[str, list[Outcome]]] = {}
        for label, trial in trials(setup):
            cell = outcomes.setdefault(label, {name: [] for name in systems})
            for name, system in systems.items():
                if name != CHAIN or len(cell[name]) < PART:
                    answer = system(trial.reference, trial.moving, setup.reach)
                    cell[name].append(compared(answer, trial))
        case = cells.setdefault(setup.group, {}).setdefault(setup.case, {})
        for label, found in outcomes.items():
            limits = [outcome.bound for outcome in found[next(iter(systems))]]
            case[label] = {name: summary(answers) for name, answers in found.items()}
            case[label]["bound"] = _rounded(float(np.median(limits)))
        if setup.trouble == Trouble() and not setup.label:
            best = observed(setup.case, setup.doses, setup.count, setup.seed)
            for label, share in zip(outcomes, best or (), strict=bool(best)):
                case[label]["observer"] = _rounded(share)
    return cells


def systems_beside(model: Model) -> dict[str, System]:
    """The model, and what it is measured against."""
    estimate: Callable[..., Drift] = stemzoo.drift
    return {
        OURS: lambda still, moved, reach: estimate(still, moved, model),
        CLASSICAL: lambda still, moved, reach: estimate(still, moved, None),
        CHAIN: lambda still, moved, reach: estimate(still, moved, CHAIN),
        PEAK: highest_peak,
    }


def highest_peak(reference: Frame, moving: Frame, reach: float = REACH) -> Drift:
    """Where the frames correlate best, which is what most tools take for the drift."""
    surface = stemzoo.ncc(reference, moving, max(NARROW, math.ceil(reach)))
    dy, dx = peak(surface)
    return Drift(dy, dx, (math.nan, math.nan), False, float(surface.max()), ())


def trials(setup: Setup) -> Iterator[tuple[str, Trial]]:
    """Every pair of a setup, each with the label of its cell."""
    for start in range(0, setup.count, PART):
        random = torch.Generator().manual_seed(setup.seed + start)
        scenes = drawn(setup.case, min(PART, setup.count - start), random, setup.reach)
        rows = information(scenes)
        for dose in setup.doses:
            pairs = record(scenes, dose, random, setup.trouble)
            one, other = (dose * ratio for ratio in setup.trouble.ratios)
            limits = bound(rows, (one, other), setup.trouble.jitter).numpy()
            frames = zip(pairs.reference, pairs.moving, pairs.drift, limits, strict=True)
            for still, moved, drift, limit in frames:
                trial = Trial(_frame(still), _frame(moved), drift.double().numpy(), limit)
                yield setup.label or f"{dose:g}", trial


def drawn(case: str, count: int, random: torch.Generator, reach: float = REACH) -> Scenes:
    """Scenes of any case there is."""
    if case in CASES:
        return draw_lattices(case, count, random, reach=reach)
    if case in KINDS:
        return draw_crystals(case, count, random, reach=reach)
    if case in SHAPES:
        return draw_shapes(case, count, random, reach=reach)
    known = ", ".join([*CASES, *KINDS, *SHAPES])
    raise ValueError(f"there are no scenes of '{case}'; expected one of {known}")


def compared(answer: Drift, trial: Trial) -> Outcome:
    named = [(answer.dy, answer.dx), *((dy, dx) for dy, dx, _ in answer.candidates)]
    errors = np.array(named) - trial.drift
    return Outcome(
        errors[0],
        np.array(answer.sigma),
        trial.bound,
        answer.ambiguous,
        bool((np.linalg.norm(errors, axis=1) <= HIT).any()),
    )


def summary(outcomes: Sequence[Outcome]) -> Metrics:
    """Shares of all trials; `rmse` and `sigma` are of the hits, over both axes.

    `within`: right, whether or not it is called ambiguous. `wrong`: neither right nor called
    ambiguous. `contained`: the answer or one of the candidates is right. `rmse`: of the errors,
    each over the bound of its pair. `sigma`: the share of errors that are at most one sigma.
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


def _frame(pixels: torch.Tensor) -> Frame:
    """As users pass it: masked where nothing was recorded."""
    frame = pixels.numpy()
    return frame if np.isfinite(frame).all() else np.ma.masked_invalid(frame)
