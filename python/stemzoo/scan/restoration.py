"""A scan put straight: where every row lay, by the counts and a network's idea of the specimen.

A restoring model whose contract names a denoiser is a pilot: it guesses the specimen, `scan` places
the rows by the likelihood of their counts, and the denoiser has the last word on the straightened
frame. Other restoring models do all of it by themselves, and know no displacements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import any_kind, image_or_stack
from stemzoo.common.chunks import image_shape
from stemzoo.common.progress import Progress
from stemzoo.inference.model import Model, Run, model_for
from stemzoo.inference.suitability import warnings_of
from stemzoo.registration.correction.correction import Correction, Corrects
from stemzoo.registration.correction.recording import Axis, Recording
from stemzoo.scan.rows import Rows, straightened

Guess = Callable[..., NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Restoration(Corrects):
    """A restored image, and how far each of its rows lay from where it belongs.

    `rows` are the displacements (dy, dx) in px of every line along the fast direction `fast_axis`
    ([H, 2], or [W, 2] where that is y), `sigma` their standard deviations. `apply` puts the rows of
    what was recorded with the image where they belong.
    """

    image: NDArray[np.float32]
    rows: NDArray[np.float64]
    sigma: NDArray[np.float64]
    fast_axis: Axis

    def __repr__(self) -> str:
        rows, columns = image_shape(self.image)
        dy, dx = np.sqrt(np.nanmean(self.rows**2, axis=0))
        return (
            f"Restoration({rows} x {columns}, {len(self.rows)} rows along {self.fast_axis} "
            f"displaced by {dy:.2f} px along y and {dx:.2f} px along x, rms)"
        )

    @property
    def correction(self) -> Correction:
        shape = image_shape(self.image)
        scan = Recording(shape, self.rows, self.sigma, fast_axis=self.fast_axis)
        return Correction("rows", shape, (scan,))


@any_kind("image", gives=("image",))
def restore(
    image: ArrayLike,
    model: str | Model = "restore-scan",
    *,
    fast_axis: Axis | None = None,
    details: bool = False,
    mean: float | None = None,
    std: float | None = None,
    progress: Progress | None = None,
) -> Any:
    """Like `denoise`, with what the scan has distorted undone too: an image of the same shape.

    `fast_axis` is the direction of the scan's rows, "x" or "y"; None finds it from the picture.
    With `details=True` a `Restoration` comes back, which holds the displacements; a model that
    finds none refuses that. `mean` and `std` replace the image's own in the normalisation.
    """
    ready = model_for("restore", model)
    run, found = restored(ready, image, fast_axis=fast_axis, mean=mean, std=std, progress=progress)
    if not details:
        return run.image
    if len(found) != 1:
        raise ValueError(
            f"details were asked of {np.ndim(image)}-D data by {ready.contract.name}; they are of "
            "one 2-D image, by a model that finds displacements, such as restore-scan"
        )
    return found[0]


def restored(
    model: Model,
    image: ArrayLike,
    *,
    fast_axis: Axis | None = None,
    mean: float | None = None,
    std: float | None = None,
    progress: Progress | None = None,
) -> tuple[Run, list[Restoration]]:
    """A run for its provenance, and what was found of every frame, if the model finds rows."""
    if fast_axis not in (None, "x", "y"):
        raise ValueError(f"fast_axis is {fast_axis!r}; expected 'x', 'y' or None")
    if not model.contract.denoiser:
        return model.run(image, mean=mean, std=std, progress=progress), []
    frames = _frames(image)
    threads = model.threads or None
    denoiser = model_for("denoise", model.contract.denoiser, threads)
    guess = partial(model, mean=mean, std=std)
    axis = fast_axis or _fast_axis(frames[0], guess, threads)
    stills, runs, found = [], [], []
    for index, frame in enumerate(frames):
        still, rows = _straightened(frame, guess, axis, threads)
        run = denoiser.run(still, mean=mean, std=std)
        stills.append(still)
        runs.append(run)
        found.append(Restoration(run.image, rows.displacements, rows.sigma, axis))
        if progress:
            progress(index + 1, len(frames))
    scan = {
        "fast_axis": axis,
        "denoiser": f"{denoiser.contract.name}@{denoiser.contract.version}",
        "rows": [one.rows.round(4).tolist() for one in found],
    }
    if np.ndim(image) == 2:
        measure = partial(warnings_of, model.contract, stills[0], runs[0].image)
        return Run(runs[0].image, {**runs[0].settings, "scan": scan}, measure), found
    stack = np.ma.stack if np.ma.isMaskedArray(image) else np.stack
    images = stack([run.image for run in runs])
    settings = {
        "normalisation": [run.settings["normalisation"] for run in runs],
        "tiling": runs[0].settings["tiling"],
        "scan": scan,
    }
    return Run(images, settings, partial(warnings_of, model.contract, stills, images)), found


def fast_axis_of(
    frame: ArrayLike, model: Model, mean: float | None = None, std: float | None = None
) -> Axis:
    """The direction of the scan's rows, as the first frame of a series shows it."""
    (image,) = _frames(frame)
    return _fast_axis(image, partial(model, mean=mean, std=std), model.threads or None)


def _frames(image: ArrayLike) -> list[NDArray[Any]]:
    """The frames of an image or a stack, checked; masked where the image is."""
    pixels, mask = image_or_stack(image, "image")
    whole = pixels if mask is None else np.ma.MaskedArray(pixels, mask)
    return [whole] if whole.ndim == 2 else list(whole)


def _straightened(
    frame: NDArray[Any], guess: Guess, axis: Axis, threads: int | None
) -> tuple[Any, Rows]:
    """The frame with its rows, or columns, in place; the pilot always sees them as rows."""
    masked = np.ma.isMaskedArray(frame)
    values = np.ma.filled(frame.astype(float), np.nan) if masked else frame
    lines = values if axis == "x" else values.T
    if min(lines.shape) < _core.LEAST_SIDE:
        return frame, _unmoved(lines, axis)
    still, rows = straightened(lines, guess, fast_axis="x", threads=threads)
    if not rows.displacements.any():
        return frame, _unmoved(lines, axis)
    if axis == "y":
        still = np.ascontiguousarray(still.T)
        rows = Rows(rows.displacements[:, ::-1], rows.sigma[:, ::-1], rows.evidence, axis)
    return (np.ma.masked_invalid(still) if masked else still), rows


def _fast_axis(frame: NDArray[Any], guess: Guess, threads: int | None) -> Axis:
    """The direction along which displaced lines explain the counts better."""
    values = np.ma.filled(frame.astype(float), np.nan)
    if min(values.shape) < _core.LEAST_SIDE:
        return "x"
    along_x, along_y = (
        straightened(
            lines, guess, passes=1, fast_axis="x", reach=_core.AXIS_REACH, threads=threads
        )[1].evidence[1]
        for lines in (values, values.T)
    )
    return "y" if along_y > along_x else "x"


def _unmoved(lines: NDArray[Any], axis: Axis) -> Rows:
    """Rows of which nothing says that they have moved stay where they are, to the last bit."""
    return Rows(np.zeros((len(lines), 2)), np.zeros((len(lines), 2)), (0.0, 0.0), axis)
