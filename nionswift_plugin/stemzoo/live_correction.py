"""Drift correction of a scan that is being looked at: each frame moves the next."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
from nion.utils import Event, Geometry

from nionswift_plugin.stemzoo.drift_tracking import DriftTracker
from stemzoo.common.errors import EXPECTED, reason


class LiveCorrection:
    """Follows a scan from its next frame on, and moves its centre, until it is closed."""

    def __init__(self, scan_hardware_source: Any, model: str | None = "drift-lattice") -> None:
        self.tracker = DriftTracker(model)
        self.changed_event = Event.Event()  # after each frame
        self.problem = ""
        self._source = scan_hardware_source
        start = scan_hardware_source.get_current_frame_parameters()
        self._centre = Geometry.FloatPoint.make(start.center_nm)
        self._listener = scan_hardware_source.xdatas_available_event.listen(self._seen)

    def close(self) -> None:
        """The scan stays where it is."""
        self._listener.close()
        self.tracker.close()

    @property
    def status(self) -> str:
        """One line for people."""
        if self.problem or self.tracker.problem:
            return f"Not corrected: {self.problem or self.tracker.problem}"
        drift = self.tracker.total_delta_nm
        return f"Drift {np.hypot(drift.height, drift.width):.3g} nm, corrected"

    def _seen(self, promises: Sequence[Any]) -> None:
        """On the thread of the acquisition, which nothing here may end."""
        try:
            xdata = promises[0].xdata if promises else None
            if xdata is not None:
                self._follow(xdata)
                self.problem = ""
        except EXPECTED as error:
            self.problem = reason(error)
        with contextlib.suppress(*EXPECTED):
            self.changed_event.fire()

    def _follow(self, xdata: Any) -> None:
        before = self.tracker.measurement_count
        self.tracker.submit_image(xdata, 0.0, wait=True)
        if self.tracker.measurement_count == before:
            return
        # The next frame is centred where the specimen will be in the middle of it.
        elapsed = self.tracker.drift_data_frame[3, -1]
        middle = xdata.timestamp + datetime.timedelta(seconds=elapsed)
        predicted = self.tracker.predict_drift(middle)
        parameters = self._source.get_current_frame_parameters()
        parameters.center_nm = self._centre - predicted
        self._source.set_current_frame_parameters(parameters)
