"""How far features moved between two frames, and the estimator behind it.

The estimator is C++ (csrc/drift/estimator.hpp); a network is a function that it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stemzoo import _core
from stemzoo.common.arrays import any_kind, native_image
from stemzoo.common.errors import ModelError
from stemzoo.common.settings import thread_count
from stemzoo.inference.model import Model, model_for
from stemzoo.model_file.contract import LOOK, Contract
from stemzoo.model_file.interface import Looks, Surfaces
from stemzoo.registration.answers import Candidate, Drift, Shift

Frame = _core.PreparedFrame  # all that is known of one frame

__all__ = ["Candidate", "Drift", "Estimator", "Expected", "Frame", "Shift", "drift"]


@dataclass(frozen=True)
class Expected:
    """Where a drift should be, and the standard deviation of that along each axis."""

    shift: Shift
    sigma: Shift


@any_kind("reference", "moving")
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
    still, moved = masked_image(reference, "reference"), masked_image(moving, "moving")
    reader = None if model is None else model_for("drift", model)
    if still[0].shape != moved[0].shape:
        raise ValueError(
            f"reference has shape {still[0].shape} and moving {moved[0].shape}; expected two "
            "frames of one shape: cut them to the part both show"
        )
    if reader and isinstance(reader.contract.interface, Surfaces):
        from stemzoo.registration.surfaces import drift_by_surface

        return drift_by_surface(reader, still, moved, max_shift)
    estimator = Estimator(still[0].shape, reader, max_shift=max_shift, threads=threads)
    found = estimator.core.compare_images(still[0], still[1], moved[0], moved[1])
    return Drift(*named(found))


class Estimator:
    """Drifts between frames of one shape. Threads may share it; pickled, it names its model."""

    def __init__(
        self,
        shape: tuple[int, int],
        model: str | Model | None = "drift-lattice",
        *,
        max_shift: int | None = None,
        threads: int | None = None,
    ) -> None:
        """`model` None is the classical estimator, which needs no network. Shifts are looked for up
        to `max_shift` pixels along either axis, by default a third of the frame."""
        self.threads = thread_count(threads)
        self.shape = shape
        self._reach = _reach(max_shift, shape)
        self.max_shift = min(self._reach)
        self.model = None if model is None else model_for("drift", model)
        if self.model:
            _require_features(self.model.contract)
        self.core = self._made()

    def _made(self) -> _core.DriftEstimator:
        network = None if self.model is None else _network(self.model)
        return _core.DriftEstimator(self.shape, self._reach, network, self.threads)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "core"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.core = self._made()

    def frame(self, image: ArrayLike, name: str = "image") -> Frame:
        """All that is known of one frame. Masked pixels and borders of NaN are left out."""
        if np.shape(image) != self.shape:
            raise ValueError(f"{name} has shape {np.shape(image)}; expected {self.shape}")
        pixels, mask = masked_image(image, name)
        return self.core.prepare(pixels, mask, name)

    def pair(
        self,
        reference: Frame,
        moving: Frame,
        *,
        refined: bool = True,
        expected: Expected | None = None,
    ) -> Drift:
        """The drift between two frames. Without `refined` it is good to a tenth of a pixel or two,
        takes a quarter of the time, and comes with few candidates.

        Where the drift is `expected` somewhere, and of all peaks only one lies there, that is the
        answer, and features are not evaluated.
        """
        there = None if expected is None else (expected.shift, expected.sigma)
        return Drift(*named(self.core.compare(reference, moving, refined, there)))

    def confirmed(self, reference: Frame, moving: Frame, expected: Expected) -> Drift | None:
        """The drift at the one peak where it is expected, good to a tenth of a pixel or two; None
        if there is not one. Other peaks are not considered."""
        found = self.core.confirm(reference, moving, expected.shift, expected.sigma)
        return None if found is None else Drift(*named(found))


def named(told: tuple[Any, ...]) -> tuple[Any, ...]:
    """The fields of a Drift as the core tells them, with the candidates by name."""
    dy, dx, sigma, ambiguous, score, candidates, reason = told
    return dy, dx, sigma, ambiguous, score, tuple(map(Candidate._make, candidates)), reason


def masked_image(image: ArrayLike, name: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Native pixels, and which of them are masked out, where any are; refused if it is no image."""
    if not np.ma.isMaskedArray(image):
        return native_image(image, name), None
    return native_image(np.ma.getdata(image), name), np.ma.getmaskarray(image)


def _network(model: Model) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    return lambda look: model.outputs(look)[0]


def _require_features(contract: Contract) -> None:
    if not isinstance(contract.interface, Looks):
        raise ValueError(
            f"{contract.name} reads correlations, and makes no features of a frame; use it by "
            "stemzoo.drift(reference, moving, model=...)"
        )
    if contract.look != LOOK:
        raise ModelError(
            f"{contract.name} {contract.version} reads looks of kind {contract.look}, and this "
            f"stemzoo makes kind {LOOK}; use a "
            + ("later stemzoo" if contract.look > LOOK else "later version of the model")
        )


def _reach(max_shift: int | None, shape: tuple[int, int]) -> tuple[int, int]:
    if max_shift is None:
        return (max(1, shape[0] // 3), max(1, shape[1] // 3))
    longest = checked_max_shift(max_shift, min(shape) - 1, f"less than the frame's size {shape}")
    return (longest, longest)


def checked_max_shift(max_shift: Any, most: int, limit: str) -> int:
    """The longest shift that a caller asks for; `limit` says where `most` comes from."""
    whole = isinstance(max_shift, int | np.integer) and not isinstance(max_shift, bool)
    if not (whole and 1 <= max_shift <= most):
        raise ValueError(
            f"max_shift is {max_shift!r}; expected a whole number of pixels from 1 to {most}, "
            f"{limit}"
        )
    return int(max_shift)
