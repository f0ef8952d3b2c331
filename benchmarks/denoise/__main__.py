"""make bench-denoise: denoisers and restorers side by side, into benchmarks/denoise.md.

Pictures that peers have cleaned before come from runs/peers; CPU seconds are always measured anew.
`--quick` takes a few cases only, and `--models` judges `.onnx` files beside the rest; both print
the tables instead of writing them.
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
from benchmarks.denoise.peers import ROOT, Floats
from stemzoo.common.atomic import replacing
from training.evaluation.cases import TOPICS, Case, cases
from training.evaluation.measures import judged

RESULTS = ROOT / "benchmarks" / "denoise.md"
PICTURES = ROOT / "docs" / "denoise"
SHOWN = (  # topic and condition of the rows of a specimen's strip
    ("specimens", "peak 5"),
    ("specimens, row jitter of 1 px", "peak 30"),
    ("specimens, coloured noise", "afterglow along x, peak 5"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parsed(arguments)
    torch.set_num_threads(1)
    found = methods(asked.models, asked.only)
    try:
        results, pictures = run(found, asked.topics, asked.quick)
        seconds = {} if asked.no_timing else timing.measured(found, asked.quick)
    finally:
        for method in found:
            method.close()
    text = report.written(results, seconds)
    whole = not (asked.quick or asked.models or asked.only or asked.no_timing)
    if whole and asked.topics == list(TOPICS):
        with replacing(RESULTS) as file:
            file.write(f"{text}\n{_machine()}".encode())
    else:
        print(text)
    folder = asked.pictures or (PICTURES if whole else None)
    if folder:
        for subject, answers in pictures.items():
            strips.save(folder, subject, answers)


Shown = dict[str, list[tuple[Case, dict[str, Floats]]]]


def run(
    found: Sequence[Method], topics: Sequence[str], quick: bool = False
) -> tuple[list[report.Judged], Shown]:
    """Every case by every method that takes it, and the pictures of what is to be shown."""
    results: list[report.Judged] = []
    pictures: Shown = {}
    for topic in topics:
        taken = [each for each in found if each.takes(topic) and (each.quick or not quick)]
        for case in cases([topic], quick):
            answers = {method.name: method.answer(case) for method in taken}
            results += [
                report.Judged(name, case, judged(image, case)) for name, image in answers.items()
            ]
            if (case.topic, case.condition) in SHOWN:
                pictures.setdefault(case.subject, []).append((case, answers))
    return results, pictures


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
    asked = parser.parse_args(arguments)
    asked.topics = asked.topics or list(TOPICS)
    if unknown := set(asked.topics) - set(TOPICS):
        parser.error(f"there is no topic {', '.join(unknown)}; expected {', '.join(TOPICS)}")
    return asked


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}.\n"


if __name__ == "__main__":
    main()
