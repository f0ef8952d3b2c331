"""What a restoring network gains on every scan error and every kind of noise, mixed and alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import Grey, grey
from stemzoo.scan.restoration import restore
from training.evaluation.measures import slope
from training.evaluation.rows import row_shifts
from training.figures.common import EVALUATION_SEED, Metrics, gains, rounded
from training.simulate.acquire import Conditions, acquire
from training.simulate.detector import DETECTOR
from training.simulate.scan import EDGE, SCAN
from training.simulate.scenes import BANDS, render_crystals

Floats = NDArray[np.float64]

PEAKS = (10.0, 100.0, 1000.0, 10_000.0)
HIGH_DOSE = 10_000.0
SIZE = 256
ALL = Conditions(SCAN, DETECTOR)
JITTER = Conditions({"row_jitter_x": (1.0, 1.0, 1.0)}, {})


def measure(model: Model, smoke: bool = False) -> Metrics:
    count, size = (1, 96) if smoke else (3, SIZE)  # of each band of column spacings
    rows = [
        {"peak": peak, **gains(_restored(model, *pictures(count, peak, ALL, size)))}
        for peak in PEAKS
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
    count: int, peak: float, conditions: Conditions, size: int = SIZE, either_way: bool = True
) -> tuple[Floats, Floats]:
    """Noisy and true pictures of unseen specimens, `count` of every band of column spacings.

    Unless `either_way`, all are scanned along rows.
    """
    random = torch.Generator().manual_seed(EVALUATION_SEED)
    wide = torch.cat([render_crystals(count, size + 2 * EDGE, band, random) for band, _ in BANDS])
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
    """Only the rows of these are displaced, and only along themselves."""
    return pictures(count, peak, JITTER, size, either_way=False)


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
            "Rows remember the one before, some of them long: what is slow of their jitter is less",
            "seen, and stays. The slope of restored over true intensity with that jitter, by peak:",
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
    """Raw, restored and their difference, as in the paper's figure."""
    shown = []
    noisy, truth = pictures(1, 100.0, ALL)
    for raw, clean, true in _restored(model, noisy, truth):
        limits = (float(true.min()), float(true.max()))
        shown += [
            ("raw", grey(raw)),
            ("restored", grey(clean, limits)),
            ("truth", grey(true, limits)),
            ("difference", grey(raw - clean)),
        ]
    return shown, 4
