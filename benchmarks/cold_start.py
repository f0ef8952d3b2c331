"""benchmarks/cold_start.md: python -m benchmarks.cold_start

Processor time of `stemzoo denoise` on a file of 1024 x 1024 px in a process of its own, beside what
no program that runs the network can do without: its first run in ONNX Runtime, in a process of its
own, too. Taken alternately.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.io import Micrograph, write
from stemzoo.zoo.catalogue import find
from tests.python.microscope_files import write_dm

RESULTS = Path(__file__).with_name("cold_start.md")
SIDE, ROUNDS = 1024, 3
MODELS = ("denoise-atomic", "denoise-live")
HEAD = f"""# A cold start

Written by `python -m benchmarks.cold_start`: seconds of processor time for {SIDE} x {SIDE} px on
one thread, the least and the median of {ROUNDS} rounds, taken alternately, on 2 cores shared with
other work.

| | the network's first run | `stemzoo denoise` on a TIFF | on a DM4 |
|---|---|---|---|"""
STEMZOO = Path(sys.executable).with_name("stemzoo")
ALONE = """
import sys, time
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.add_session_config_entry("session.intra_op.allow_spinning", "0")
session = onnxruntime.InferenceSession(sys.argv[1], options, ["CPUExecutionProvider"])
image = numpy.random.default_rng(0).standard_normal((1, 1, SIDE, SIDE), numpy.float32)
began = time.process_time()
session.run(None, {"image": image})
print(time.process_time() - began)
""".replace("SIDE", str(SIDE))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = _files(Path(folder))
        took: dict[tuple[str, str], list[float]] = {}
        for file in files:
            _command(file, Path(folder) / "clean.tif", MODELS[-1])
        for _ in range(ROUNDS):
            for model in MODELS:
                took.setdefault((model, "alone"), []).append(_alone(model))
                for file in files:
                    spent = _command(file, Path(folder) / "clean.tif", model)
                    took.setdefault((model, file.suffix), []).append(spent)
    lines = [HEAD]
    for model in MODELS:
        cells = [_said(took[model, what]) for what in ("alone", ".tif", ".dm4")]
        lines.append(f"| {model} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def _files(folder: Path) -> list[Path]:
    clean = perovskite((SIDE, SIDE), seed=1).image((SIDE, SIDE))
    counts = expose(clean, 30, np.random.default_rng(1)).astype(np.uint16)
    write(folder / "scan.tif", Micrograph(counts, (0.02, 0.02), "nm"))
    write_dm(folder / "scan.dm4", [counts], version=4)
    return [folder / "scan.tif", folder / "scan.dm4"]


def _alone(model: str) -> float:
    words: list[str | Path] = [sys.executable, "-c", ALONE, find(model).path]
    return float(subprocess.run(words, check=True, capture_output=True).stdout)


def _command(file: Path, target: Path, model: str) -> float:
    """Modules are compiled, as pip leaves them, wherever this runs."""
    target.unlink(missing_ok=True)
    compiled = {"PYTHONPYCACHEPREFIX": str(file.parent), "PYTHONDONTWRITEBYTECODE": ""}
    words: list[str | Path] = [STEMZOO, "denoise", file, "-o", target, "--model", model]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*words, "--threads", "1"], check=True, capture_output=True, env=os.environ | compiled
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _said(seconds: list[float]) -> str:
    return f"{min(seconds):.2f} / {np.median(seconds):.2f}"


if __name__ == "__main__":
    main()
