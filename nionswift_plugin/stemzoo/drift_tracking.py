"""stemzoo's tracker in the place of Nion Swift's: wherever that corrects drift, this one measures.

Nion Swift asks the registry for the "drift_tracker" of the highest priority: the acquisition panel,
its drift log and synchronised scans use ours while this plug-in is loaded.

A frame whose drift is ambiguous or out of range moves nothing: the correction stays what it was,
the acquisition goes on, and `problem` says what was wrong.
"""

from __future__ import annotations

import datetime
import logging
import threading
from collections import deque
from typing import Any, TypeAlias

import numpy as np
from nion.data import DataAndMetadata
from nion.utils import Event, Geometry, Registry, ThreadPool
from numpy.typing import NDArray

import stemzoo
from nionswift_plugin.stemzoo.motion import WINDOW, Motion, Vector, rotated
from stemzoo.common.errors import EXPECTED, reason

KIND = {"drift_tracker"}
FAINT = 0.25  # of the usual correlation: such a frame shows something else, or nothing
LEAST = 0.5  # px: no prediction is taken to be better
REACH = 2.0  # fields of view: no correction is longer

Xdata: TypeAlias = DataAndMetadata.DataAndMetadata

_log = logging.getLogger(__name__)


class DriftTracker:
    """As nion.instrumentation.DriftTracker.DriftTracker, whose place it takes.

    Offsets are in nm and negative where features have moved down or right, as Nion Swift has them:
    what is to be subtracted from the centre of a scan.
    """

    priority = 80  # Nion Swift's own has 50

    def __init__(self, model: str | None = "drift-lattice") -> None:
        self.drift_changed_event = Event.Event()
        self.problem = ""  # why the last frame has moved nothing; empty where it was used
        self._model = model
        self._lock = threading.RLock()
        self._dispatcher = ThreadPool.SingleItemDispatcher()
        self.reset()

    def close(self) -> None:
        self._dispatcher.close()

    def reset(self) -> None:
        """The next frame is the reference."""
        with self._lock:
            self._tracker: stemzoo.DriftTracker | None = None
            self._rotation = 0.0
            self._centre = np.zeros(2)  # of the scan of the reference, nm
            self._commanded = np.zeros(2)  # nm, what Nion Swift was told last
            self._motion = Motion()
            self._scores: deque[float] = deque(maxlen=WINDOW)  # of frames that were used
            self._steps: list[tuple[float, float, float, float]] = []
            self._last_time: datetime.datetime | None = None
            self.problem = ""
            self.last_drift: stemzoo.Drift | None = None  # of features in the frame, px

    def submit_image(self, xdata: Xdata, rotation: float, *, wait: bool = False) -> None:
        """Measures the drift of a frame that was scanned at `rotation`; never raises."""
        if wait:
            self._measure(xdata, rotation)
        else:
            copied = DataAndMetadata.new_data_and_metadata(
                np.copy(xdata.data),
                dimensional_calibrations=xdata.dimensional_calibrations,
                metadata=xdata.metadata,
                timestamp=xdata.timestamp,
            )
            self._dispatcher.dispatch(lambda: self._measure(copied, rotation))

    def predict_drift(
        self, utc_time: datetime.datetime, *, n: int | None = None
    ) -> Geometry.FloatSize:
        """The whole drift at that time, nm."""
        with self._lock:
            predicted = self._motion.predict(utc_time.timestamp())
            self._commanded = predicted
            return _size(-predicted)

    def get_drift_rate(self, *, n: int | None = None) -> Geometry.FloatSize:
        """nm per second."""
        with self._lock:
            return _size(-self._motion.rate)

    @property
    def total_delta_nm(self) -> Geometry.FloatSize:
        with self._lock:
            self._commanded = self._motion.position
            return _size(-self._motion.position)

    @property
    def last_delta_nm(self) -> Geometry.FloatSize:
        with self._lock:
            return _size(np.array(self._steps[-1][:2]) if self._steps else np.zeros(2))

    @property
    def measurement_count(self) -> int:
        return len(self._steps)

    @property
    def drift_data_frame(self) -> NDArray[np.float64]:
        """Of each measurement: the step along y, x and in all, nm, and its time in s."""
        with self._lock:
            return np.array(self._steps, float).reshape(-1, 4).T.copy()

    def _measure(self, xdata: Xdata, rotation: float) -> None:
        try:
            with self._lock:
                step = self._followed(xdata, rotation)
        except EXPECTED as error:
            step = None
            self._hold(reason(error))
        if step is not None:
            self.drift_changed_event.fire(_size(np.array(step[:2])), step[3])

    def _followed(self, xdata: Xdata, rotation: float) -> tuple[float, float, float, float] | None:
        """The step that a frame shows; None of the first one, and of one that shows none."""
        shape = tuple(xdata.data_shape)
        if self._tracker is None or self._rotation != rotation or self._tracker.shape != shape:
            self.reset()
            self._tracker = stemzoo.DriftTracker(xdata.data, self._model)
            self._rotation, self._centre = rotation, _centre(xdata, np.zeros(2))
            self._last_time = xdata.timestamp
            self._motion.add(xdata.timestamp.timestamp(), np.zeros(2))
            self._tracker.push(xdata.data)
            return None
        # Without times: what it sees is the drift that is left, which has no rate of its own.
        found = self._tracker.push(xdata.data)
        self.last_drift = found
        if found.score < FAINT * (np.median(self._scores) if self._scores else 0):
            self._hold(
                f"the frame correlates with the reference by {found.score:.2f}, those before it "
                f"by {np.median(self._scores):.2f}"
            )
            return None
        displaced = _centre(xdata, self._centre + self._commanded) - self._centre
        scales, time = _scales(xdata), xdata.timestamp.timestamp()

        def place(drift: Any) -> Vector:
            return rotated(np.array([drift.dy, drift.dx]) * scales, -rotation) + displaced

        position = place(found)
        if found.ambiguous:
            # The tracker does not know what was corrected, and we do: perhaps that decides.
            places = [position, *map(place, found.candidates)] if np.isfinite(found.dy) else []
            index = self._motion.chosen(time, places, LEAST * float(scales.max()))
            if index is None:
                self._hold(f"the drift is ambiguous: {found.reason}")
                return None
            position = places[index]
        reach = REACH * _field(xdata)
        if np.hypot(*position) > reach:
            self._hold(f"the drift is {np.hypot(*position):.3g} nm, beyond {reach:.3g} nm")
            return None
        dy, dx = self._motion.position - position
        self._motion.add(time, position)
        self._scores.append(found.score)
        assert self._last_time is not None
        elapsed = (xdata.timestamp - self._last_time).total_seconds()
        self._last_time = xdata.timestamp
        self.problem = ""
        step = (float(dy), float(dx), float(np.hypot(dy, dx)), elapsed)
        self._steps.append(step)
        return step

    def _hold(self, problem: str) -> None:
        self._motion.hold()
        if not self.problem:  # once, not for each frame that follows
            _log.warning("drift is not corrected: %s", problem)
        self.problem = problem


def _centre(xdata: Xdata, otherwise: Vector) -> Vector:
    """Of the scan, nm, as its metadata say."""
    scan: dict[str, Any] = xdata.metadata.get("scan", {})
    if "center_y_nm" not in scan or "center_x_nm" not in scan:
        return otherwise
    return np.array([scan["center_y_nm"], scan["center_x_nm"]], float)


def _field(xdata: Xdata) -> float:
    """Of the scan, of which the frame may be a part, nm."""
    own = max(np.array(xdata.data_shape) * _scales(xdata))
    return float(xdata.metadata.get("scan", {}).get("fov_nm", own))


def _scales(xdata: Xdata) -> Vector:
    calibrations = xdata.dimensional_calibrations
    units = {calibration.units for calibration in calibrations}
    if units != {"nm"}:
        raise ValueError(f"the scan is calibrated in {units}; expected nm")
    return np.array([calibration.scale for calibration in calibrations])


def _size(vector: Vector) -> Geometry.FloatSize:
    return Geometry.FloatSize(h=float(vector[0]), w=float(vector[1]))


def register() -> None:
    Registry.register_component(DriftTracker(), KIND)


def unregister() -> None:
    for component in list(Registry.get_components_by_type("drift_tracker")):
        if isinstance(component, DriftTracker):
            Registry.unregister_component(component, KIND)
            component.close()
