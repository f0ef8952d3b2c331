"""All denoisers with one interface: ours, the peers' programs, SciPy and scikit-image."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray
from skimage.restoration import denoise_nl_means

import stemzoo
from benchmarks.denoise.peers import (
    PEERS,
    ROOT,
    TK_R_EM,
    TRANSPOSED,
    Cleaner,
    Floats,
    Frame,
    Process,
    cached,
)
from benchmarks.peers.anscombe import forward, inverse
from stemzoo.zoo.index import newest
from training.evaluation.cases import Case
from training.evaluation.measures import fidelity

OUR_MODELS = ("denoise-atomic", "denoise-live", "restore-scan", "lobato-restore")
RAW = "raw"


@dataclass(frozen=True)
class Method:
    """`answer` may use the cache, `timed` never does. `kept`: scores are kept, since it is slow."""

    name: str
    answer: Callable[[Case], Floats]
    timed: Cleaner
    kept: bool = False
    takes: Callable[[str], bool] = lambda topic: True
    close: Callable[[], None] = lambda: None
    quick: bool = True  # takes seconds per picture, not minutes


def methods(models: Sequence[str] = (), only: Sequence[str] = ()) -> list[Method]:
    """Raw, ours, these `.onnx` files, the peers that are installed, and plain filters.

    `only` selects the methods whose name begins with one of these.
    """
    found = [_plain(RAW, lambda image: image)]
    found += [
        _ours(newest(ROOT / "zoo" / name)) for name in OUR_MODELS if (ROOT / "zoo" / name).is_dir()
    ]
    found += [_ours(Path(path)) for path in models]
    found += installed()
    nlm = "non-local means + variance stabilisation"
    found.append(_plain(nlm, non_local_means, kept=True))
    found.append(_plain("Gaussian 1.5 px", partial(scipy.ndimage.gaussian_filter, sigma=1.5)))
    return [each for each in found if not only or each.name.startswith(tuple(only))]


def installed() -> list[Method]:
    """The peers whose environment is installed; a message for each other."""
    found = []
    for peer in PEERS:
        if not peer.installed:
            make = f"make .venv-{peer.environment}/ready"
            print(f"{peer.name} is left out; `{make}` gets it", file=sys.stderr)
            continue
        runs = Process(peer)
        other = Process(TRANSPOSED) if peer is TK_R_EM else runs
        found.append(
            Method(
                peer.name,
                partial(_either_way, runs, other),
                runs,
                kept=True,
                takes=peer.takes,
                close=partial(_close, runs, other),
                quick=not peer.topics,
            )
        )
    return found


def _either_way(runs: Process, other: Process, case: Case) -> Floats:
    """The better of both orientations if the noise is directional and the peer supports both."""
    answer = cached(runs, case, runs.peer.folder)
    if other is runs or not case.colour.directed:
        return answer
    turned = cached(other, case, other.peer.folder)
    return max(answer, turned, key=lambda image: fidelity(image, case.truth))


def _close(*processes: Process) -> None:
    for process in processes:
        process.close()


def _ours(path: Path) -> Method:
    model = stemzoo.load(path, threads=1, trust=True)
    listed = path.is_relative_to(ROOT / "zoo")
    version = f"{model.contract.name} {model.contract.version}"
    run = _restored if model.contract.task == "restore" else _denoised
    return _plain(version if listed else f"{version}, {path}", partial(run, model))


def _denoised(model: stemzoo.Model, image: Frame) -> NDArray[Any]:
    return stemzoo.denoise(image, model)


def _restored(model: stemzoo.Model, image: Frame) -> NDArray[Any]:
    restored: NDArray[Any] = stemzoo.restore(image, model)
    return restored


def _plain(name: str, function: Callable[[Frame], NDArray[Any]], kept: bool = False) -> Method:
    """A function that runs in this process, without a cache."""

    def timed(image: Frame) -> tuple[Floats, float]:
        started = time.process_time()
        result = function(image)
        return np.asarray(result, np.float32), time.process_time() - started

    return Method(name, lambda case: timed(case.noisy)[0], timed, kept)


def non_local_means(counts: Frame) -> NDArray[np.float64]:
    """Non-local means at unit variance, with the best settings for the perovskite."""
    clean = denoise_nl_means(
        forward(counts), patch_size=7, patch_distance=21, h=0.5, sigma=1, fast_mode=True
    )
    return inverse(np.asarray(clean, np.float64))
