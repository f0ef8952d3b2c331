"""The test image of Williams et al., simulated with the published PSNR and SSIM of the raw one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from stemzoo.cli.demo.phantoms import psnr
from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import Grey, grey
from training.evaluation.measures import ssim
from training.evaluation.models.common import EVALUATION_SEED, Metrics, rounded
from training.simulate.crystals import ZONES
from training.simulate.detector import electrons, record
from training.simulate.lattice import Cells, real_cells
from training.simulate.render import RENDER_MARGIN
from training.simulate.scenes import form_image
from training.simulate.specimen import build

Floats = NDArray[np.float64]

RAW_PSNR, RAW_SSIM = 18.244, 0.157  # published, of the noisy picture
CLEAN_PSNR, CLEAN_SSIM = 28.123, 0.85  # published, of the denoised one
INCIDENT = electrons(50, 1.4)  # per pixel: 50 pA for 1.4 us
BIAS = 0.2  # dark level, fraction of the peak
EVALUATED_CRYSTAL = "SrTiO3 [001]"
IMAGE_SIZE, IMAGE_COUNT = 512, 4
IMAGE_SPACING, IMAGE_SIGMA = (
    50.0,
    0.14,
)  # px, and fraction of it: chosen to match the published raw SSIM


@dataclass(frozen=True)
class Exposure:
    """A noisy picture and its truth, both from 0 to 1, and the number of electrons at 1."""

    raw: Floats
    truth: Floats
    peak: float


def exposures(count: int = IMAGE_COUNT, size: int = IMAGE_SIZE) -> list[Exposure]:
    """Unseen specimens at the dose that gives the published PSNR of the raw picture."""
    random = torch.Generator().manual_seed(EVALUATION_SEED)
    (zone,) = (entry for entry in ZONES if entry.name == EVALUATED_CRYSTAL)
    spacing = torch.full((count,), IMAGE_SPACING)
    cells: Cells = real_cells([zone] * count, spacing)
    specimen = build(
        cells, size + 2 * RENDER_MARGIN, random, {"spread": torch.full((count,), 0.06)}
    )
    wide = form_image(specimen, IMAGE_SIGMA * spacing, random)
    clean = wide[:, RENDER_MARGIN:-RENDER_MARGIN, RENDER_MARGIN:-RENDER_MARGIN]
    clean = clean / clean.amax(dim=(1, 2), keepdim=True)
    # The mean squared error of shot noise is the mean signal over the electrons at the peak.
    peak = (clean.mean(dim=(1, 2)) + BIAS) / 10 ** (-RAW_PSNR / 10)
    counts, _ = record(clean, peak, random, {"bias": torch.full((count,), BIAS)})
    raw = counts / peak[:, None, None] - BIAS
    return [
        Exposure(raw[n].double().numpy(), clean[n].double().numpy(), float(peak[n]))
        for n in range(count)
    ]


def measure(model: Model, smoke: bool = False) -> Metrics:
    taken = exposures(1, 128) if smoke else exposures()
    clean = [model(one.raw) for one in taken]
    found: Metrics = {
        "unit": "dB",
        "electrons": rounded(np.mean([one.peak for one in taken])),
        "collected": rounded(np.mean([one.peak for one in taken]) / INCIDENT),
        "raw": rounded(np.mean([psnr(one.raw, one.truth) for one in taken])),
        "raw_ssim": rounded(np.mean([ssim(one.raw, one.truth) for one in taken])),
        "clean": rounded(
            np.mean([psnr(c, one.truth) for c, one in zip(clean, taken, strict=True)])
        ),
        "clean_ssim": rounded(
            np.mean([ssim(c, one.truth) for c, one in zip(clean, taken, strict=True)])
        ),
    }
    found["headline"] = (
        f"{found['raw']:.1f} to {found['clean']:.1f} dB, SSIM {found['raw_ssim']:.2f} to "
        f"{found['clean_ssim']:.2f}"
    )
    return found


def report(metrics: Metrics) -> str:
    text = [
        f"{EVALUATED_CRYSTAL}, {IMAGE_SIZE} x {IMAGE_SIZE} px, at 50 pA and 1.4 us a pixel "
        f"({INCIDENT:.0f} electrons, of",
        f"which the detector counts {metrics['collected']:.1%} at the brightest), on a dark level "
        f"of {BIAS:g} of the peak;",
        "PSNR in dB over a range of 1:",
        "",
        "| | PSNR | SSIM |",
        "|---|---|---|",
        f"| published, raw | {RAW_PSNR:.3f} | {RAW_SSIM:.3f} |",
        f"| ours, raw | {metrics['raw']:.3f} | {metrics['raw_ssim']:.3f} |",
        f"| published, denoised | {CLEAN_PSNR:.3f} | {CLEAN_SSIM:.3f} |",
        f"| ours, denoised | {metrics['clean']:.3f} | {metrics['clean_ssim']:.3f} |",
    ]
    if "comparison" in metrics:
        text += ["", *_comparison(metrics["comparison"])]
    return "\n".join(text)


def _comparison(comparison: Metrics) -> list[str]:
    return [
        f"Other training targets, {comparison['minutes']:g} minutes each, by "
        "`python -m training.experiments.williams_comparison`:",
        "",
        "| target | PSNR | SSIM |",
        "|---|---|---|",
        *(
            f"| {row['system']} | {row['clean']:.2f} | {row['clean_ssim']:.3f} |"
            for row in comparison["taught"]
        ),
        "",
        f"Fine-tuned on other conditions, {comparison['tuning_minutes']:g} minutes each:",
        "",
        "| condition | raw | before tuning | after tuning |",
        "|---|---|---|---|",
        *(
            f"| {row['condition']} | {row['raw']:.2f} | {row['before']:.2f} | {row['after']:.2f} |"
            for row in comparison["tuned"]
        ),
    ]


def published(metrics: Metrics) -> list[tuple[str, str, str]]:
    return [
        ("raw PSNR", f"{RAW_PSNR:.3f} dB", f"{metrics['raw']:.3f} dB"),
        ("raw SSIM", f"{RAW_SSIM:.3f}", f"{metrics['raw_ssim']:.3f}"),
        ("denoised PSNR", f"{CLEAN_PSNR:.3f} dB", f"{metrics['clean']:.3f} dB"),
        ("denoised SSIM", f"{CLEAN_SSIM:.2f}", f"{metrics['clean_ssim']:.3f}"),
    ]


def panels(model: Model) -> tuple[list[tuple[str, Grey]], int]:
    """The noisy picture and the denoised one, as in the paper's figure, and the truth."""
    (one,) = exposures(1, 256)
    limits = (0.0, 1.0)
    return [
        ("50 pA, 1.4 us, bias 0.2", grey(one.raw)),
        ("denoised", grey(model(one.raw), limits)),
        ("truth", grey(one.truth, limits)),
    ], 3
