"""Tables of scores and CPU seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.denoise.cases import Case, has_specimens
from benchmarks.denoise.measures import Score
from benchmarks.denoise.peers import TK_R_EM
from benchmarks.timing import table, times

Scores = Mapping[tuple[str, str], Sequence[Score]]  # by method and condition
Timing = Mapping[str, Mapping[int, float]]  # CPU seconds by method and side of the picture

INTRODUCTION = """# Denoising and restoring

Written by `make bench-denoise` in one run: the same pictures for all, one thread each. The noise \
is Poisson; the peak is the expected number of electrons in the brightest pixel. PSNR (dB, of the \
truth's maximum) and SSIM leave out a border of 8 px; every figure is a mean over pictures. The \
slope is that of the intensities over the true ones, 1 where contrast is preserved. In brackets: \
difference from tk_r_em.

tk_r_em is trained for one scan direction. It gets rows of the scan along the first index of the \
array, which is its better orientation on row jitter. Noise with an afterglow it gets in either \
orientation, and the better PSNR of each picture counts. BM3D, bmnd and non-local means are told \
that the noise is white; values below zero, which interpolation makes, count as zero.
"""
STAND_INS = "\nThe specimens are crystals of the training simulator, of seeds that it never used.\n"


@dataclass(frozen=True)
class Judged:
    """One picture by one method."""

    method: str
    case: Case
    score: Score


def written(judged: Sequence[Judged], timing: Timing) -> str:
    """The whole of denoise.md."""
    parts = [INTRODUCTION if has_specimens() else INTRODUCTION + STAND_INS]
    if timing:
        parts.append(seconds(timing))
    for topic in dict.fromkeys(each.case.topic for each in judged):
        parts.append(section(topic, [each for each in judged if each.case.topic == topic]))
    return "\n".join(parts)


def section(topic: str, judged: Sequence[Judged]) -> str:
    """The tables of one topic: PSNR, SSIM and slope, or the noise that blank fields keep."""
    conditions = list(dict.fromkeys(each.case.condition for each in judged))
    names = list(dict.fromkeys(each.method for each in judged))
    scores = {
        (name, condition): [
            each.score
            for each in judged
            if each.method == name and each.case.condition == condition
        ]
        for name in names
        for condition in conditions
    }
    count = max(len(found) for found in scores.values())
    title = f"## {topic[0].upper()}{topic[1:]}\n\n{count} picture{'s' * (count > 1)} each.\n"
    if all(np.isnan(each.score.ssim) for each in judged):
        return f"{title}\n{_noise(names, conditions, scores)}"
    parts = [title]
    for kind in dict.fromkeys(map(_kind, conditions)):
        columns = [condition for condition in conditions if _kind(condition) == kind]
        parts += [f"### {kind[0].upper()}{kind[1:]}\n"] if kind else []
        parts += [_psnr(names, columns, scores), _shape(names, columns, scores)]
    return "\n".join(parts)


def _kind(condition: str) -> str:
    """What the table of a condition is about: all that comes before the peak."""
    return condition.rpartition(", ")[0]


def _peak(condition: str) -> str:
    return condition.rpartition(", ")[2]


def _psnr(names: Sequence[str], conditions: Sequence[str], scores: Scores) -> str:
    rows = []
    for name in names:
        cells = []
        for condition in conditions:
            value = _mean(scores[name, condition], lambda score: score.psnr)
            peer = _mean(scores.get((TK_R_EM.name, condition), ()), lambda score: score.psnr)
            beside = "" if name == TK_R_EM.name or np.isnan(peer - value) else _signed(value - peer)
            cells.append("" if np.isnan(value) else f"{value:.1f}{beside}")
        rows.append([name, *cells])
    return table(["PSNR, dB", *map(_peak, conditions)], rows)


def _shape(names: Sequence[str], conditions: Sequence[str], scores: Scores) -> str:
    rows = []
    for name in names:
        cells = []
        for condition in conditions:
            found = scores[name, condition]
            likeness = _mean(found, lambda score: score.ssim)
            slope = _mean(found, lambda score: score.slope)
            cells.append("" if np.isnan(likeness) else f"{likeness:.3f} / {slope:.2f}")
        rows.append([name, *cells])
    return table(["SSIM / slope", *map(_peak, conditions)], rows)


def _noise(names: Sequence[str], conditions: Sequence[str], scores: Scores) -> str:
    rows = []
    for name in names:
        values = [
            100 * _mean(scores[name, condition], lambda score: score.noise)
            for condition in conditions
        ]
        rows.append([name, *("" if np.isnan(value) else f"{value:.1f} %" for value in values)])
    return table(["noise std left", *conditions], rows)


def _mean(scores: Sequence[Score], value: Callable[[Score], float]) -> float:
    return float(np.mean([value(score) for score in scores])) if scores else np.nan


def _signed(difference: float) -> str:
    return f" ({difference:+.1f})"


def seconds(timing: Timing) -> str:
    """CPU seconds by side of the picture; in brackets beside tk_r_em's."""
    sides = list(dict.fromkeys(side for found in timing.values() for side in found))
    peer = timing.get(TK_R_EM.name, {})
    rows = []
    for name, found in timing.items():
        cells = []
        for side in sides:
            ratio = (
                f" ({times(found[side] / peer[side])})" if side in found and side in peer else ""
            )
            cells.append(f"{found[side]:.3g}{ratio}" if side in found else "")
        rows.append([name, *cells])
    head = ["CPU seconds", *(f"{side} x {side}" for side in sides)]
    note = "Medians, methods taking turns; starting a program does not count."
    return f"## Time\n\n{note}\n\n{table(head, rows)}"
