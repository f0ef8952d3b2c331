"""What is done with each frame of a stream."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from stemzoo.common.arrays import image_or_stack
from stemzoo.inference.model import Model, model_for
from stemzoo.registration.tracker import DriftTracker, TrackedDrift

CLASSICAL = "classical"  # the estimator without a network

Result = tuple[NDArray[Any], TrackedDrift | None, int | None]


class Pipeline:
    """Tracker and denoiser; models are opened here, before the first frame."""

    def __init__(
        self, model: str | Model | None, drift: str | Model | None, max_shift: int | None
    ) -> None:
        self._denoiser = None if model is None else model_for("denoise", model)
        self._follows = drift is not None
        network = None if drift == CLASSICAL else drift
        self._drift_model = None if network is None else model_for("drift", network)
        self._max_shift = max_shift
        self._tracker: DriftTracker | None = None
        self._reference: int | None = None

    def __call__(self, number: int, frame: NDArray[Any]) -> Result:
        """The image, its drift and the number of the frame that the drift is measured from.

        ValueError where the frame is none.
        """
        pixels, _ = image_or_stack(frame, "frame")
        if pixels.ndim != 2:
            raise ValueError(
                f"frame has shape {pixels.shape}; expected a 2-D image (rows, columns)"
            )
        drift = self._followed(number, frame) if self._follows else None
        image = self._denoiser(frame) if self._denoiser else frame
        return image, drift, self._reference

    def _followed(self, number: int, frame: NDArray[Any]) -> TrackedDrift:
        if self._tracker is None or self._tracker.shape != frame.shape:
            self._tracker = DriftTracker(frame, self._drift_model, max_shift=self._max_shift)
            self._reference = number
        # Numbers are the clock: where frames were dropped, the drift has gone on.
        return self._tracker.push(frame, time=float(number))
