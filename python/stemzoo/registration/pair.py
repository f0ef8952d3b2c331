"""How far features moved between two frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stemzoo.common.arrays import native_image
from stemzoo.common.threads import thread_count
from stemzoo.inference.model import Model, model_for
from stemzoo.registration.answers import Candidate, Drift, Shift
from stemzoo.registration.estimator import Estimator

__all__ = ["Candidate", "Drift", "Shift", "drift"]


def drift(
    reference: ArrayLike,
    moving: ArrayLike,
    model: str | Model | None = "drift-lattice",
    *,
    max_shift: int | None = None,
    threads: int | None = None,
) -> Drift:
    """The drift from `reference` to `moving`, two images of one shape.

    Shifts are looked for up to `max_shift` pixels along either axis, by default a third of the
    frame, or as far as the model reads. Masked pixels and borders of NaN are left out. `model` None
    is the classical way, which needs no network.
    """
    thread_count(threads)  # refused before a model is fetched
    frames = (_array(reference, "reference"), _array(moving, "moving"))
    reader = None if model is None else model_for("drift", model)
    if frames[0].shape != frames[1].shape:
        raise ValueError(
            f"reference has shape {frames[0].shape} and moving {frames[1].shape}; expected two "
            "frames of one shape: cut them to the part both show"
        )
    if reader and reader.contract.surface:
        from stemzoo.registration.surfaces import drift_by_surface

        return drift_by_surface(reader, *frames, max_shift)
    estimator = Estimator(frames[0].shape, reader, max_shift=max_shift, threads=threads)
    still = estimator.frame(frames[0], "reference")
    return estimator.pair(still, estimator.frame(frames[1], "moving"))


def _array(image: ArrayLike, name: str) -> Any:
    array = image if np.ma.isMaskedArray(image) else np.asarray(image)
    native_image(np.ma.getdata(array), name)  # refuses what is no image
    return array
