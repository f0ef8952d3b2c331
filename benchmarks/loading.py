"""Loading: what the hash and the gate cost of it, and how long a model takes from the cache."""

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
from stemzoo.model_file.contract import Contract
from stemzoo.model_file.gate import examine
from stemzoo.zoo.folder import add, reindex
from training.export import to_onnx
from training.networks.plain import PlainStack

ZOO = Path(__file__).parents[1] / "zoo"
LARGE = "denoise-large"  # a network of 15 MB, made here
WIDTHS, KERNEL = (136,) * 9 + (1,), 5
FRESH = 7  # processes that load a model first of all
CODE = """
import time, stemzoo
before = time.perf_counter()
stemzoo.load({!r})
print(time.perf_counter() - before)
"""


def report() -> str:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STEMZOO_CACHE"], os.environ["STEMZOO_URL"] = f"{folder}/cache", f"{folder}/zoo"
        _make_large(Path(folder) / "zoo")
        stemzoo.pull(LARGE)
        names = [LARGE, *sorted({info.name for info in stemzoo.models()} - {LARGE})]
        rows = [_row(name) for name in names]
    head = ["", "MB", "sha256", "gate", "a load", "share", "first load of a process", "share"]
    return "\n".join(
        [
            "## Loading a model, ms\n",
            table(head, rows),
            f"{LARGE} comes from the cache, the others from the wheel. A share is that of sha256 "
            "and gate together.\n",
        ]
    )


def _make_large(zoo: Path) -> None:
    contract = Contract(
        name=LARGE,
        version="0.0.1",
        task="denoise",
        multiple=1,
        halo=len(WIDTHS) * (KERNEL // 2),
        normalisation="mean-std",
        licence="MIT",
        training='{"recipe": "none"}',
    )
    content = to_onnx(PlainStack(WIDTHS, KERNEL).eval(), contract)
    add(zoo, {f"{LARGE}-0.0.1.onnx": content}, LARGE)
    reindex(zoo)


def _row(name: str) -> list[str]:
    content = stemzoo.load(name).path.read_bytes()
    times = medians(
        {
            "sha256": lambda: hashlib.sha256(content).hexdigest(),
            "gate": partial(examine, content, name),
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
    command = [sys.executable, "-c", CODE.format(name)]
    return statistics.median(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(FRESH)
    )
