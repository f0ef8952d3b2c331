"""Drift between frames: how long it takes, and how often a crystal leads it astray."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.registration import phase_cross_correlation

import stemzoo
from benchmarks.drift_tools import CHAIN, FINE, Shift, Tool, our_models, tools
from benchmarks.lattices import CASES, counted, ideal_pair
from benchmarks.timing import Job, by_size, medians, milliseconds, table, times
from stemzoo.registration.shifting import moved

SIZES = (256, 512)
DOSES = (1, 3, 10, 100)  # electrons per px at the peak of a column
TRIALS = 30  # of each case at each dose
RIGHT = 0.5  # px
SERIES = 50  # frames of which every pair is correlated
SAMPLE = 12  # of those pairs, of tools whose time for all is scaled from a few

Series = NDArray[np.float32]


def report() -> str:
    parts = ["## Drift of a pair, one thread, ms\n", _pair_times()]
    parts += [
        f"stemzoo.drift looks as far as a third of the frame, {CHAIN} and OpenCV's and Nion's "
        "templates to +-32 px. "
        f"{CHAIN} runs its denoiser with as many threads as there are cores.\n",
        "## Drift on hexagonal lattices, share within 0.5 px\n",
        f"256 x 256, spacing 8 - 24 px, drift up to 16 px, at a dose of "
        f"{' / '.join(map(str, DOSES))} electrons per px at the peak; {TRIALS} pairs a cell, "
        "the same for every tool.\n",
        _shares(),
        "## DriftTracker, 512 x 512, one thread\n",
        _tracker(),
        f"## Every pair of {SERIES} frames of 512 x 512, seconds\n",
        _all_pairs(),
        "rigidRegistration is not on the package registry. Its row is the arithmetic that "
        "Savitzky et al. (2018) describe, in NumPy: a Fourier transform of each windowed frame, "
        "and for each pair a product, an inverse transform and the highest pixel. "
        f"Peers are timed on {SAMPLE} pairs and scaled.\n",
    ]
    return "\n".join(parts)


def _pair_times() -> str:
    columns = {}
    for size in SIZES:
        reference, moving, _ = _pair("10 % column-intensity spread", size, 10, seed=size)
        jobs: dict[str, Job] = {
            name: partial(tool, reference, moving) for name, tool in tools(size).items()
        }
        columns[size] = medians(jobs)
    return by_size(columns)


def _shares() -> str:
    systems = tools(256)
    rows = {name: [name] for name in systems}
    for case in CASES:
        hits: dict[str, list[list[bool]]] = {name: [] for name in systems}
        for trial in range(TRIALS):
            pairs = [_pair(case, 256, dose, seed=trial) for dose in DOSES]
            for name, tool in systems.items():
                hits[name].append([_right(tool, *pair) for pair in pairs])
        for name, found in hits.items():
            rows[name].append(" / ".join(_share(share) for share in np.mean(found, axis=0)))
    return table(["", *CASES], list(rows.values()))


def _right(tool: Tool, reference: Series, moving: Series, truth: Shift) -> bool:
    return math.dist(tool(reference, moving), truth) <= RIGHT  # NaN is not


def _share(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if 0 < value < 1 else f"{value:.0f}"


def _pair(case: str, size: int, dose: float, seed: int) -> tuple[Series, Series, Shift]:
    """The same scene at every dose."""
    still, moving, truth = ideal_pair(case, size, np.random.default_rng((seed, size)))
    noise = np.random.default_rng((seed, size, int(dose)))
    return counted(still, dose, noise), counted(moving, dose, noise), truth


def _series(frames: int) -> Series:
    """A crystal that drifts by (0.7, -0.4) px a frame."""
    clean, _, _ = ideal_pair("10 % column-intensity spread", 640, np.random.default_rng(3))
    noise = np.random.default_rng(4)
    views = (moved(clean, 0.7 * k, -0.4 * k)[64:-64, 64:-64] for k in range(frames))
    return np.stack([counted(np.maximum(view, 0), 10, noise) for view in views])


def _tracker() -> str:
    frames = _series(20)
    jobs: dict[str, Job] = {}
    for name, model in our_models().items():
        track = stemzoo.DriftTracker(frames[0], model, threads=1)
        # To and fro, so that it never jumps.
        path = itertools.cycle([*frames, *frames[-2:0:-1]])
        jobs[name] = lambda track=track, path=path: track.push(next(path))  # type: ignore[misc]
    seconds = medians(jobs, rounds=60)
    rows = [[name, milliseconds(found), f"{1 / found:.0f}"] for name, found in seconds.items()]
    return table(["", "ms a frame", "frames/s"], rows)


def _all_pairs() -> str:
    frames = _series(SERIES)
    pairs = SERIES * (SERIES - 1) / 2
    rigid = RigidRegistration(frames[0].shape)
    few = list(frames[: SAMPLE + 1])
    spectra = [rigid.spectrum(frame) for frame in few]
    models = {f"stemzoo.align, {name}": model for name, model in our_models().items()}
    jobs: dict[str, Job] = {
        **{
            name: partial(stemzoo.align, frames, model=model, threads=1)
            for name, model in models.items()
        },
        "a frame": partial(rigid.spectrum, frames[0]),
        "pairs": partial(_each, rigid.shift, spectra),
        "pixels": partial(_each, phase_cross_correlation, few),
        "hundredths": partial(_each, FINE, few),
    }
    found = medians(jobs, rounds=3)
    seconds = {
        **{name: found[name] for name in models},
        "rigidRegistration's way, to a pixel": SERIES * found["a frame"]
        + pairs / SAMPLE * found["pairs"],
        "scikit-image phase_cross_correlation, to a pixel": pairs / SAMPLE * found["pixels"],
        "scikit-image phase_cross_correlation, to 1/100 px": pairs / SAMPLE * found["hundredths"],
    }
    ours = next(iter(seconds.values()))
    return table(
        ["", "s", ""], [[name, f"{each:.1f}", times(each / ours)] for name, each in seconds.items()]
    )


def _each(correlate: Callable[[Any, Any], object], frames: Sequence[Any]) -> None:
    for other in frames[1:]:
        correlate(frames[0], other)


class RigidRegistration:
    """Savitzky et al., Ultramicroscopy 191 (2018) 56: cross-correlation under a band-pass."""

    def __init__(self, shape: tuple[int, int]) -> None:
        y, x = (np.sin(np.pi * np.arange(side) / side) ** 2 for side in shape)
        self.window = np.outer(y, x)
        frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, shape), indexing="ij"))
        highest = 1 / 8  # features of less than four pixels are noise
        self.band = (frequency < highest) * np.sin(np.pi * frequency / highest) ** 2

    def spectrum(self, frame: Series) -> NDArray[np.complex128]:
        return np.fft.fft2((frame - frame.mean()) * self.window)

    def shift(self, reference: NDArray[np.complex128], moving: NDArray[np.complex128]) -> Shift:
        correlation = np.abs(np.fft.ifft2(self.band * moving * reference.conj()))
        row, column = np.unravel_index(correlation.argmax(), correlation.shape)
        return float(row), float(column)
