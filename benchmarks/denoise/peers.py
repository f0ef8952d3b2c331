"""The peers' programs, each in an environment of its own, and a cache of what they answered."""

from __future__ import annotations

import glob
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.loop import READY
from stemzoo.common.atomic import replacing
from training.evaluation.cases import Case

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "runs" / "peers"
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}

Frame = NDArray[np.floating]
Floats = NDArray[np.float32]


class Cleaner(Protocol):
    """Whatever cleans a picture, and says how many CPU seconds that took."""

    def __call__(self, image: Frame) -> tuple[Floats, float]: ...


@dataclass(frozen=True)
class Peer:
    """`python -m benchmarks.peers.<program>`, run by .venv-<environment>/bin/python."""

    name: str
    environment: str
    program: str
    options: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()  # that it is quick enough for; empty: all

    @property
    def installed(self) -> bool:
        return (ROOT / f".venv-{self.environment}" / "ready").exists()

    @property
    def python(self) -> Path:
        return ROOT / f".venv-{self.environment}" / "bin" / "python"

    @property
    def folder(self) -> str:
        return "-".join((self.program, *(option.strip("-") for option in self.options)))

    def takes(self, topic: str) -> bool:
        return not self.topics or topic in self.topics


TK_R_EM = Peer("tk_r_em 1.0.4 sfr_hrstem", "tk_r_em", "tk_r_em")
# Scanned rows lie along its first index as ours do: on row jitter the other way loses 3 to 15 dB.
# Afterglow it takes better one way or the other, depending on the dose, and is given the better.
TRANSPOSED = replace(TK_R_EM, options=("--transposed",))
PEERS = (
    TK_R_EM,
    Peer("BM3D 4.0.3 + variance stabilisation", "bm3d", "bm3d_vst"),
    # Minutes a picture: on the white perovskite only.
    Peer("bmnd 0.3.0, Poisson", "bmnd", "bmnd_poisson", topics=("perovskite",)),
)


class Process:
    """A peer's program, started when the first picture comes."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._program: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __call__(self, image: Frame) -> tuple[Floats, float]:
        program = self._program or self._start()
        source, target = self._file("in.npy"), self._file("out.npy")
        np.save(source, np.asarray(image, np.float32))
        assert program.stdin is not None
        try:
            program.stdin.write(f"{source}\t{target}\n")
            program.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        seconds = float(self._answer(program))
        result: Floats = np.load(target)
        return result, seconds

    def _start(self) -> subprocess.Popen[str]:
        self._folder = tempfile.TemporaryDirectory(prefix="stemzoo-peer-")
        with self._file("log.txt").open("w") as log:
            self._program = subprocess.Popen(
                [
                    str(self.peer.python),
                    "-m",
                    f"benchmarks.peers.{self.peer.program}",
                    *self.peer.options,
                ],
                cwd=ROOT,
                env={**os.environ, **ONE_THREAD},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        if self._answer(self._program) != READY:
            raise self._ended()
        return self._program

    def _answer(self, program: subprocess.Popen[str]) -> str:
        assert program.stdout is not None
        line = program.stdout.readline()
        if not line:
            raise self._ended()
        return line.strip()

    def _file(self, name: str) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / name

    def _ended(self) -> RuntimeError:
        last = self._file("log.txt").read_text().strip().splitlines()[-3:]
        return RuntimeError(f"{self.peer.name} ended: {' '.join(last) or 'without a word'}")

    def close(self) -> None:
        if self._program is not None:
            self._program.communicate()  # its input ends, and so does it
            self._program = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def cached(cleaner: Cleaner, case: Case, folder: str, root: Path = CACHE) -> Floats:
    """What a cleaner makes of a case, from `root/folder` where the same picture was cleaned before.

    A file is named after the case and the hash of its picture; those of other pictures of the same
    case are removed.
    """
    digest = hashlib.sha256(repr(case.noisy.shape).encode() + case.noisy.tobytes()).hexdigest()[:16]
    path = root / folder / f"{case.name}-{digest}.npy"
    if path.exists():
        kept: Floats = np.load(path).astype(np.float32)
        return kept
    result, _ = cleaner(case.noisy)
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = glob.escape(path.name.removesuffix(f"{digest}.npy"))
    for stale in path.parent.glob(f"{stem}{'?' * len(digest)}.npy"):
        stale.unlink()
    with replacing(path) as file:
        np.save(file, result)
    return result
