"""Holds the specimen still: measures its drift and moves the beam, or the image, against it.

    python drift_correct.py HAADF                       # on the computer of the microscope
    python drift_correct.py HAADF --remote tem-pc:8080  # where `temscript-server` runs there
    python drift_correct.py CCD --deflector image       # a camera in place of a scan

First it finds by two small steps how far features move in the picture when the deflector does, and
then corrects frame after frame. The deflector is moved only by what is certain: not after a frame
whose drift is ambiguous or longer than `--range`, and never further than `--reach` from where it
was at the start. What was not corrected is printed, and acquisition goes on.

temscript is BSD-licensed; its documentation says which microscopes and detectors there are.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

ABOVE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ABOVE))  # where the client lies in a wheel
sys.path.insert(0, str(ABOVE / "python"))  # and in the repository
import stemzoo_client as stemzoo  # noqa: E402

LEAST_STEP = 2  # px, for a calibration to a few per cent


class NotCalibrated(Exception):
    """The effect of the deflector cannot be measured."""


class Deflector:
    """A deflector of the microscope, and how far features move in the picture when it does."""

    def __init__(self, microscope: Any, name: str, reach: float) -> None:
        self._get = getattr(microscope, f"get_{name}_shift")
        self._set = getattr(microscope, f"set_{name}_shift")
        self._reach = reach
        self.start = self.position

    @property
    def position(self) -> tuple[float, float]:
        """(x, y) in metres."""
        x, y = self._get()
        return float(x), float(y)

    def calibrate(self, acquire: Any, step: float) -> None:
        """Moves by `step` metres along either axis, and back."""
        x, y = self.start
        still = acquire()
        columns = []
        try:
            for moved in ((x + step, y), (x, y + step)):
                self._set(moved)
                seen = stemzoo.drift(still, acquire())
                if seen.ambiguous or not math.isfinite(seen.dy):
                    raise NotCalibrated(
                        f"a step of {step * 1e9:g} nm moved the picture by no certain distance "
                        f"({seen.reason}); try another --step"
                    )
                columns.append((seen.dy / step, seen.dx / step))
        finally:
            self._set(self.start)
        (self._yx, self._xx), (self._yy, self._xy) = (
            columns  # px along y or x, per metre along x, y
        )
        self._area = self._yx * self._xy - self._yy * self._xx
        if abs(self._area) * step**2 < LEAST_STEP**2:
            raise NotCalibrated(
                f"steps of {step * 1e9:g} nm along x and y move the picture by less than "
                f"{LEAST_STEP} px, or both along one line; give a longer --step"
            )

    def undo(self, dy: float, dx: float) -> bool:
        """Moves features by (-dy, -dx) px, unless that leads out of reach."""
        x, y = self.position
        x -= (self._xy * dy - self._yy * dx) / self._area
        y -= (self._yx * dx - self._xx * dy) / self._area
        if math.hypot(x - self.start[0], y - self.start[1]) > self._reach:
            return False
        self._set((x, y))
        return True


def correct(
    acquire: Any, deflector: Deflector, frames: int, longest: float, model: str | None
) -> int:
    """Follows a series of frames; how many were corrected."""
    corrected = 0
    with stemzoo.DriftTracker(acquire(), model) as tracker:
        for number in range(1, frames + 1):
            try:
                drift = tracker.push(acquire())
            except stemzoo.StemzooError as error:
                print(f"{number:5d} not corrected: {error}")
                continue
            refused = _refused(drift, longest)
            if not refused and not deflector.undo(drift.dy, drift.dx):
                refused = "the deflector would be out of reach"
            corrected += not refused
            told = f"not corrected: {refused}" if refused else "corrected"
            print(f"{number:5d} {drift.dy:8.2f} {drift.dx:8.2f} px  {told}")
    return corrected


def _refused(drift: stemzoo.Drift, longest: float) -> str:
    """Why nothing may move by this drift, or ""."""
    if drift.ambiguous or not math.isfinite(drift.dy):
        return drift.reason or "nothing can be said of this frame"
    length = math.hypot(drift.dy, drift.dx)
    return f"{length:.1f} px is more than {longest:g}" if length > longest else ""


def main(arguments: list[str] | None = None, microscope: Any = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("detector", help="as temscript names it, such as HAADF")
    parser.add_argument("--deflector", choices=["beam", "image"], default="beam")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--step", type=float, default=5e-9, help="of the calibration, metres")
    parser.add_argument("--range", type=float, default=50, help="longest drift corrected, px")
    parser.add_argument("--reach", type=float, default=500e-9, help="of the deflector, metres")
    parser.add_argument("--model", help="a drift model, such as drift-lattice; default: classical")
    parser.add_argument("--remote", metavar="HOST:PORT", help="of a temscript server")
    options = parser.parse_args(arguments)
    microscope = microscope or _microscope(options.remote)

    def acquire() -> Any:
        return microscope.acquire(options.detector)[options.detector]

    deflector = Deflector(microscope, options.deflector, options.reach)
    try:
        deflector.calibrate(acquire, options.step)
        done = correct(acquire, deflector, options.frames, options.range, options.model)
    except KeyError:
        print(f"the microscope has no detector {options.detector}", file=sys.stderr)
        return 1
    except (NotCalibrated, stemzoo.StemzooError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{done} of {options.frames} frames corrected")
    return 0


def _microscope(remote: str | None) -> Any:
    import temscript

    if remote is None:
        return temscript.Microscope()
    host, _, port = remote.partition(":")
    return temscript.RemoteMicroscope((host, int(port or 8080)))


if __name__ == "__main__":
    sys.exit(main())
