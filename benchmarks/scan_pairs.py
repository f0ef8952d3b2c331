"""python -m benchmarks.scan_pairs: scans of two directions merged, side by side with the peers.

Writes the figures and the picture of docs/scan_pairs.md. The peers take minutes a pair; where one
is not installed, in an environment of its own such as .venv-quantem, it is left out.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

import stemzoo
from benchmarks.scan_scenes import ROW_JITTER, Scene, apart, crystal, middles, misplacement, record
from benchmarks.timing import table
from stemzoo.plotting.merge_sheet import save_merge

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "scan_pairs.md"
PICTURE = ROOT / "docs" / "scan_pairs" / "before_and_after.png"
MEASURED_ONLY = "SCAN_PAIRS_MEASURED_ONLY"  # set: tables of what earlier runs measured
KEPT = ROOT / "build" / "scan_pairs.txt"
PEERS = {  # environment, and program in benchmarks/peers
    "scanning-drift-corr 1.0.1": ("scanning-drift-corr", "scanning_drift_corr"),
    "quantem 0.1.10": ("quantem", "quantem_drift"),
}
OURS, RECORDED = "stemzoo.merge_scans", "as recorded"
SIZE, LARGE, DOSE = 512, 2048, 20.0
ANGLES = [0.0, 90.0]
BOTH_WAYS = (0.5, 0.5)  # px rms of jitter across and along rows
OFFSET = 60.0  # px: the farthest that the stage moves between two scans along either axis
HIT = 1.0  # px

Places = Sequence[NDArray[np.floating]]
Measure = Callable[[str, int], tuple[float, ...] | None]  # of a program and a pair


@dataclass(frozen=True)
class Answer:
    places: Places
    seconds: float  # of processors
    ambiguous: bool = False


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "topics", nargs="*", help="paths, 'both ways', crystals, times, picture; or all"
    )
    parser.add_argument("--pairs", type=int, default=12, help="of curved paths")
    parser.add_argument("--crystals", type=int, default=640, help="with one vacancy")
    parser.add_argument("--peer-pairs", type=int, default=3, help="on which peers are run, too")
    parser.add_argument("--kept", type=Path, default=KEPT, help="what is measured already")
    given = parser.parse_args(arguments)
    topics: dict[str, Callable[[], str | None]] = {
        "paths": lambda: paths(given.pairs, given.peer_pairs, given.kept),
        "both ways": lambda: both_ways(given.pairs),
        "crystals": lambda: crystals(given.crystals, given.peer_pairs, given.kept),
        "times": times,
        "picture": draw,
    }
    for name in given.topics or topics:
        part = topics[name]()
        if part is not None:
            PAGE.write_text(replaced(PAGE.read_text(), name, part))
            print(part, flush=True)


def replaced(text: str, name: str, part: str) -> str:
    """The page with what stands between the marks of a topic replaced."""
    pieces = re.split(rf"(<!-- {name} -->\n|<!-- end -->)", text)
    pieces[pieces.index(f"<!-- {name} -->\n") + 1] = part
    return "".join(pieces)


def paths(pairs: int, peer_pairs: int, file: Path) -> str:
    """Misplacement on crystals of 6 % spread in height with five vacancies."""
    scenes = [curved(seed) for seed in range(pairs)]
    rows = [_row(RECORDED, [misplacement(s, _recorded(s)) for s in scenes], None)]
    for name in (OURS, *PEERS):
        seeds = range(pairs if name == OURS else min(pairs, peer_pairs))
        found = [kept(file, path_of, name, seed) for seed in seeds]
        known = [one for one in found if one is not None]
        if known:
            errors, seconds = zip(*known, strict=True)
            rows.append(_row(name, errors, float(np.median(seconds))))
    return table(["", "pairs", "misplacement, px rms", "worst", "processor seconds"], rows) + "\n"


def both_ways(pairs: int) -> str:
    """Misplacement where rows jitter across, too."""
    scenes = [curved(seed, jitter=BOTH_WAYS) for seed in range(pairs)]
    rows = [_row(RECORDED, [misplacement(s, _recorded(s)) for s in scenes], None)]
    answers = [(s, merged(OURS, s)) for s in scenes]
    errors = [misplacement(s, a.places) for s, a in answers if a is not None]
    rows.append(_row(OURS, errors, None))
    return table(["", "pairs", "misplacement, px rms", "worst", ""], rows) + "\n"


def crystals(count: int, peer_pairs: int, file: Path) -> str:
    """The lattice vector, on crystals of columns all alike but for one vacancy."""
    rows = []
    for name in (OURS, *PEERS):
        wanted = range(count if name == OURS else min(count, peer_pairs))
        seeds = sorted({*wanted, *seeds_in(file, crystal_of, name)})
        found = [kept(file, crystal_of, name, seed) for seed in seeds]
        known = [one for one in found if one is not None]
        if known:
            right = sum(bool(hit and not doubt) for hit, doubt in known)
            wrong = sum(bool(not hit and not doubt) for hit, doubt in known)
            flagged = sum(bool(doubt) for _, doubt in known)
            numbers = map(str, (len(known), right, flagged, wrong))
            rows.append([name, *numbers, f"{100 * most_often(wrong, len(known)):.2g} %"])
    head = ["", "pairs", "right", "ambiguous", "wrong, unflagged", "which is at most"]
    return table(head, rows) + "\nAt most: with 95 % confidence (Clopper and Pearson 1934).\n\n"


def crystal_of(name: str, seed: int) -> tuple[float, ...] | None:
    """Whether the lattice vector is right, and whether it is called ambiguous."""
    scene = offset(seed)
    answer = merged(name, scene)
    if answer is None:
        return None
    return float(apart(scene, answer.places) < HIT), float(answer.ambiguous)


def path_of(name: str, seed: int) -> tuple[float, ...] | None:
    """Misplacement and processor seconds."""
    scene = curved(seed)
    answer = merged(name, scene)
    if answer is None:
        return None
    return misplacement(scene, answer.places), answer.seconds


def seeds_in(file: Path, measure: Measure, name: str) -> list[int]:
    """Of the pairs that earlier runs measured."""
    lines = file.read_text().splitlines() if file.exists() else []
    start = f"{measure.__name__};{name};"
    return [int(line.removeprefix(start).split(";")[0]) for line in lines if line.startswith(start)]


def kept(file: Path, measure: Measure, name: str, seed: int) -> tuple[float, ...] | None:
    """What was measured, perhaps by an earlier run that was cut: the file holds a line for each."""
    key = f"{measure.__name__};{name};{seed};"
    for line in file.read_text().splitlines() if file.exists() else []:
        if line.startswith(key):
            return tuple(map(float, line.removeprefix(key).split(";")))
    found = None if MEASURED_ONLY in os.environ else measure(name, seed)
    if found is not None:
        file.parent.mkdir(exist_ok=True)
        with file.open("a") as lines:
            lines.write(key + ";".join(map(str, found)) + "\n")
    return found


def most_often(seen: int, count: int) -> float:
    """The highest probability of what was seen so often that is not ruled out at 5 %."""
    return float(beta.ppf(0.95, seen + 1, count - seen)) if seen < count else 1.0


def times() -> str:
    rows = []
    for size in (SIZE, LARGE):
        scene = curved(3, size)
        stemzoo.merge_scans(scene.scans, scene.angles)
        wall, cpu = time.perf_counter(), time.process_time()
        stemzoo.merge_scans(scene.scans, scene.angles)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        rows.append([f"{size} x {size}", f"{wall:.1f}", f"{cpu:.1f}"])
    load = f"{os.cpu_count()} cores, of which others used part: load {os.getloadavg()[0]:.0f}."
    return table(["two scans of", "seconds", "processor seconds"], rows) + f"\n{load}\n\n"


def curved(seed: int, size: int = SIZE, jitter: tuple[float, float] = ROW_JITTER) -> Scene:
    random = np.random.default_rng(seed)
    specimen = crystal(size, random, vacancies=5, spread=0.06)
    return record(specimen, size, ANGLES, DOSE, random, jitter=jitter)


def offset(seed: int) -> Scene:
    random = np.random.default_rng((7, seed))
    specimen = crystal(SIZE, random)
    dy, dx = random.uniform(-OFFSET, OFFSET, 2)
    return record(specimen, SIZE, ANGLES, DOSE, random, offset=(dy, dx))


def merged(name: str, scene: Scene) -> Answer | None:
    if name != OURS:
        return _peer(*PEERS[name], scene)
    started = time.process_time()
    found = stemzoo.merge_scans(scene.scans, scene.angles)
    seconds = time.process_time() - started
    places = [middles(p, a) for p, a in zip(found.paths, scene.angles, strict=True)]
    return Answer(places, seconds, found.ambiguous)


def draw() -> None:
    """The picture of the page: a pair before and after."""
    scene = curved(1)
    PICTURE.parent.mkdir(exist_ok=True)
    save_merge(PICTURE, scene.scans, stemzoo.merge_scans(scene.scans, scene.angles))


def _recorded(scene: Scene) -> Places:
    return [middles(np.zeros_like(p), a) for p, a in zip(scene.paths, scene.angles, strict=True)]


def _peer(environment: str, program: str, scene: Scene) -> Answer | None:
    python = ROOT / f".venv-{environment}" / "bin" / "python"
    if not python.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "in.npz"), Path(folder, "out.npz")
        np.savez(given, scans=np.stack(scene.scans), angles=np.array(scene.angles))
        command = [str(python), "-m", f"benchmarks.peers.{program}", str(given), str(made)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        found = np.load(made)
        return Answer(list(found["places"]), float(found["seconds"]))


def _row(name: str, errors: Sequence[float], seconds: float | None) -> list[str]:
    rms = np.sqrt(np.mean(np.square(errors)))
    took = "" if seconds is None else f"{seconds:.1f}"
    return [name, str(len(errors)), f"{rms:.2f}", f"{max(errors):.2f}", took]


if __name__ == "__main__":
    main()
