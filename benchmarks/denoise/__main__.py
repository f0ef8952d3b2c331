"""make bench-denoise: compares denoisers and restoring networks, in benchmarks/denoise.md.

Scores of other packages that were measured before come from benchmarks/denoise/peer_scores.json,
and their pictures from runs/peers; CPU seconds are always measured again. `--quick` takes a few
cases only, and `--models` adds `.onnx` files; both print the tables instead of writing them.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.denoise import report, strips, timing
from benchmarks.denoise.methods import Method, methods
from benchmarks.denoise.peer_scores import PeerScores
from benchmarks.denoise.peers import ROOT, Floats
from stemzoo.common.atomic import replacing
from training.evaluation.cases import TOPICS, Case, cases
from training.evaluation.measures import Score, judged

RESULTS = ROOT / "benchmarks" / "denoise.md"
STRIP_FOLDER = ROOT / "docs" / "denoise"
STRIP_CONDITIONS = (  # topic and condition of the rows of a specimen's strip
    ("specimens", "peak 5"),
    ("specimens, row jitter of 1 px", "peak 30"),
    ("specimens, coloured noise", "afterglow along x, peak 5"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parsed(arguments)
    torch.set_num_threads(1)
    found = methods(options.models, options.only)
    whole = not (options.quick or options.models or options.only or options.no_timing)
    folder = options.pictures or (STRIP_FOLDER if whole else None)
    try:
        results, pictures = run(found, options.topics, PeerScores(), folder, options.quick)
        seconds = {} if options.no_timing else timing.measured(found, options.quick)
    finally:
        for method in found:
            method.close()
    text = report.written(results, seconds)
    if whole and options.topics == list(TOPICS):
        with replacing(RESULTS) as file:
            file.write(f"{text}\n{_machine()}".encode())
    else:
        print(text)
    if folder:
        for subject, answers in pictures.items():
            strips.save(folder, subject, answers)


Shown = dict[str, list[tuple[Case, dict[str, Floats]]]]


def run(
    found: Sequence[Method],
    topics: Sequence[str],
    kept: PeerScores,
    folder: Path | None = None,
    quick: bool = False,
) -> tuple[list[report.Judged], Shown]:
    """The scores of every case by every method that takes it, and the pictures for the strips, if
    these are to be saved in a folder."""
    results: list[report.Judged] = []
    pictures: Shown = {}
    for topic in topics:
        taken = [each for each in found if each.takes(topic) and (each.quick or not quick)]
        for case in cases([topic], quick):
            if folder and (case.topic, case.condition) in STRIP_CONDITIONS:
                answers = {method.name: method.answer(case) for method in taken}
                pictures.setdefault(case.subject, []).append((case, answers))
            else:
                answers = {}
            for method in taken:
                score = _score(method, case, kept, answers.get(method.name))
                results.append(report.Judged(method.name, case, score))
    return results, pictures


def _score(method: Method, case: Case, kept: PeerScores, answer: Floats | None) -> Score:
    """What was kept of it, or the score of its answer."""
    known = kept.get(method.name, case) if method.kept else None
    if known is not None:
        return known
    score = judged(method.answer(case) if answer is None else answer, case)
    if method.kept:
        kept.put(method.name, case, score)
    return score


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"{', '.join(TOPICS)}; or all")
    parser.add_argument("--quick", action="store_true", help="few cases, about two minutes")
    parser.add_argument(
        "--models", nargs="+", default=[], metavar="PATH", help=".onnx files to judge as well"
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="methods whose names begin so"
    )
    parser.add_argument("--no-timing", action="store_true", help="quality only")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="where picture strips go")
    options = parser.parse_args(arguments)
    options.topics = options.topics or list(TOPICS)
    if unknown := set(options.topics) - set(TOPICS):
        parser.error(f"there is no topic {', '.join(unknown)}; expected {', '.join(TOPICS)}")
    return options


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}.\n"


if __name__ == "__main__":
    main()
