"""Gains of a restoring network on all scan errors and detector effects, and on row jitter alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import Grey, grey
from stemzoo.scan.restoration import restore
from training.evaluation.measures import slope
from training.evaluation.models.common import EVALUATION_SEED, Metrics, gains, rounded
from training.evaluation.rows import row_shifts
from training.simulate.acquire import Conditions, acquire
from training.simulate.detector import DETECTOR
from training.simulate.scan import EDGE, SCAN
from training.simulate.scenes import SPACING_BANDS, render_crystals

Floats = NDArray[np.float64]

MIXED_PEAKS = (10.0, 100.0, 1000.0, 10_000.0)
HIGH_DOSE = 10_000.0
RESTORED_SIZE = 256
ALL_DISTORTIONS = Conditions(SCAN, DETECTOR)
ROW_JITTER = Conditions({"row_jitter_x": (1.0, 1.0, 1.0)}, {})


def measure(model: Model, smoke: bool = False) -> Metrics:
    count, size = (1, 96) if smoke else (3, RESTORED_SIZE)  # of each band of column spacings
    rows = [
        {"peak": peak, **gains(_restored(model, *pictures(count, peak, ALL_DISTORTIONS, size)))}
        for peak in MIXED_PEAKS
    ]
    gain = rounded(np.mean([row["clean"] - row["raw"] for row in rows]))
    jittered = list(_restored(model, *_jittered(count, HIGH_DOSE, size)))
    shifts = [row_shifts(image, truth) for raw, clean, truth in jittered for image in (raw, clean)]
    return {
        "headline": f"mean gain {gain:.1f} dB on all distortions, mixed",
        "unit": "dB",
        "mixed": rows,
        "gain": gain,
        "row_shift": _over([np.nanstd(found) for found in shifts]),
        "row_step": _over([np.nanstd(np.diff(found)) for found in shifts]),
        "slopes": [
            {"peak": peak, "slope": rounded(np.mean([slope(c, t) for _, c, t in found]))}
            for peak in (1000.0, 10_000.0, 1e6)
            for found in [list(_restored(model, *_jittered(count, peak, size)))]
        ],
    }


def pictures(
    count: int,
    peak: float,
    conditions: Conditions,
    size: int = RESTORED_SIZE,
    either_way: bool = True,
) -> tuple[Floats, Floats]:
    """Noisy and true pictures of unseen specimens, `count` in every band of column spacings.

    With `either_way`, half of the batches are scanned along columns.
    """
    random = torch.Generator().manual_seed(EVALUATION_SEED)
    wide = torch.cat(
        [render_crystals(count, size + 2 * EDGE, band, random) for band, _ in SPACING_BANDS]
    )
    peaks = torch.full((len(wide),), peak)
    noisy, truth = acquire(wide, peaks, conditions, random, either_way)
    return noisy.double().numpy(), truth.double().numpy()


def _over(values: list[np.floating[Any]]) -> dict[str, float]:
    """The mean of values that alternate between raw and restored."""
    return {
        "before": rounded(np.mean(values[::2])),
        "after": rounded(np.mean(values[1::2])),
    }


def _jittered(count: int, peak: float, size: int) -> tuple[Floats, Floats]:
    """Pictures with row displacements along x only."""
    return pictures(count, peak, ROW_JITTER, size, either_way=False)


def _restored(model: Model, noisy: Floats, truth: Floats) -> list[tuple[Floats, Floats, Floats]]:
    return [(raw, restore(raw, model), true) for raw, true in zip(noisy, truth, strict=True)]


def report(metrics: Metrics) -> str:
    mixed = [
        f"| {row['peak']:g} | {row['raw']:.1f} | {row['clean']:.1f} | {row['raw_ssim']:.3f} "
        f"| {row['clean_ssim']:.3f} |"
        for row in metrics["mixed"]
    ]
    slopes = ", ".join(f"{row['slope']:.3f} at {row['peak']:g}" for row in metrics["slopes"])
    shift, step = metrics["row_shift"], metrics["row_step"]
    return "\n".join(
        [
            "Every scan error and detector effect of the simulator, mixed, on crystals with",
            "columns 4 to 60 px apart; PSNR in dB, peak in electrons per pixel:",
            "",
            "| peak | raw | restored | SSIM raw | SSIM restored |",
            "|---|---|---|---|---|",
            *mixed,
            "",
            f"Mean gain {metrics['gain']:.1f} dB. Of a row jitter of 1 px rms at high dose, "
            f"{shift['before']:.2f} px are measured before",
            f"and {shift['after']:.2f} px after; from one row to the next, "
            f"{step['before']:.2f} and {step['after']:.2f} px.",
            "The jitter is correlated from row to row; its slow part is hard to detect and stays.",
            "The slope of restored over true intensity with that jitter, by peak:",
            f"{slopes}.",
        ]
    )


def published(metrics: Metrics) -> list[tuple[str, str, str]]:
    shift = metrics["row_shift"]
    return [
        (
            "mean gain, all distortions and noise mixed",
            "pictures only",
            f"{metrics['gain']:.1f} dB",
        ),
        (
            "1 px row jitter, before and after",
            "pictures only",
            f"{shift['before']:.2f} px, {shift['after']:.2f} px",
        ),
    ]


def panels(model: Model) -> tuple[list[tuple[str, Grey]], int]:
    """Raw, restored, truth and the difference, as in the paper's figure."""
    shown = []
    noisy, truth = pictures(1, 100.0, ALL_DISTORTIONS)
    for raw, clean, true in _restored(model, noisy, truth):
        limits = (float(true.min()), float(true.max()))
        shown += [
            ("raw", grey(raw)),
            ("restored", grey(clean, limits)),
            ("truth", grey(true, limits)),
            ("difference", grey(raw - clean)),
        ]
    return shown, 4
