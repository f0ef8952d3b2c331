"""PSNR of the denoiser of Vasudevan & Jesse on hexagonal lattices, by strength of noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stemzoo.cli.demo.phantoms import psnr
from stemzoo.inference.model import Model
from stemzoo.plotting.pictures import Grey, grey
from training.evaluation.models.common import EVALUATION_SEED, Metrics
from training.simulate.draw import uniform
from training.simulate.hexagons import MAX_DRIFT, add_noise, coverage, draw_columns, picture

DENOISED_SIZE, PANELS_PER_ROW, PANEL_ZOOM = 64, 3, 4
STRENGTHS = (0.25, 0.5, 1.0, 2.0)  # noise is uniform in [0, a] column heights


def measure(model: Model, smoke: bool = False) -> Metrics:
    count = 4 if smoke else 200
    rows = [
        {"noise": strength, "faulty": faulty, **_gain(model, strength, faulty, count)}
        for faulty in (False, True)
        for strength in STRENGTHS
    ]
    gains = [row["clean"] - row["raw"] for row in rows]
    return {
        "headline": f"gains {min(gains):.1f} to {max(gains):.1f} dB on hexagonal lattices",
        "unit": "dB",
        "images": count,
        "size": DENOISED_SIZE,
        "lattices": rows,
    }


def report(metrics: Metrics) -> str:
    """The table of its card."""
    rows = [
        f"| {row['noise']:g} | {'vacancies and voids' if row['faulty'] else 'none'} "
        f"| {row['raw']:.1f} | {row['clean']:.1f} | {row['clean'] - row['raw']:.1f} |"
        for row in metrics["lattices"]
    ]
    return "\n".join(
        [
            "Peak signal-to-noise ratio in dB on hexagonal lattices, columns 6 to 16 px apart, "
            f"{metrics['size']} px\npictures, half of them displaced with their border. Noise is "
            "uniform in [0, `a`] column heights; the\npeak is a column's height, and the truth "
            "includes the mean of the noise.",
            "",
            "| `a` | defects | raw | denoised | gain |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def published(metrics: Metrics) -> list[tuple[str, str, str]]:
    gains = [row["clean"] - row["raw"] for row in metrics["lattices"]]
    return [("denoising gain", "a picture only", f"{min(gains):.1f} to {max(gains):.1f} dB")]


def panels(model: Model) -> tuple[list[tuple[str, Grey]], int]:
    """Noisy, denoised and true, in rows."""
    shown = []
    for strength in STRENGTHS[1:]:
        noisy, clean = (images[0] for images in _images(strength, True, 1))
        level = (strength / 2 - 0.1, strength / 2 + 1.1)
        shown += [
            (f"noise up to {strength:g}", _enlarged(noisy, None)),
            ("denoised", _enlarged(model(noisy), level)),
            ("truth", _enlarged(clean, level)),
        ]
    return shown, PANELS_PER_ROW


def _gain(model: Model, strength: float, faulty: bool, count: int) -> Metrics:
    noisy, clean = _images(strength, faulty, count)
    offset = strength / 2
    pairs = list(zip(noisy, clean, strict=True))
    raw = [psnr(image - offset, truth - offset) for image, truth in pairs]
    done = [psnr(model(image) - offset, truth - offset) for image, truth in pairs]
    return {"raw": round(float(np.mean(raw)), 2), "clean": round(float(np.mean(done)), 2)}


def _images(strength: float, faulty: bool, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Noisy images and their truth, half of them displaced with their border."""
    random = torch.Generator().manual_seed(EVALUATION_SEED)
    clean = picture(draw_columns(count, DENOISED_SIZE, float(faulty), random), DENOISED_SIZE)
    drift = uniform((count, 2), -MAX_DRIFT, MAX_DRIFT, random)
    clean[::2] *= coverage(drift, DENOISED_SIZE)[::2]
    noisy = add_noise(clean, torch.full((count,), strength), random)
    return noisy.numpy(), (clean + strength / 2).numpy()


def _enlarged(image: NDArray[Any], limits: tuple[float, float] | None) -> Grey:
    return grey(image, limits).repeat(PANEL_ZOOM, axis=0).repeat(PANEL_ZOOM, axis=1)
