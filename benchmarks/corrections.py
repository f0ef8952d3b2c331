"""python -m benchmarks.corrections: an EDS cube of 512 x 512 x 1024 corrected by stemzoo apply.

Counts, memory and time, in files: the cube is made, a pair's correction is saved, the command runs.
Writes the table of docs/corrections.md.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.scan_pairs import replaced
from benchmarks.timing import table
from stemzoo.registration.correction.correction import Correction
from stemzoo.registration.correction.recording import Recording

PAGE = Path(__file__).parents[1] / "docs" / "corrections.md"
SIDE, ENERGIES, CHUNK = 512, 1024, 64  # px, channels, channels in a chunk
BLOCK = 8  # rows that are made or summed at once
DRIFT = 12.0  # px
TINY = 16  # px: of the cube whose memory is taken for that of the program itself
POLL = 0.005  # s


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=SIDE)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder), given.side)
    head = ["file", "method", "counts lost", "memory, MiB", "chunks", "processor seconds"]
    part = table(head, rows) + "\n"
    PAGE.write_text(replaced(PAGE.read_text(), "cube", part))
    print(part)


def measured(folder: Path, side: int) -> list[list[str]]:
    """A row for each kind of file and method."""
    counts = made(folder / "whole", side)
    made(folder / "tiny", TINY)
    chunk = side * side * CHUNK * 4 / 2**20
    rows = []
    for name in ("cube.npy", "cube.hspy"):
        for method in ("rebin", "interpolate"):
            idle, _, _ = _applied(folder / "tiny", name, method)
            memory, seconds, total = _applied(folder / "whole", name, method)
            lost = f"{abs(1 - total / counts):.1e}" if method == "rebin" else ""
            used = memory - idle
            rows.append(
                [name, method, lost, f"{used:.0f}", f"{used / chunk:.1f}", f"{seconds:.0f}"]
            )
    return rows


def made(folder: Path, side: int) -> float:
    """A correction, and a cube in two formats; the counts in it."""
    random = np.random.default_rng(1)
    folder.mkdir()
    path = np.linspace(0, 1, side)[:, None] * [DRIFT, -DRIFT / 2]
    path = path + random.normal(0, 0.5, (side, 2)) * [0, 1]
    scan = Recording((side, side), path)
    Correction("rows", (side, side), (scan,)).save(folder / "correction.json")
    cube = folder / "cube.npy"
    array = np.lib.format.open_memmap(cube, "w+", np.uint16, (side, side, ENERGIES))
    for top in range(0, side, BLOCK):
        array[top : top + BLOCK] = random.poisson(0.05, (BLOCK, side, ENERGIES))
    array.flush()
    _as_hspy(cube, cube.with_suffix(".hspy"))
    return _sum(cube)


def _applied(folder: Path, name: str, method: str) -> tuple[float, float, float]:
    """Memory in MiB, seconds and counts of one run."""
    out = folder / "out.npy"
    more = ["--rebin"] if method == "rebin" else []
    call = ["apply", str(folder / "correction.json"), str(folder / name), "-o", str(out), *more]
    memory, seconds = _memory(call)
    total = _sum(out) if method == "rebin" else 0.0
    out.unlink()
    return memory, seconds, total


def _as_hspy(cube: Path, path: Path) -> None:
    """The same in HDF5, in chunks of whole maps of some energies."""
    import h5py
    from rsciio.hspy import file_writer

    array = np.load(cube, mmap_mode="r")
    axes = [
        {"_type": "UniformDataAxis", "name": name, "units": "", "scale": 1.0, "offset": 0.0}
        | {"size": size, "navigate": name != "Energy"}
        for name, size in zip(("y", "x", "Energy"), array.shape, strict=True)
    ]
    signal = {"data": array[:1, :1], "axes": axes, "metadata": {}, "original_metadata": {}}
    signal |= {"attributes": {"_lazy": False}, "tmp_parameters": {}, "learning_results": {}}
    signal |= {"models": {}, "package_info": {"package": "benchmark", "package_version": "1"}}
    signal["metadata"] = {"General": {"title": "cube"}}
    file_writer(str(path), signal, show_progressbar=False)
    with h5py.File(path, "r+") as file:
        group = next(iter(file["Experiments"].values()))
        del group["data"]
        stored = group.create_dataset(
            "data", array.shape, array.dtype, chunks=(*array.shape[:2], CHUNK)
        )
        for first in range(0, ENERGIES, CHUNK):
            stored[:, :, first : first + CHUNK] = array[:, :, first : first + CHUNK]


def _sum(path: Path) -> float:
    array = np.load(path, mmap_mode="r")
    tops = range(0, len(array), BLOCK)
    return sum(float(array[top : top + BLOCK].sum(dtype=np.float64)) for top in tops)


def _memory(call: list[str]) -> tuple[float, float]:
    """MiB that the command has for itself at most, beside pages of files; and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([sys.executable, "-m", "stemzoo", *call], stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            said = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        lines = [line for line in said.splitlines() if line.startswith("RssAnon")]
        most = max([most, *(int(line.split()[1]) for line in lines)])
        time.sleep(POLL)
    if process.wait():
        raise SystemExit(f"stemzoo {' '.join(call)} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return most / 1024, seconds


if __name__ == "__main__":
    main()
