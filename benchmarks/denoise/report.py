"""The tables of benchmarks/denoise.md: scores and CPU seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.denoise.methods import OUR_MODELS
from benchmarks.denoise.peers import TK_R_EM
from benchmarks.timing import table, times
from training.evaluation.cases import Case
from training.evaluation.measures import Score

LEAST_PICTURES = 3  # for a confidence interval or a table by subject
Timing = Mapping[str, Mapping[int, float]]  # CPU seconds by method and side of the picture

INTRODUCTION = """# Denoising and restoring

Written by `make bench-denoise`: the same pictures for all, one thread each. The noise \
is Poisson; the peak is the expected number of electrons in the brightest pixel. Every figure is a \
mean over pictures, a border of 8 px left out.

- **PSNR**: dB, of the truth's maximum. In brackets: the difference from tk_r_em picture by \
picture, and its 95 % confidence interval where there are several pictures.
- **Slope**: of the intensities over the true ones, 1 where contrast is preserved.
- **F1**: harmonic mean of precision and recall of atom columns, against those that the noise-free \
picture shows. **Weak**: recall of those lower than 0.3 of the highest.
- **Position**: rms error of the columns' positions, px; in brackets the median error over that of \
the Cramer-Rao bound of each column by itself, below 1 where a lattice helps.
- **Rows**: rms of the remaining row displacements along x, px; in brackets over the Cramer-Rao \
bound of each row by itself for a known specimen.
- **Bragg**: power of the residual (noisy less clean) at the lattice's frequencies over that \
around them, 1 where nothing of the lattice was removed or left.
- **Invented**: spots per megapixel that rise over their surroundings by a quarter of the noise's \
standard deviation and by three of the true picture's own, and twice as high as in truth.

tk_r_em is trained for one scan direction. Scan rows are along the first index of the array, its \
better orientation on row jitter. With afterglow it gets both orientations, and the better PSNR of \
each picture counts. BM3D, bmnd and non-local means assume white noise; negative values, from \
interpolation, count as zero.
"""


@dataclass(frozen=True)
class Judged:
    """One picture by one method."""

    method: str
    case: Case
    score: Score


Found = Mapping[tuple[str, str], Sequence[Judged]]  # by method and condition
Cell = Callable[[str, str], str]  # of a method and a condition


def written(judged: Sequence[Judged], timing: Timing) -> str:
    """The whole of denoise.md."""
    parts = [INTRODUCTION]
    if timing:
        parts.append(seconds(timing))
    for topic in dict.fromkeys(each.case.topic for each in judged):
        parts.append(section(topic, [each for each in judged if each.case.topic == topic]))
    return "\n".join(parts)


def section(topic: str, judged: Sequence[Judged]) -> str:
    """The tables of one topic: what there is of fidelity, columns and inventions."""
    conditions = list(dict.fromkeys(each.case.condition for each in judged))
    names = list(dict.fromkeys(each.method for each in judged))
    found: Found = {
        (name, condition): [
            each for each in judged if each.method == name and each.case.condition == condition
        ]
        for name in names
        for condition in conditions
    }
    count = max(len(each) for each in found.values())
    parts = [f"## {topic[0].upper()}{topic[1:]}\n\n{count} picture{'s' * (count > 1)} each.\n"]
    for kind in dict.fromkeys(map(_kind, conditions)):
        columns = [condition for condition in conditions if _kind(condition) == kind]
        parts += [f"### {kind[0].upper()}{kind[1:]}\n"] if kind else []
        for title, cell in _cells(found).items():
            rows = [[name, *(cell(name, condition) for condition in columns)] for name in names]
            if any(any(row[1:]) for row in rows):
                parts.append(table([title, *map(_peak, columns)], rows))
    return "\n".join(parts + _by_subject(judged))


def _cells(found: Found) -> dict[str, Cell]:
    """The title of every table and the content of its cells, empty where undefined."""

    def mean(name: str, condition: str, value: Callable[[Score], float]) -> float:
        values = [value(each.score) for each in found[name, condition]]
        known = [each for each in values if np.isfinite(each)]
        return float(np.mean(known)) if known else np.nan

    def shown(value: Callable[[Score], float], form: str) -> Cell:
        return lambda name, condition: _shown(form, mean(name, condition, value))

    def fidelity(name: str, condition: str) -> str:
        there = _shown("{:.1f}", mean(name, condition, lambda score: score.psnr))
        return there + _gain(found[name, condition], found.get((TK_R_EM.name, condition), ()))

    def likeness(name: str, condition: str) -> str:
        return _shown(
            "{:.3f} / {:.2f}",
            mean(name, condition, lambda score: score.ssim),
            mean(name, condition, lambda score: score.slope),
        )

    def columns(name: str, condition: str) -> str:
        return _shown(
            "{:.3f} / {:.3f}",
            mean(name, condition, lambda score: score.f1),
            mean(name, condition, lambda score: score.weak),
        )

    def position(name: str, condition: str) -> str:
        excess = _shown(" ({:.2f}x)", mean(name, condition, lambda score: score.excess))
        return _shown("{:.3f}", mean(name, condition, lambda score: score.error)) + excess

    def rows(name: str, condition: str) -> str:
        excess = _shown(" ({:.2f}x)", mean(name, condition, lambda score: score.rows_excess))
        return _shown("{:.3f}", mean(name, condition, lambda score: score.rows)) + excess

    return {
        "PSNR, dB": fidelity,
        "SSIM / slope": likeness,
        "F1 / weak": columns,
        "position, px": position,
        "rows, px": rows,
        "Bragg": shown(lambda score: score.bragg, "{:.1f}"),
        "noise std left": shown(lambda score: 100 * score.noise, "{:.1f} %"),
        "invented per Mpx": shown(lambda score: score.invented, "{:.0f}"),
    }


def _shown(form: str, *values: float) -> str:
    """Formatted values, or an empty text if the first is NaN."""
    return "" if np.isnan(values[0]) else form.format(*values).replace("nan", "-")


def _gain(ours: Sequence[Judged], theirs: Sequence[Judged]) -> str:
    """Mean difference of PSNR on the pictures that both have, and its confidence interval."""
    peers = {each.case.name: each.score.psnr for each in theirs}
    pairs = [each.score.psnr - peers[each.case.name] for each in ours if each.case.name in peers]
    if not pairs or ours[0].method == TK_R_EM.name or np.isnan(pairs).any():
        return ""
    if len(pairs) < LEAST_PICTURES:
        return f" ({np.mean(pairs):+.1f})"
    return f" ({np.mean(pairs):+.1f} ± {1.96 * np.std(pairs, ddof=1) / len(pairs) ** 0.5:.1f})"


def _by_subject(judged: Sequence[Judged]) -> list[str]:
    """PSNR of each subject by tk_r_em and by ours with the best mean, if both are present."""
    scores = {(each.method, each.case.subject): [] for each in judged}  # type: ignore[var-annotated]
    for each in judged:
        scores[each.method, each.case.subject].append(each.score.psnr)
    subjects = list(dict.fromkeys(each.case.subject for each in judged))
    ours = [
        name
        for name in dict.fromkeys(method for method, _ in scores)
        if name.startswith(OUR_MODELS)
    ]
    if len(subjects) < LEAST_PICTURES or not ours or (TK_R_EM.name, subjects[0]) not in scores:
        return []
    best = max(ours, key=lambda name: np.mean([np.mean(scores[name, each]) for each in subjects]))
    conditions = list(dict.fromkeys(each.case.condition for each in judged))
    rows = [
        [
            subject,
            *(
                f"{peer:.1f} / {own:.1f} ({own - peer:+.1f})"
                for peer, own in zip(
                    scores[TK_R_EM.name, subject], scores[best, subject], strict=True
                )
            ),
        ]
        for subject in subjects
    ]
    return [f"### tk_r_em / {best}, PSNR, dB\n", table(["", *conditions], rows)]


def _kind(condition: str) -> str:
    """The condition without the peak: the subject of its table."""
    return condition.rpartition(", ")[0]


def _peak(condition: str) -> str:
    return condition.rpartition(", ")[2]


def seconds(timing: Timing) -> str:
    """CPU seconds by side of the picture; in brackets the ratio to tk_r_em's."""
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
    note = (
        "Medians, methods taking turns, on a perovskite with a row jitter of 1 px; starting a "
        "program does not count."
    )
    return f"## Time\n\n{note}\n\n{table(head, rows)}"
