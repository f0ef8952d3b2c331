"""A series laid onto itself: drifts of its pairs of frames, the path they agree on, the average.

All pairs are compared roughly, which tells the candidates that are true; then every frame is
refined against the average of the others (stemzoo.alignment.together).

Frames are read one at a time: to be compared, and to be averaged. What is known of each is kept in
between if the series is small; of a long one nothing grows but numbers and the field that it
covers, and frames are read twice more to be refined.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.alignment.consistency import Pairs, Path, consistent_path
from stemzoo.alignment.frames import Frames
from stemzoo.alignment.least_squares import Floats
from stemzoo.alignment.measuring import KEPT_PIXELS, Looks, Steps, measured, workers
from stemzoo.alignment.pair_file import Key, PairFile
from stemzoo.alignment.strangers import strangers_by_average, strangers_by_pairs
from stemzoo.alignment.together import PASSES, Placed, refined_together, unrefined
from stemzoo.common.arrays import any_kind
from stemzoo.common.chunks import image_shape
from stemzoo.common.progress import Progress
from stemzoo.common.settings import thread_count
from stemzoo.inference.model import Model
from stemzoo.registration.correction.correction import Correction, Corrects
from stemzoo.registration.correction.recording import Recording
from stemzoo.registration.correction.shifted import straightened
from stemzoo.registration.pair import Drift, Estimator

ALL_PAIRS = 64  # frames: up to here, each is compared with each
BAND = 16  # frames, in longer series, that each is compared with
LEAST_SIGMA = 0.15  # px: surer is no pair; the path is rough, and shall follow most of them
LEAST_SCORE = 1e-3  # an answer is never ruled out by its own candidates

Flags = NDArray[np.bool_]


class AlignedFrames:
    """The frames along the path, computed as they are asked for: `images[3]`, a loop, or all.

    float32, NaN where a frame shows nothing; a rejected frame is all NaN. `numpy.asarray(images)`
    makes an array of all of them, which takes the memory of the series.
    """

    dtype = np.dtype(np.float32)
    ndim = 3

    def __init__(self, frames: Frames, shifts: Floats, rates: Floats) -> None:
        self._frames, self._shifts, self._rates = frames, shifts, rates
        self.shape = frames.shape

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        at = range(len(self))[index]
        image, covered = self.straight(at)
        image[~covered] = np.nan
        return image

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return (self[index] for index in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("aligned frames are computed, so they are never without a copy")
        return np.stack(list(self)).astype(dtype or self.dtype, copy=False)

    def straight(self, index: int) -> tuple[NDArray[np.float32], Flags]:
        """A frame with zeros where it shows nothing, and where it shows something."""
        frame, shift = self._frames[index], self._shifts[index]
        if not np.isfinite(shift).all():
            nothing = np.zeros(self.shape[1:], np.float32)
            return nothing, nothing.astype(bool)
        return straightened(frame.pixels, frame.valid, shift, self._rates[index])


@dataclass(frozen=True, eq=False)
class Alignment(Corrects):
    """A series and its drift; N frames of H x W.

    `shifts` (N, 2): how far features have moved since the first frame, px. `sigma` (N, 2): the
    standard deviation of that. `rejected` frames have no place, since they fit nowhere or correlate
    with no other by more than chance: their shifts are NaN and they are in no average.
    `ambiguous` frames may be off by what separates the candidates of their pairs: no chain of pairs
    that are sure links them to the rest.
    `average` (H, W): the mean of the frames, each moved back, in the place of the first; NaN where
    none shows anything. `coverage` (H, W) counts the frames behind each of its pixels.
    `images`: the frames moved back, one by one. `scan_rate` (N, 2): how far features moved while
    each frame was scanned, px; zero unless that was asked for.
    `apply` gives the average, or the sum of counts, of other frames recorded with these.
    """

    shifts: Floats
    sigma: Floats
    ambiguous: Flags
    rejected: Flags
    average: NDArray[np.float32]
    coverage: NDArray[np.int32]
    images: AlignedFrames
    scan_rate: Floats

    def __repr__(self) -> str:
        used = self.shifts[~self.rejected]
        dy, dx = np.ptp(used, axis=0) if len(used) else (np.nan, np.nan)
        rows, columns = image_shape(self.average)
        return (
            f"Alignment({len(used)} of {len(self.shifts)} frames of {rows} x {columns}, drift over "
            f"{dy:.1f} px along y and {dx:.1f} px along x, {int(self.ambiguous.sum())} ambiguous)"
        )

    @property
    def correction(self) -> Correction:
        shape = image_shape(self.average)
        frames = tuple(
            Recording(
                shape,
                -shift[None] if np.isfinite(shift).all() else None,
                sigma[None],
                (-float(rate[0]), -float(rate[1])),
            )
            for shift, sigma, rate in zip(self.shifts, self.sigma, self.scan_rate, strict=True)
        )
        return Correction("alignment", shape, frames)


@any_kind("stack", gives=("average", "coverage", "images"))
def align(
    stack: Any,
    model: str | Model | None = "drift-lattice",
    *,
    max_shift: int | None = None,
    band: int | None = None,
    scan_drift: bool = False,
    resume: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Alignment:
    """The drift of every frame of a series, and the average of the frames without it.

    `stack` is an array (frames, rows, columns) or whatever has its shape, dtype and frames by
    number: a memory-mapped file, an HDF5 or zarr dataset. A sequence or a generator of frames, or
    of paths of files with one image each, is read into memory. Masked pixels, NaN and infinity are
    left out. `model` None compares frames without a network.

    Each frame is compared with up to `band` before it, by default with all in series of up to 64
    frames and with 16 in longer ones, and with fewer where frames are large. Shifts of a pair are
    looked for up to `max_shift` px along either axis. `scan_drift` also undoes the shear and the
    stretch of features that drift while a frame is scanned, row by row.

    `resume` names a file that keeps the measured pairs: a call that was cut goes on from there.
    `progress` counts pairs, and then frames: twice to refine the path, once to average.
    """
    count = thread_count(threads) or os.cpu_count() or 1
    frames = Frames(stack)
    judge = Estimator(frames.shape[1:], model, max_shift=max_shift, threads=1)
    with workers(count) as run:
        series = _Here(frames, judge, band_of(band, frames), run)
        return aligned(series, model, scan_drift=scan_drift, resume=resume, progress=progress)


class Series(Protocol):
    """The frames of a series, and who computes on them: threads here, or workers of a cluster."""

    frames: Frames
    judge: Estimator
    band: int

    def measured(self, kept: PairFile | None, steps: Steps) -> dict[Key, Drift]:
        """The drifts of all pairs up to `band` frames apart."""

    def refined(self, rough: Placed, steps: Steps) -> Placed:
        """Each frame against the average of all others: PASSES steps a frame."""

    def images(self, shifts: Floats, rates: Floats) -> Any:
        """The frames along a path."""

    def average(
        self, shifts: Floats, rates: Floats, steps: Steps
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """The mean at every pixel of the frames that show it, and how many those are."""


def aligned(
    series: Series,
    model: str | Model | None,
    *,
    scan_drift: bool = False,
    resume: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Alignment:
    """`align`, wherever the series is computed on."""
    frames, reach = series.frames, series.judge.max_shift
    count = len(frames)
    kept = None
    if resume is not None:
        kept = PairFile(pathlib.Path(resume), _about(frames, model, reach, series.band))
    pairs = sum(min(series.band, index) for index in range(count))
    steps = Steps(progress, pairs + (PASSES + 1) * count)
    path, placed = _placed(series, series.measured(kept, steps), steps)
    if frames[0].blank if count == 1 else not (path.used >= 0).any():
        raise ValueError(
            f"stack has shape {frames.shape}, and no two of its frames could be compared: they "
            "are blank, or show nothing in common; expected a series of one specimen (look at "
            "its frames, and at max_shift)"
        )
    shifts, sigma = placed.positions, placed.sigma
    rates = _rates(shifts) if scan_drift else np.zeros((count, 2))
    images = series.images(shifts, rates)
    average, coverage = series.average(shifts, rates, steps)
    return Alignment(shifts, sigma, path.ambiguous, path.rejected, average, coverage, images, rates)


class _Here:
    """A series in this process."""

    def __init__(self, frames: Frames, judge: Estimator, band: int, run: Any) -> None:
        self.frames, self.judge, self.band = frames, judge, band
        self._looks, self._run = Looks(frames, judge, band), run

    def measured(self, kept: PairFile | None, steps: Steps) -> dict[Key, Drift]:
        return measured(self._looks, kept, steps, self._run)

    def refined(self, rough: Placed, steps: Steps) -> Placed:
        return refined_together(self._looks.counts, rough, self._looks.shape, steps, self._run)

    def images(self, shifts: Floats, rates: Floats) -> AlignedFrames:
        return AlignedFrames(self.frames, shifts, rates)

    def average(
        self, shifts: Floats, rates: Floats, steps: Steps
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        return mean_of(*sums_of(self.images(shifts, rates), steps))


def _placed(series: Series, drifts: Mapping[Key, Drift], steps: Steps) -> tuple[Path, Placed]:
    """The path that pairs agree on, refined; found again without frames that show nothing of what
    the others do, as soon as these are known."""
    frames = len(series.frames)
    strangers = strangers_by_pairs(drifts, frames)
    while True:
        kept = {ends: drift for ends, drift in drifts.items() if not strangers[list(ends)].any()}
        path = consistent_path(_as_pairs(kept), frames, series.judge.max_shift)
        placed = series.refined(unrefined(path.positions, path.sigma), steps)
        more = strangers_by_average(placed.scores, placed.chances)
        if not more.any():
            return path, placed
        strangers |= more
        steps.expect(PASSES * frames)


def _as_pairs(drifts: dict[Key, Drift]) -> Pairs:
    """Drifts as the numbers that a path is made of; an answer is what its candidates leave."""
    most = 1 + max((len(drift.candidates) for drift in drifts.values()), default=0)
    shifts = np.full((len(drifts), most, 2), np.nan)
    scores = np.zeros((len(drifts), most))
    for row, drift in enumerate(drifts.values()):
        shifts[row, 0] = drift.dy, drift.dx
        scores[row, 0] = max(drift.probability, LEAST_SCORE)
        for at, (dy, dx, probability) in enumerate(drift.candidates, 1):
            shifts[row, at], scores[row, at] = (dy, dx), probability
    ends = np.array(list(drifts), np.intp).reshape(-1, 2)
    sigma = np.array([drift.sigma for drift in drifts.values()], np.float64).reshape(-1, 2)
    sure = np.array([not drift.ambiguous for drift in drifts.values()], bool)
    return Pairs(ends[:, 0], ends[:, 1], shifts, scores, np.maximum(sigma, LEAST_SIGMA), sure)


def sums_of(images: AlignedFrames, steps: Steps) -> tuple[Floats, NDArray[np.int32]]:
    """The sum at every pixel of the frames that show it, and how many those are."""
    total, coverage = np.zeros(images.shape[1:]), np.zeros(images.shape[1:], np.int32)
    for index in range(len(images)):
        image, covered = images.straight(index)
        total += image
        coverage += covered
        steps.done()
    return total, coverage


def mean_of(
    total: Floats, coverage: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    with np.errstate(invalid="ignore"):  # nothing over nothing: NaN is what it should be
        return (total / coverage).astype(np.float32), coverage


def _rates(shifts: Floats) -> Floats:
    """How far features move from one frame to the next, while one is scanned; frames that have no
    place are bridged."""
    at = np.flatnonzero(np.isfinite(shifts[:, 0]))
    rates = np.zeros(shifts.shape)
    if len(at) > 1:
        rates[at] = np.gradient(shifts[at], at, axis=0)
    return rates


def band_of(band: int | None, frames: Frames) -> int:
    longest = max(len(frames) - 1, 1)
    if band is None:
        bearable = max(KEPT_PIXELS // (frames.shape[1] * frames.shape[2]), 4)
        return min(longest, ALL_PAIRS if len(frames) <= ALL_PAIRS else BAND, bearable)
    if not isinstance(band, int | np.integer) or isinstance(band, bool) or band < 1:
        raise ValueError(
            f"band is {band!r}; expected how many frames before it each is compared with, at "
            "least 1"
        )
    return min(int(band), longest)


def _about(
    frames: Frames, model: str | Model | None, max_shift: int, band: int
) -> dict[str, str | int]:
    """What measured pairs depend on."""
    return {
        "stack": frames.fingerprint(),
        "model": f"{model.contract.name} {model.sha256}"
        if isinstance(model, Model)
        else str(model),
        "max_shift": max_shift,
        "band": band,
        "stemzoo": _core.__version__,
    }
