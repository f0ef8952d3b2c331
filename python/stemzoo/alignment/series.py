"""A series denoised together: each frame by what all frames show of the specimen.

align -> weighted average in the place of the first frame -> network -> moved back to each frame.
Where a frame disagrees with the average of the others by more than noise, its own denoised image
takes the place of that, by a weight map; and such pixels are in no average.

It assumes that the specimen does not change. A change is seen if, summed over about a column, it
exceeds noise (DOUBT standard deviations) and TOLERANCE of the contrast. A fainter one, such as the
loss of a single light column at low dose, is averaged away: do not look for it in such a result.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.alignment.frames import Frames
from stemzoo.common.progress import Progress
from stemzoo.inference.model import Model, Run, model_for
from stemzoo.registration.correction.shifted import straightened

DRIFT_MODEL = "drift-lattice"
COLUMNS = (1.5, 4.0)  # px: standard deviations of columns, over which residuals are summed
DOUBT, DIFFERENT = 3.5, 5.5  # standard deviations: from here on a frame counts less; not at all
DOUBTED, FOREIGN = 0.25, 0.5  # of a frame disagrees: all of it counts less; not at all
LEAST_OTHERS = 0.5  # frames: an average of less is no judge
TOLERANCE = 0.02  # of the standard deviation of the average: errors of alignment
SPREAD, GROWTH = 3.0, 4.0  # px, and by how much: a disagreement covers what is around it
SOFT = 2.0  # px: standard deviation of the edges of the weight map
BINS = 16  # of the signal, over which the noise variance is fitted by a line
CLIPPED = 50.0  # mean squares: residuals beyond are no noise
ROUNDS = 2  # the second compares with an average without what disagreed in the first

Image = NDArray[np.float32]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Part = tuple[slice, slice]


def run_series(
    model: Model,
    stack: ArrayLike,
    *,
    step: int | None = None,
    mean: float | None = None,
    std: float | None = None,
    noise: Sequence[float] | None = None,
    shifts: ArrayLike | None = None,
    progress: Progress | None = None,
) -> Run:
    """Each frame of `stack` (frames, rows, columns), denoised by what all frames show.

    `step`, `mean` and `std` are those of `Model`; the average has a mean and a standard deviation
    of its own unless they are given. `noise` holds the relative noise variance of each
    frame, whose inverse is its weight in the average (default: all alike). `shifts` (frames, 2), as
    `Alignment.shifts`, are how far features have moved since the first frame, px; NaN where that is
    not known. By default stemzoo.align finds them. Frames without a place are denoised alone. A
    change of brightness or focus counts as a change of the specimen.

    The result is float32, of the shape and in the units of `stack`, and masked where that is.
    Raises ValueError where `stack` is no 3-D stack, or no two of its frames could be compared.
    """
    frames = Frames(stack, "image")
    relative = _noise(noise, len(frames))
    alone = model.run(stack, step=step, mean=mean, std=std, progress=progress)
    places, aligned_by = _places(stack, frames.shape, shifts, progress)
    field = _Field(frames, places, relative.mean() / relative)
    settings: dict[str, Any] = {
        "aligned_by": aligned_by,
        "shifts": _as_listed(places),
        "noise": relative.tolist(),
    }
    result = np.ma.getdata(alone.image)
    if len(field.placed) > 1:
        agreement = _agreement(field, result)
        total, weight = field.sums(agreement)
        average = np.ma.MaskedArray(total / np.maximum(weight, 1e-6), weight <= 0.01)
        clean = model.run(average, step=step, mean=mean, std=std)
        settings["average"] = clean.settings
        known = ~np.ma.getmaskarray(clean.image)
        for index in field.placed:
            share = _covered(agreement[index], field.others(index, weight, agreement[index]))
            together, shown = field.back(index, np.ma.getdata(clean.image), known)
            own_share, _ = field.back(index, share, None, padded=False)
            mixed = np.where(shown, np.clip(own_share, 0, 1), 0).astype(np.float32)
            result[index] += mixed * (together - result[index])
    image = (
        np.ma.MaskedArray(result, alone.image.mask) if np.ma.isMaskedArray(alone.image) else result
    )
    return dataclasses.replace(alone, image=image, settings=alone.settings | {"series": settings})


@dataclass(frozen=True)
class _Field:
    """All that the frames cover, in the place of the first; frames are moved there by `places`."""

    frames: Frames
    places: Floats  # NaN where unknown
    weights: Floats

    @property
    def placed(self) -> list[int]:
        return [int(i) for i in np.flatnonzero(np.isfinite(self.places).all(1))]

    @property
    def shape(self) -> tuple[int, int]:
        reach = np.ptp(self._whole()[self.placed], axis=0)
        rows, columns = self.frames.shape[1:]
        return rows + int(reach[0]), columns + int(reach[1])

    def part(self, index: int) -> Part:
        """Where the frame lies, to whole pixels."""
        whole = self._whole()
        rows, columns = self.frames.shape[1:]
        top, left = (whole[index] - whole[self.placed].min(0)).astype(int).tolist()
        return slice(top, top + rows), slice(left, left + columns)

    def straight(self, index: int) -> tuple[Image, Flags]:
        """The frame moved there, between pixels, and which of its pixels are known."""
        frame = self.frames[index]
        return straightened(frame.pixels, frame.valid, self._between(index), np.zeros(2))

    def back(
        self, index: int, image: Image, known: Flags | None, *, padded: bool = True
    ) -> tuple[Image, Flags]:
        """What the frame shows of an image of the field (or, not `padded`, of its own part)."""
        part = self.part(index)
        cut = image[part] if padded else image
        valid = known[part] if padded and known is not None else known
        return straightened(cut, valid, -self._between(index), np.zeros(2))

    def sums(self, agreement: dict[int, Image]) -> tuple[Floats, Floats]:
        """The weighted sum of the frames, each as far as it agrees, and the sum of weights."""
        total, weight = np.zeros(self.shape), np.zeros(self.shape)
        for index in self.placed:
            image, known = self.straight(index)
            share = self.weights[index] * agreement[index] * known
            total[self.part(index)] += share * image
            weight[self.part(index)] += share
        return total, weight

    def others(self, index: int, weight: Floats, agreement: Image) -> Floats:
        """The weights of all frames but this one, where it lies; in units of its own."""
        _, known = self.straight(index)
        others: Floats = weight[self.part(index)] / self.weights[index] - agreement * known
        return others

    def _whole(self) -> Floats:
        whole: Floats = np.rint(-self.places)
        return whole

    def _between(self, index: int) -> Floats:
        rest: Floats = self.places[index] + self._whole()[index]
        return rest


def _agreement(field: _Field, alone: Image) -> dict[int, Image]:
    """How far each frame agrees with the others, from 0 to 1, pixel by pixel, moved to its part."""
    shape = field.frames.shape[1:]
    agreement = {index: np.ones(shape, np.float32) for index in field.placed}
    lines = {}
    for index in field.placed:
        frame = field.frames[index]
        lines[index] = _noise_line(frame.pixels, alone[index], frame.valid)
    for _ in range(ROUNDS):
        total, weight = field.sums(agreement)
        before, agreement = agreement, {}
        for index in field.placed:
            agreement[index] = _compared(field, index, total, weight, before[index], lines[index])
    return agreement


def _compared(
    field: _Field,
    index: int,
    total: Floats,
    weight: Floats,
    agreement: Image,
    line: tuple[float, float, float],
) -> Image:
    """One frame with the average of the others."""
    part = field.part(index)
    image, known = field.straight(index)
    own = agreement * known
    others = weight[part] / field.weights[index] - own
    told = known & (others > LEAST_OTHERS)
    if not told.any():
        return agreement
    others = np.maximum(others, LEAST_OTHERS)
    average = (total[part] / field.weights[index] - own * image) / others
    average[~told] = 0
    offset, gain, least = line
    variance = np.maximum(offset + gain * average, least) * (1 + 1 / others)
    residual = np.where(told, image - average, 0).astype(np.float32)
    variance = np.where(told, variance, 0).astype(np.float32)
    tolerance = TOLERANCE * float(average[told].std())
    different = np.where(told, 0, 1 - agreement).astype(np.float32)  # as before, if none can tell
    for sigma in COLUMNS:
        # The square of a Gaussian is a narrower one, over 4 pi sigma^2.
        noise = _blurred(variance, sigma / math.sqrt(2)) / np.float32(4 * math.pi * sigma**2)
        noise += (tolerance * _blurred(told.astype(np.float32), sigma)) ** 2
        # No noise at all: a constant, or pixels without others.
        deviations = np.abs(_blurred(residual, sigma)) / np.sqrt(np.maximum(noise, 1e-30))
        np.maximum(different, (deviations - DOUBT) / (DIFFERENT - DOUBT), out=different)
    different = np.minimum(different, 1)
    around = np.minimum(GROWTH * _blurred(different, SPREAD), 1)
    part_of_it = float(around[known].mean())
    all_of_it = np.clip((part_of_it - DOUBTED) / (FOREIGN - DOUBTED), 0, 1)
    return _softened((1 - np.maximum(different, around)) * np.float32(1 - all_of_it))


def _covered(agreement: Image, others: Floats) -> Image:
    """Nothing is gained where no other frame shows the place."""
    return _softened(agreement * np.clip(others, 0, 1).astype(np.float32))


def _noise_line(
    image: NDArray[Any], clean: Image, valid: Flags | None
) -> tuple[float, float, float]:
    """The noise variance at a signal of zero, its slope, and the least of it.

    Measured against the frame's own denoised image, so that other frames have no say in it.
    """
    signal = clean.ravel() if valid is None else clean[valid]
    pixels = image.ravel() if valid is None else image[valid]
    squares = (pixels.astype(np.float64) - signal) ** 2
    for _ in range(2):  # hot pixels are no noise
        squares = np.minimum(squares, CLIPPED * squares.mean())
    order = np.argsort(signal, kind="stable")
    x, y = (
        np.array([part.mean() for part in np.array_split(values[order], BINS) if part.size])
        for values in (signal.astype(np.float64), squares)
    )
    usual = float(y.mean())
    spread = float(((x - x.mean()) ** 2).sum())
    gain = float(((x - x.mean()) * y).sum()) / spread if spread > 0 else 0.0
    return usual - gain * float(x.mean()), gain, 0.1 * usual


def _blurred(image: Image, sigma: float) -> Image:
    """By a Gaussian of sum one; there is nothing outside the image."""
    radius = math.ceil(3 * sigma)
    profile = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    taps = np.tile((profile / profile.sum()).astype(np.float32), (image.shape[0], 1))
    rows = np.arange(image.shape[0], dtype=np.int64) - radius
    down = _core.move_rows(np.ascontiguousarray(image, np.float32), rows, taps)
    return _core.slide_rows(down, np.full(image.shape[0], -radius, np.int64), taps)


def _softened(share: Image) -> Image:
    inside = _blurred(np.ones(share.shape, np.float32), SOFT)
    return np.asarray(_blurred(share, SOFT) / inside, np.float32)


def _noise(noise: Sequence[float] | None, count: int) -> Floats:
    relative = np.ones(count) if noise is None else np.asarray(noise, np.float64)
    if relative.shape != (count,) or not (np.isfinite(relative) & (relative > 0)).all():
        raise ValueError(
            f"noise is {noise!r:.80}; expected {count} positive numbers, the relative noise "
            "variance of each frame, or None where all are alike"
        )
    return relative


def _places(
    stack: ArrayLike,
    shape: tuple[int, int, int],
    shifts: ArrayLike | None,
    progress: Progress | None,
) -> tuple[Floats, str]:
    """The shifts, and the model that has found them."""
    if shifts is None:
        from stemzoo.alignment.align import align

        model = model_for("drift", DRIFT_MODEL)
        aligned = align(stack, model, progress=progress)
        return aligned.shifts, f"{model.contract.name}@{model.contract.version}"
    places = np.asarray(shifts, np.float64)
    if places.shape != (shape[0], 2) or np.isinf(places).any():
        raise ValueError(
            f"shifts have shape {places.shape}; expected ({shape[0]}, 2): how far features have "
            "moved since the first frame, in px, as in stemzoo.align(stack).shifts"
        )
    return places, ""


def _as_listed(places: Floats) -> list[list[float] | None]:
    """As JSON has it, which knows no NaN."""
    return [place.tolist() if np.isfinite(place).all() else None for place in places]
