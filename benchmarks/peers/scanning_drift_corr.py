"""scanning-drift-corr 1.0.1: Ophus, Ciston and Nelson (2016) in SciPy, with its defaults."""

from __future__ import annotations

from typing import Any

from scanning_drift_corr.api import SPmerge01linear, SPmerge02

from benchmarks.peers.scan_files import serve


def places(scans: Any, angles: Any) -> Any:
    quiet = {"flagPlot": False, "flagReportProgress": False}
    # It counts angles the other way round.
    linear = SPmerge01linear(-angles, *scans, **quiet)
    found = SPmerge02(linear, flagGlobalShift=True, **quiet)
    half = (scans.shape[2] - 1) / 2
    lines = zip(found.scanOr, found.scanDir, strict=True)
    return [starts.T + half * along for starts, along in lines]


if __name__ == "__main__":
    serve(places)
