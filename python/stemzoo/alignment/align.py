"""A series laid onto itself: drifts of its pairs of frames, the path they agree on, the average.

All pairs are compared roughly, which tells the candidates that are true; then every frame is
refined against the average of the others (stemzoo.alignment.together).

Frames are read one at a time: to be compared, and to be averaged. What is known of each is kept in
between if the series is small; of a long one nothing grows but numbers and the field that it
covers, and frames are read twice more to be refined.
"""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.alignment.consistency import Pairs, Path, consistent_path
from stemzoo.alignment.foresight import Foresight, is_first
from stemzoo.alignment.frames import Frames
from stemzoo.alignment.least_squares import Floats
from stemzoo.alignment.pair_file import Key, PairFile
from stemzoo.alignment.strangers import strangers_by_average, strangers_by_pairs
from stemzoo.alignment.together import Placed, refined_together, unrefined
from stemzoo.common.arrays import any_kind
from stemzoo.common.chunks import image_shape
from stemzoo.common.progress import Progress
from stemzoo.common.threads import thread_count
from stemzoo.inference.model import Model
from stemzoo.registration.correction.correction import Correction, Corrects
from stemzoo.registration.correction.recording import Recording
from stemzoo.registration.correction.shifted import straightened
from stemzoo.registration.pair import Drift, Estimator, Expected, Frame

ALL_PAIRS = 64  # frames: up to here, each is compared with each
BAND = 16  # frames, in longer series, that each is compared with
KEPT_PIXELS = 1 << 26  # of frames waiting to be compared: bounds memory where frames are large
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
    number: a memory-mapped file, an HDF5 or zarr dataset. Masked pixels, NaN and infinity are left
    out. `model` None compares frames without a network.

    Each frame is compared with up to `band` before it, by default with all in series of up to 64
    frames and with 16 in longer ones, and with fewer where frames are large. Shifts of a pair are
    looked for up to `max_shift` px along either axis. `scan_drift` also undoes the shear and the
    stretch of features that drift while a frame is scanned, row by row.

    `resume` names a file that keeps the measured pairs: a call that was cut goes on from there.
    `progress` counts pairs and then frames.
    """
    workers = thread_count(threads) or os.cpu_count() or 1
    frames = Frames(stack)
    count = len(frames)
    reach = _band(band, frames)
    judge = Estimator(frames.shape[1:], model, max_shift=max_shift, threads=1)
    kept = None
    if resume is not None:
        kept = PairFile(pathlib.Path(resume), _about(frames, model, judge.max_shift, reach))
    steps = _Steps(progress, sum(min(reach, index) for index in range(count)) + count)
    looks = _Looks(frames, judge, reach)
    with _workers(workers) as run:
        drifts = _measured(looks, reach, kept, steps, run)
        path, placed = _placed(looks, drifts, judge.max_shift, run)
        if frames[0].blank if count == 1 else not (path.used >= 0).any():
            raise ValueError(
                f"stack has shape {frames.shape}, and no two of its frames could be compared: they "
                "are blank, or show nothing in common; expected a series of one specimen (look at "
                "its frames, and at max_shift)"
            )
    shifts, sigma = placed.positions, placed.sigma
    rates = _rates(shifts) if scan_drift else np.zeros((count, 2))
    images = AlignedFrames(frames, shifts, rates)
    average, coverage = _average(images, steps)
    return Alignment(shifts, sigma, path.ambiguous, path.rejected, average, coverage, images, rates)


class _Steps:
    """Counts what is done, for whoever watches."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def done(self, more: int = 1) -> None:
        self._done += more
        if self._progress and more:
            self._progress(self._done, self._total)


class _Looks:
    """What the estimator knows of each frame; kept as long as it is needed and memory allows."""

    def __init__(self, frames: Frames, judge: Estimator, band: int) -> None:
        self._frames, self._judge, self._band = frames, judge, band
        self._all = math.prod(frames.shape) <= KEPT_PIXELS // 4
        self._kept: dict[int, Frame] = {}

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def shape(self) -> tuple[int, int]:
        """Of each frame."""
        return self._judge.shape

    def compared(self, index: int) -> Frame:
        """As it is compared with those before it. Asked for in order."""
        if not self._all:
            self._kept.pop(index - self._band - 1, None)
        found = self._kept.get(index)
        if found is None:
            found = self._kept[index] = self._seen(index)
        return found

    def counts(self, index: int) -> Frame:
        """As it is refined."""
        found = self._kept.get(index)
        if found is None:
            found = self._seen(index)
            if self._all:
                self._kept[index] = found
        return found

    def _seen(self, index: int) -> Frame:
        frame = self._frames[index]
        # Of a frame without any valid pixel nothing is known, which is what zeros say.
        image = frame.pixels if frame.blank else frame.masked()
        return self._judge.frame(image, f"stack[{index}]")

    def drift(
        self, still: Frame, moving: Frame, apart: int, expected: Expected | None = None
    ) -> Drift:
        """As far as it has to tell which candidates are true. But neighbours exactly, where not all
        are compared with all: many small errors would make a long path another."""
        refined = apart == 1 and self._band < len(self) - 1
        found = self._judge.confirmed(still, moving, expected) if expected else None
        return found or self._judge.pair(still, moving, refined=refined)


@contextmanager
def _workers(threads: int) -> Iterator[Any]:
    """A `map`. Frames and pairs are independent, and the core computes without Python's lock."""
    if threads == 1:
        yield map
        return
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _measured(
    looks: _Looks, band: int, kept: PairFile | None, steps: _Steps, run: Any
) -> dict[Key, Drift]:
    """The drifts of all pairs up to `band` frames apart."""
    drifts = kept.drifts if kept else {}
    wanted = [(still, at) for at in range(len(looks)) for still in range(max(0, at - band), at)]
    needed = {index for pair in wanted if pair not in drifts for index in pair}
    seen: dict[int, Frame] = {}
    foresight = Foresight(len(looks))

    def measure(stills: Iterable[int], at: int) -> None:
        wanted = [i for i in stills if (i, at) not in drifts]
        pairs = [(seen[i], seen[at], at - i, foresight.expected(i, at)) for i in wanted]
        found = run(lambda pair: looks.drift(*pair), pairs)
        for still, drift in zip(wanted, found, strict=True):
            drifts[still, at] = drift
            steps.done()

    try:
        for at in range(len(looks)):
            if at in needed:
                seen[at] = looks.compared(at)
            before = range(max(0, at - band), at)
            steps.done(sum((i, at) in drifts for i in before))
            first = [i for i in before if is_first(at - i)]
            measure(first, at)
            foreseen = foresight.see(at, {i: drifts[i, at] for i in first})
            measure(before, at)
            if not foreseen:
                foresight.look_back(at, {i: drifts[i, at] for i in before})
            seen.pop(at - band, None)
            if kept:
                kept.tick()
    finally:
        if kept:
            kept.write()
    return drifts


def _placed(
    looks: _Looks, drifts: Mapping[Key, Drift], reach: int, run: Any
) -> tuple[Path, Placed]:
    """The path that pairs agree on, refined; found again without frames that show nothing of what
    the others do, as soon as these are known."""
    strangers = strangers_by_pairs(drifts, len(looks))
    while True:
        kept = {ends: drift for ends, drift in drifts.items() if not strangers[list(ends)].any()}
        path = consistent_path(_as_pairs(kept), len(looks), reach)
        placed = refined_together(
            looks.counts, unrefined(path.positions, path.sigma), looks.shape, run
        )
        more = strangers_by_average(placed.scores, placed.chances)
        if not more.any():
            return path, placed
        strangers |= more


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


def _average(images: AlignedFrames, steps: _Steps) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The mean at every pixel of the frames that show it, and how many those are."""
    total, coverage = np.zeros(images.shape[1:]), np.zeros(images.shape[1:], np.int32)
    for index in range(len(images)):
        image, covered = images.straight(index)
        total += image
        coverage += covered
        steps.done()
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


def _band(band: int | None, frames: Frames) -> int:
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
