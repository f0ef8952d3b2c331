"""Benchmark of loading a model: the cost of the hash and the gate, and of the first load."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import stemzoo
from benchmarks.timing import medians, milliseconds, table
from stemzoo import _core
from stemzoo.model_file.contract import Contract
from stemzoo.zoo.folder import add, reindex
from training.export import to_onnx
from training.networks.plain import PlainStack

ZOO = Path(__file__).parents[1] / "zoo"
LARGE_MODEL = "denoise-large"  # a network of 15 MB, made here
WIDTHS, KERNEL = (136,) * 9 + (1,), 5
FRESH_PROCESSES = 7  # processes that load a model first of all
LOADING_PROGRAM = """
import time, stemzoo
before = time.perf_counter()
stemzoo.load({!r})
print(time.perf_counter() - before)
"""


def report() -> str:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STEMZOO_CACHE"], os.environ["STEMZOO_URL"] = f"{folder}/cache", f"{folder}/zoo"
        _make_large(Path(folder) / "zoo")
        stemzoo.pull(LARGE_MODEL)
        names = [LARGE_MODEL, *sorted({info.name for info in stemzoo.models()} - {LARGE_MODEL})]
        rows = [_row(name) for name in names]
    head = ["", "MB", "sha256", "gate", "a load", "share", "first load of a process", "share"]
    return "\n".join(
        [
            "## Loading a model, ms\n",
            table(head, rows),
            f"{LARGE_MODEL} comes from the cache, the others from the wheel. Shares are those of "
            "sha256 and gate together.\n",
        ]
    )


def _make_large(zoo: Path) -> None:
    contract = Contract(
        name=LARGE_MODEL,
        version="0.0.1",
        task="denoise",
        multiple=1,
        halo=len(WIDTHS) * (KERNEL // 2),
        normalisation="mean-std",
        licence="MIT",
        training='{"recipe": "none"}',
    )
    content = to_onnx(PlainStack(WIDTHS, KERNEL).eval(), contract)
    add(zoo, {f"{LARGE_MODEL}-0.0.1.onnx": content}, LARGE_MODEL)
    reindex(zoo)


def _row(name: str) -> list[str]:
    content = stemzoo.load(name).path.read_bytes()
    times = medians(
        {
            "sha256": lambda: hashlib.sha256(content).hexdigest(),
            "gate": partial(_core.examine, content, name),
            "load": partial(stemzoo.load, name),
        }
    )
    checks, fresh = times["sha256"] + times["gate"], _fresh(name)
    return [
        name,
        f"{len(content) / 1e6:.1f}",
        *(milliseconds(times[key]) for key in ("sha256", "gate", "load")),
        f"{checks / times['load']:.0%}",
        milliseconds(fresh),
        f"{checks / fresh:.1%}",
    ]


def _fresh(name: str) -> float:
    command = [sys.executable, "-c", LOADING_PROGRAM.format(name)]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(FRESH_PROCESSES)
    )
