"""Spoilt models at the gate, and in ONNX Runtime what it lets through.

    python -m tests.fuzz.gate --count 100000 --seed 1

The gate may refuse or accept, and does not hang. What it accepts is opened and run on a small
input in another process, which may raise errors but not die, hang or take gigabytes. What fails is
kept in the folder `fuzz`, and told by its seed and number.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from stemzoo import ModelError, _core
from tests.fuzz.mutate import Mutator
from tests.fuzz.networks import networks

SECONDS = 60  # in the gate, after which it hangs
RUN_SECONDS = 60  # in the runtime, which may compute for an honest while
MEMORY = 4 << 30  # address space of the process that runs
RESIDENT = 1 << 30  # what it may use of that
KEPT = Path("fuzz")

RUN = f"""
import json, re, resource, sys
import numpy as np
from stemzoo import ModelError
from stemzoo.inference.model import Model
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY},) * 2)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
def peak():  # ru_maxrss would include what the parent held when it forked
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s*(\\d+) kB", status.read())[1]) << 10
for line in sys.stdin:
    said = "ran"
    try:
        model = Model(line.rstrip(chr(10)), ["CPUExecutionProvider"], 1)
        fixed, multiple = model.contract.interface.side, model.contract.multiple
        side = fixed or -(-16 // multiple) * multiple
        model.outputs(np.random.default_rng(1).normal(0, 1, (1, 1, side, side)).astype("f4"))
    except ModelError as error:
        said = str(error)[:300]
    print(json.dumps([said, peak()]), flush=True)
"""


class Runner:
    """A process that opens and runs models, begun again when it died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def run(self, path: Path) -> tuple[str, str]:
        """(what the model said, what is wrong about that)."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", RUN],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], RUN_SECONDS)[0]:
            self.stop()
            return "", f"ran for more than {RUN_SECONDS} s"
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self.stop()
            return "", f"ended the process that ran it ({code})"
        said, resident = json.loads(line)
        if resident > RESIDENT:
            self.stop()
            return said, f"took {resident / 2**20:.0f} MiB"
        return said, ""

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@dataclass
class Tally:
    """What became of the models."""

    refused: int = 0
    ran: int = 0
    failed_in_words: int = 0
    slowest: float = 0.0  # seconds in the gate
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.refused} refused, {self.ran} ran, {self.failed_in_words} refused by the "
            f"runtime, at most {self.slowest * 1e3:.0f} ms in the gate, {len(self.wrong)} wrong"
        )


def fuzz(count: int, seed: int, folder: Path, minutes: float = float("inf")) -> Tally:
    mutator, runner, tally = Mutator(networks(), seed), Runner(), Tally()
    began, seen = time.monotonic(), set()
    path = folder / "model.onnx"
    try:
        for number in range(count):
            content = mutator.made(number)
            model = f"seed-{seed}-number-{number}"
            wrong = _examine(content, model, tally)
            digest = hashlib.sha256(content).digest()
            if wrong is None and digest not in seen:
                seen.add(digest)
                path.write_bytes(content)
                said, wrong = runner.run(path)
                tally.ran += said == "ran"
                tally.failed_in_words += said not in ("ran", "")
            if wrong:
                tally.wrong.append(_kept(content, model, wrong))
            if number % 5000 == 4999:
                print(f"{number + 1}: {tally}", flush=True)
            if time.monotonic() - began > 60 * minutes:
                print(f"stopped after {number + 1}", flush=True)
                break
    finally:
        runner.stop()
        path.unlink(missing_ok=True)
    return tally


def _kept(content: bytes, model: str, wrong: str) -> str:
    """Keeps a model that something is wrong with, and says so."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{model}.onnx"
    path.write_bytes(content)
    print(f"{path}: {wrong}", flush=True)
    return f"{path}: {wrong}"


def _examine(content: bytes, model: str, tally: Tally) -> str | None:
    """What is wrong, nothing ("") where the gate refused as it should, None where it accepted."""
    watch = threading.Timer(SECONDS, _end, (content, model))
    watch.start()
    began = time.process_time()
    try:
        _core.examine(content, "spoilt")
        return None
    except ModelError:
        tally.refused += 1
        return ""
    except Exception as error:  # nothing else is an answer
        return f"{type(error).__name__} in the gate: {error}"
    finally:
        watch.cancel()
        tally.slowest = max(tally.slowest, time.process_time() - began)


def _end(content: bytes, model: str) -> None:
    """The gate is C++, which no exception interrupts."""
    _kept(content, model, f"more than {SECONDS} s in the gate")
    os._exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(given.count, given.seed, Path(folder), given.minutes)
    print(tally)
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main()
