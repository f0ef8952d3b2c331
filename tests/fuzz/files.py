"""Spoilt files of every format: each is read, or refused by the one error, at once and in bounds.

    python -m tests.fuzz.files --count 1000 [FORMAT ...]

Each format is read in a process of its own, whose memory is limited by what a file of that size may
hold. Wrong are any other error, more than SECONDS of processor time, a lack of memory, the end of
the process, and none.
"""

from __future__ import annotations

import argparse
import json
import resource
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import numpy as np

from stemzoo.common.errors import FileError
from stemzoo.io import bounds, read
from tests.fuzz.byte_edits import KINDS, edited
from tests.fuzz.good_files import GOOD

SECONDS = 5.0  # of processor time for one file of some kilobytes
PATIENCE = 1800  # s for all files of one format: a library that hangs cannot be interrupted
COPIES = 5  # of the pixels that a file may hold, at once in memory: raw, unpacked, converted
ODD = [0, 1, 2, 3, 7, 8, 255, 256, 32767, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40]
ODD += [2**63 - 1]


@dataclass
class Tally:
    read: int = 0
    refused: int = 0
    slowest: float = 0.0  # s of processor time
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.read} read, {self.refused} refused, slowest {self.slowest:.2f} s, "
            f"{len(self.wrong)} wrong"
        )


def spoilt(content: bytes, random: Random) -> bytes:
    """The bytes with one to four faults, most of them where headers are."""
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        content = _spoilt_once(content, random) or b"\0"
    return content


def _spoilt_once(content: bytes, random: Random) -> bytes:
    reach = len(content) if random.random() < 0.4 else min(len(content), 1200)
    at = random.randrange(reach)
    if random.random() < 0.2:  # directories of TIFF and zip are at the end
        at = max(0, len(content) - 1 - random.randrange(600))
    plain = edited(content, at, random.randrange(KINDS), random)
    if plain is not None:
        return plain
    form = random.choice("BHIQ")
    number = random.choice(ODD) % (1 << 8 * struct.calcsize(form))
    value = struct.pack(random.choice("<>") + form, number)
    return content[:at] + value + content[at + len(value) :]


def fuzz(name: str, count: int, seed: int) -> Tally:
    """Spoilt files of one format, read in this process."""
    tally, random = Tally(), np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / f"a{GOOD[name].suffix}"
        good = [content for content in GOOD[name].made(Path(folder), random)]
        largest = max(map(len, good))
        for content in good:
            path.write_bytes(content)
            read(path, signal=GOOD[name].signal)
        _limit_memory(COPIES * max(bounds.ALWAYS, bounds.RATIO * largest))
        for number in range(count):
            luck = Random(f"{name}/{seed}/{number}")
            path.write_bytes(spoilt(luck.choice(good), luck))
            _try(path, name, number, tally)
    return tally


def _try(path: Path, name: str, number: int, tally: Tally) -> None:
    began = time.process_time()
    try:
        read(path, signal=GOOD[name].signal)
        tally.read += 1
    except FileError as error:
        tally.refused += 1
        if isinstance(error.__cause__, MemoryError):
            tally.wrong.append(f"{name} {number}: took more memory than its file explains")
    except BaseException as error:
        tally.wrong.append(f"{name} {number}: {type(error).__name__}: {error}")
    took = time.process_time() - began
    tally.slowest = max(tally.slowest, took)
    if took > SECONDS:
        tally.wrong.append(f"{name} {number}: {took:.1f} s")


def _limit_memory(more: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def in_process(name: str, count: int, seed: int = 1) -> Tally:
    """The same in a process of its own."""
    words = [sys.executable, "-m", "tests.fuzz.files", "--alone", name]
    try:
        done = subprocess.run(
            [*words, "--count", str(count), "--seed", str(seed)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return Tally(wrong=[f"{name}: no end within {PATIENCE} s"])
    try:
        return Tally(**json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        end = done.stderr.strip().splitlines()[-1:]
        return Tally(wrong=[f"{name}: the process ended with {done.returncode}: {end}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", help=f"of {', '.join(GOOD)} (default: all)")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(asdict(fuzz(given.alone, given.count, given.seed))))
        return
    wrong = []
    for name in given.formats or GOOD:
        tally = in_process(name, given.count, given.seed)
        print(f"{name}: {tally}", *tally.wrong[:5], sep="\n  ", flush=True)
        wrong += tally.wrong
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
