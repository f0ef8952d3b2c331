"""Drift measured and compensated in Nion's simulated microscope, with our tracker and with theirs.

    python -m tests.integrations.closed_loop [--frames 200] [--write]

Before each frame the specimen moves; Nion's DriftCorrectionBehavior then records a part of the
scan, a tracker measures it, and the frame is scanned where the tracker says. The residual is how
far the specimen really is from its place in the frame.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
from nion.instrumentation import AcquisitionPreferences, DriftTracker
from nion.utils import Geometry

from benchmarks.readme import with_part
from benchmarks.timing import table
from nionswift_plugin.stemzoo.drift_tracking import DriftTracker as OurTracker
from nionswift_plugin.stemzoo.live_correction import LiveCorrection
from tests.integrations.microscope import microscope

PAGE = Path(__file__).parents[2] / "docs" / "nion.md"
DRIFT = np.array([1.6, -1.2])  # px a frame: 2 px
WALK = 1.0  # px, along each axis
REGION = Geometry.FloatRect.from_tlhw(0.25, 0.25, 0.5, 0.5)
WIDTH = 128  # px of the part that drift is measured on
PREFERENCES = SimpleNamespace(
    drift_scan_customization=SimpleNamespace(scan_width_pixels=WIDTH, dwell_time_us=0.5)
)
HOP = 5.0  # px: a quarter of the lattice period


def path(frames, seed):
    """Where the specimen is before each frame, px."""
    steps = DRIFT + WALK * np.random.default_rng(seed).standard_normal((frames, 2))
    steps[0] = 0
    return np.cumsum(steps, axis=0)


def measured_before_each_frame(scope, tracker, frames, seed, *, prediction=False):
    """Residuals (frames, 2) in px, and the problems that were shown."""
    channel = scope.scan.get_channel_id(0)
    behaviour = DriftTracker.DriftCorrectionBehavior(
        tracker, scope.scan, scope.parameters, 1, channel, REGION, 0.0, use_prediction=prediction
    )
    residuals, problems = [], []
    for place in path(frames, seed):
        scope.place(*place)
        with mock.patch.object(AcquisitionPreferences, "acquisition_preferences", PREFERENCES):
            behaviour.prepare_section([])
        parameters = scope.parameters
        parameters.center_nm = parameters.center_nm - tracker.total_delta_nm
        (frame, *_) = scope.scan.record_immediate(parameters)
        residuals.append(scope.residual(frame))
        problems.append(getattr(tracker, "problem", ""))
    return np.array(residuals), problems


def followed_live(scope, frames, seed, model="drift-lattice"):
    """Residuals of a scan that plays while `LiveCorrection` moves it, and of what it measured."""
    places, residuals, measured = list(path(frames, seed)), [], []
    scope.scan.set_current_frame_parameters(scope.parameters)

    def note(promises):
        xdata = promises[0].xdata
        residuals.append(scope.residual(xdata))
        if len(residuals) < frames:
            scope.place(*places[len(residuals)])

    def look():
        found = correction.tracker.last_drift
        measured.append((0.0, 0.0) if found is None else (found.dy, found.dx))

    listener = scope.scan.xdatas_available_event.listen(note)
    correction = LiveCorrection(scope.scan, model)
    looking = correction.changed_event.listen(look)
    scope.scan.start_playing()
    try:
        while len(measured) < frames:
            time.sleep(0.01)
            scope.document_controller.periodic()
    finally:
        scope.scan.abort_playing(sync_timeout=30)
        for each in (looking, correction, listener):
            each.close()
    residual = np.array(residuals[:frames])
    return residual, residual - np.array(measured[:frames])


def summary(name, residual):
    rms = np.sqrt((residual**2).mean())
    hops = int((np.abs(residual) > HOP).any(axis=1).sum())
    row = [name, f"{rms:.3f}", f"{np.abs(residual).max():.2f}", f"{hops}"]
    print(*row, sep=" | ", flush=True)
    return row


def compared(frames):
    """The rows of the table."""
    ways = [
        ("stemzoo, measured before each frame", OurTracker, False),
        ("stemzoo without a network", lambda: OurTracker(None), False),
        ("Nion Swift's own", DriftTracker.DriftTracker, False),
        ("stemzoo, with prediction", OurTracker, True),
        ("Nion Swift's own, with prediction", DriftTracker.DriftTracker, True),
    ]
    rows = []
    for name, made, prediction in ways:
        with tempfile.TemporaryDirectory() as folder, microscope(folder) as scope:
            residual, _ = measured_before_each_frame(
                scope, made(), frames, 1, prediction=prediction
            )
        rows.append(summary(name, residual))
    with tempfile.TemporaryDirectory() as folder, microscope(folder) as scope:
        residual, error = followed_live(scope, frames, 1)
    rows.append(summary("stemzoo, from frame to frame of the live scan", residual))
    rows.append(summary("the same, what is left once the measured drift is known", error))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="the table of docs/nion.md")
    given = parser.parse_args()
    head = ["", "residual, px rms along an axis", "worst, px", "frames off by a hop"]
    written = table(head, compared(given.frames))
    if given.write:
        PAGE.write_text(with_part(PAGE.read_text(), "closed loop", written))


if __name__ == "__main__":
    main()
