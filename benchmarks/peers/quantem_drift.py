"""quantem 0.1.10: translation, affine, then every row, with its defaults."""

from __future__ import annotations

from typing import Any

import matplotlib
from quantem.imaging.drift import DriftCorrection

from benchmarks.peers.scan_files import serve

matplotlib.use("Agg")


def places(scans: Any, angles: Any) -> Any:
    # It counts angles the other way round.
    drift = DriftCorrection.from_data(images=list(scans), scan_direction_degrees=list(-angles))
    drift.preprocess()
    drift.align_affine(show_merged=False)
    drift.align_nonrigid(show_merged=False)
    half = (scans.shape[2] - 1) / 2
    return [
        knots[:, :, 0].T + half * along
        for knots, along in zip(drift.knots, drift.scan_fast, strict=True)
    ]


if __name__ == "__main__":
    serve(places)
