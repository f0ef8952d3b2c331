"""Benchmark of the NCC over +-32 px: a pair, and a batch against one reference."""

from __future__ import annotations

from functools import partial
from typing import Any

import cv2
import ducc0
import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray
from skimage.feature import match_template
from skimage.registration import phase_cross_correlation

import stemzoo
from benchmarks.timing import Job, by_size, medians, milliseconds, table

MAX_SHIFT = 32
NCC_SIZES = (256, 512, 1024, 2048)
BATCH_FRAMES = 16

Image = NDArray[np.float32]


def report() -> str:
    parts = ["## Normalised cross-correlation, every lag to +-32 px, ms per pair\n"]
    for threads in (1, 2):
        parts += [f"{threads} thread{'s' * (threads > 1)}, float32:\n", _pairs(threads)]
    parts += [
        f"A batch of {BATCH_FRAMES} frames against one reference, ms per frame:\n",
        _batches(),
    ]
    return "\n".join(parts)


def _pairs(threads: int) -> str:
    columns = {size: medians(_jobs(size, threads)) for size in NCC_SIZES}
    return by_size(columns)


def _jobs(size: int, threads: int) -> dict[str, Job]:
    cv2.setNumThreads(threads)
    reference, moving = _pair(size)
    inner = np.ascontiguousarray(reference[MAX_SHIFT:-MAX_SHIFT, MAX_SHIFT:-MAX_SHIFT])
    return {
        "stemzoo.ncc": partial(stemzoo.ncc, reference, moving, MAX_SHIFT, threads=threads),
        "floor: three ducc0 real FFTs": Floor(reference, moving, threads),
        "OpenCV matchTemplate": partial(cv2.matchTemplate, moving, inner, cv2.TM_CCOEFF_NORMED),
        "OpenCV phaseCorrelate": partial(cv2.phaseCorrelate, reference, moving),
        "SciPy correlate, not normalised": partial(_scipy, reference, moving, threads),
        "scikit-image phase_cross_correlation": partial(phase_cross_correlation, reference, moving),
        "scikit-image match_template": partial(match_template, moving, inner),
    }


class Floor:
    """The least work of an exact FFT method: two forward transforms and one inverse."""

    def __init__(self, reference: Image, moving: Image, threads: int) -> None:
        side = ducc0.fft.good_size(reference.shape[0] + MAX_SHIFT, True)
        self.padded = [np.zeros((side, side), np.float32) for _ in range(2)]
        for padded, image in zip(self.padded, (reference, moving), strict=True):
            padded[: image.shape[0], : image.shape[1]] = image
        self.spectra = [np.empty((side, side // 2 + 1), np.complex64) for _ in range(2)]
        self.surface = np.empty((side, side), np.float32)
        self.threads = threads

    def __call__(self) -> None:
        for padded, spectrum in zip(self.padded, self.spectra, strict=True):
            ducc0.fft.r2c(padded, out=spectrum, nthreads=self.threads)
        side = self.surface.shape[1]
        ducc0.fft.c2r(self.spectra[0], lastsize=side, out=self.surface, nthreads=self.threads)


def _batches() -> str:
    rows: dict[str, list[str]] = {}
    for size in NCC_SIZES:
        reference, moving = _pair(size)
        frames = np.stack([np.roll(moving, k, axis=0) for k in range(BATCH_FRAMES)])
        jobs: dict[str, Job] = {}
        for threads in (1, 2):
            reference_ncc = stemzoo.NccReference(reference, MAX_SHIFT, threads=threads)
            jobs[f"stemzoo.NccReference, {threads} thread{'s' * (threads > 1)}"] = partial(
                reference_ncc, frames
            )
        jobs["stemzoo.ncc pair by pair, 1 thread"] = partial(_one_by_one, reference, frames)
        for name, seconds in medians(jobs, rounds=7).items():
            rows.setdefault(name, []).append(milliseconds(seconds / BATCH_FRAMES))
    return table(
        ["", *(str(size) for size in NCC_SIZES)], [[n, *cells] for n, cells in rows.items()]
    )


def _one_by_one(reference: Image, frames: NDArray[np.float32]) -> None:
    for frame in frames:
        stemzoo.ncc(reference, frame, MAX_SHIFT, threads=1)


def _scipy(reference: Image, moving: Image, threads: int) -> Any:
    with scipy.fft.set_workers(threads):
        return scipy.signal.correlate(moving, reference, mode="same", method="fft")


def _pair(size: int) -> tuple[Image, Image]:
    random = np.random.default_rng(size)
    wide = random.normal(size=(size + 8, size + 8)).astype(np.float32)
    return np.ascontiguousarray(wide[:size, :size]), np.ascontiguousarray(
        wide[5 : size + 5, 3 : size + 3]
    )
