"""What the recorded data support of a result: everything that the report says, as numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo.common.arrays import any_kind, image_or_stack
from stemzoo.inference.model import Model, load
from stemzoo.inference.noise import NoiseModel
from stemzoo.inference.record import Record, steps
from stemzoo.inference.suitability import comparable, range_warnings
from stemzoo.inference.survey import Survey, survey
from stemzoo.registration.correction.rows import straighten
from stemzoo.scan.restoration import Restoration
from stemzoo.trust.columns import Columns, inspect_columns
from stemzoo.trust.halves import Halves, split_halves
from stemzoo.trust.residual import Residual, inspect_residual
from stemzoo.trust.words import result_warnings

LEAST_SIDE = 64  # px: a smaller picture says too little of its noise

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Inspection:
    """What the data support of a result.

    `survey` holds the noise model of the frame, its dose and the spacing of its columns, `residual`
    how the frame less the result compares with that noise, `columns` what the frame says of every
    column (None where there are none), `halves` the Fourier ring correlation of two halves of the
    counts. `warnings` say in words what deserves a look. `html()` is a page of all of it.
    """

    raw: Image  # the frame; straightened, if the result is
    result: Image
    survey: Survey
    residual: Residual
    columns: Columns | None
    halves: Halves
    disagreement: float  # rms between the eight orientations, in noise deviations; NaN if not asked
    warnings: tuple[str, ...]
    model: Record | None  # name, version and sha256
    record: Record | None  # how the result was made

    def __repr__(self) -> str:
        rows, columns = self.result.shape
        told = [f"{rows} x {columns}"]
        if math.isfinite(self.dose):
            told.append(f"{self.dose:.3g} electrons per pixel at the brightest columns")
        if self.columns is not None:
            told.append(f"{self.columns.supported.sum()} columns supported")
            told.append(f"{self.columns.contradicted.sum()} contradicted")
        told.append(f"{len(self.warnings)} warning{'s' * (len(self.warnings) != 1)}")
        return f"Inspection({', '.join(told)})"

    @property
    def noise(self) -> NoiseModel:
        return self.survey.noise

    @property
    def dose(self) -> float:
        """Electrons per pixel at the brightest columns."""
        return self.survey.dose

    @property
    def spacing(self) -> float:
        """Median distance of a column to the nearest one, px."""
        return self.survey.spacing

    def summary(self) -> str:
        """In one line, what the frame says of the columns."""
        if self.columns is None:
            return "No ordered columns were found; the residual alone is judged."
        tested = int(np.isfinite(self.columns.ratios).sum())
        return (
            f"The frame supports {self.columns.supported.sum()} of {tested} columns, leaves "
            f"{self.columns.undecided.sum()} undecided and contradicts "
            f"{self.columns.contradicted.sum()}; {len(self.columns.missing)} are missing."
        )

    def html(self, title: str = "", replay: str = "") -> str:
        """A page that needs nothing but itself. `replay` is the command that repeats the result."""
        from stemzoo.trust.report import page

        return page(self, title, replay)

    def _repr_html_(self) -> str:
        from stemzoo.trust.report import card

        return card(self)


@any_kind("raw", "result")
def inspect(
    raw: ArrayLike,
    result: ArrayLike | Restoration,
    model: str | Model | None = None,
    *,
    orientations: bool = False,
    record: Record | None = None,
) -> Inspection:
    """What a recorded frame supports of a result that was made from it.

    Parameters
    ----------
    raw : the frame as it was recorded, 2-D. Do not scale it: its noise is judged.
    result : what was made of it, of the same shape and in the same units; or the `Restoration` of
        `stemzoo.restore(raw, details=True)`, with whose rows the frame is straightened first.
    model : the model that made the result, a `Model` or a name, so that the report says whether it
        was trained for such a picture. Not needed where `record` names it.
    orientations : also run the model on the frame in all eight orientations, of which a sound
        result is independent. This takes eight times the time of the result; only for denoisers.
    record : how the result was made, as `stemzoo.read(path).metadata["provenance"]`.

    Raises ValueError for what is no 2-D image of real numbers, for unequal shapes, for pictures
    smaller than 64 px, and for `orientations` without a denoiser.

    >>> found = stemzoo.inspect(raw, stemzoo.denoise(raw), "denoise-atomic")
    >>> found.columns.contradicted.sum(), found.warnings
    """
    frame, shown = _frame(raw, "raw"), _frame(_image(result), "result")
    if frame.shape != shown.shape:
        raise ValueError(
            f"raw has shape {frame.shape} and result {shown.shape}; expected the frame that the "
            "result was made from, of the same shape"
        )
    if min(frame.shape) < LEAST_SIDE:
        raise ValueError(
            f"raw has shape {frame.shape}; expected at least {LEAST_SIDE} px a side, of which the "
            "noise can be measured"
        )
    ready = _model(model, record)
    if orientations and ready is None:
        raise ValueError(
            "orientations need the model that made the result; give it: model='denoise-atomic'"
        )
    if orientations and ready and ready.contract.task != "denoise":
        raise ValueError(
            f"{ready.contract.name} restores scans, whose rows have one direction; orientations "
            "need a denoiser"
        )
    straight, clean = comparable(_straightened(frame, result, record), shown)
    found = survey(straight, clean)
    residual = inspect_residual(straight, clean, found.noise, _tile_step(record))
    columns = None
    if found.atoms and found.noise.present and math.isfinite(found.spacing):
        columns = inspect_columns(straight, clean, found.noise, found.spacing)
    disagreement = _disagreement(ready, frame, clean) if orientations and ready else math.nan
    said = range_warnings(ready.contract, found) if ready else ()
    return Inspection(
        raw=straight,
        result=clean,
        survey=found,
        residual=residual,
        columns=columns,
        halves=split_halves(straight, found.noise),
        disagreement=disagreement,
        warnings=said + result_warnings(residual, columns, disagreement),
        model=_identity(ready, record),
        record=record,
    )


def _image(result: ArrayLike | Restoration) -> ArrayLike:
    return result.image if isinstance(result, Restoration) else result


def _frame(image: ArrayLike, name: str) -> NDArray[Any]:
    pixels, mask = image_or_stack(image, name)
    if pixels.ndim != 2:
        raise ValueError(
            f"{name} has shape {pixels.shape}; expected one frame: inspect the frames of a stack "
            f"one by one, {name}[0]"
        )
    return pixels if mask is None else np.ma.MaskedArray(pixels, mask)


def _model(model: str | Model | None, record: Record | None) -> Model | None:
    """The model given, or the one that the record names, if it is at hand."""
    if isinstance(model, Model):
        return model
    if model is not None:
        return load(model)
    made = _maker(record)
    if made is None:
        return None
    from stemzoo.common.errors import ModelError

    try:
        return load(f"{made['name']}@{made['version']}")
    except ModelError:  # the report does without its ranges
        return None


def _maker(record: Record | None) -> Record | None:
    """The identity of the last model that a record names."""
    named = [step.get("model") for step in steps(record)] if record else []
    found = [each for each in named if isinstance(each, dict) and {"name", "version"} <= set(each)]
    return found[-1] if found else None


def _identity(model: Model | None, record: Record | None) -> Record | None:
    if model is None:
        return _maker(record)
    from stemzoo.inference.record import model_record

    return model_record(model)


def _straightened(
    frame: NDArray[Any], result: ArrayLike | Restoration, record: Record | None
) -> NDArray[Any]:
    """The frame with its rows where the result has them."""
    if isinstance(result, Restoration):
        straight: NDArray[Any] = result.apply(
            np.ma.filled(np.ma.asarray(frame, np.float64), np.nan)
        )
        return straight
    scan = record.get("scan") if record else None
    if not isinstance(scan, dict) or len(scan.get("rows", ())) != 1:
        return frame
    values = np.ma.filled(np.ma.asarray(frame, np.float64), np.nan)
    return straighten(values, scan["rows"][0], fast_axis=scan["fast_axis"])


def _tile_step(record: Record | None) -> tuple[int, int] | None:
    """How far apart the tiles of a result were laid."""
    tiling = record.get("tiling") if record else None
    if not isinstance(tiling, dict):
        return None
    rows, columns = tiling["step"]
    return int(rows), int(columns)


def _disagreement(model: Model, frame: NDArray[Any], clean: Image) -> float:
    """Standard deviation over the eight orientations, rms over the picture, in noise deviations."""
    turned = []
    for flipped in (False, True):
        image = frame.T if flipped else frame
        for quarter in range(4):
            back = np.rot90(model(np.rot90(image, quarter)), -quarter)
            turned.append(back.T if flipped else back)
    spread = np.stack(turned).astype(np.float64).std(0)
    noise = float(np.std(np.ma.getdata(frame) - clean, dtype=np.float64))
    return float(np.sqrt(np.mean(spread**2)) / max(noise, 1e-30))
