"""PSNR of a denoiser by dose and column spacing, and the noise it leaves in a blank field."""

from __future__ import annotations

import numpy as np
import torch

from stemzoo.cli.demo.phantoms import expose, perovskite, psnr
from stemzoo.inference.model import Model
from training.evaluation.models import case_scores as cases
from training.evaluation.models.common import EVALUATION_SEED, Metrics, rounded
from training.simulate.scenes import SPACING_BANDS, render_crystals

DENOISING_TOPICS = (
    "specimens",
    "specimens-bright",
    "specimens-coloured",
    "no-atoms",
    "blank",
    "amorphous",
)
PEROVSKITE_PEAKS = (5, 20, 100)  # electrons per pixel at the brightest column


def measure(model: Model, smoke: bool = False) -> Metrics:
    """All metrics of a denoiser; `smoke` measures on a few small images only."""
    size, repeats = (128, 1) if smoke else (512, 4)
    perovskites = [on_perovskite(model, peak, size, repeats) for peak in PEROVSKITE_PEAKS]
    raw, clean = (
        " / ".join(f"{row[kind]:.1f}" for row in perovskites) for kind in ("raw", "clean")
    )
    peaks = " / ".join(map(str, PEROVSKITE_PEAKS))
    return {
        "headline": f"PSNR on a perovskite {clean} dB, from {raw} at peak {peaks}",
        "unit": "dB",
        "perovskite": perovskites,
        "lattices": [
            _lattices(model, spacing, peak, 2 if smoke else 12)
            for spacing, _ in SPACING_BANDS
            for peak in (5, 100)
        ],
        "blank": _blank(model, size),
        "cases": cases.by_topic(model, DENOISING_TOPICS, smoke),
    }


def report(metrics: Metrics) -> str:
    """The tables of its card."""
    perovskite = [
        f"| {row['peak']} | {row['raw']:.1f} | {row['clean']:.1f} |"
        for row in metrics["perovskite"]
    ]
    lattices = [
        f"| {row['spacing'][0]:.0f} - {row['spacing'][1]:.0f} px | {row['peak']} "
        f"| {row['raw']:.1f} | {row['clean']:.1f} |"
        for row in metrics["lattices"]
    ]
    blank = metrics["blank"]
    return "\n".join(
        [
            "Peak signal-to-noise ratio in dB, Poisson noise; peak is the mean number of electrons",
            "in the brightest pixel.",
            "",
            "Perovskite lattice, period 20 px, column sigma 3.2 px, 512 x 512:",
            "",
            "| peak | raw | denoised |",
            "|---|---|---|",
            *perovskite,
            "",
            "Simulated crystals with defects, boundaries and edges, by distance between columns:",
            "",
            "| columns | peak | raw | denoised |",
            "|---|---|---|---|",
            *lattices,
            "",
            f"In a blank field of {blank['level']} electrons per pixel, a standard deviation of "
            f"{blank['clean_std']:.2f}",
            f"electrons remains, from {blank['raw_std']:.2f}.",
            *cases.section(metrics),
        ]
    )


def on_perovskite(model: Model, peak: float, size: int, repeats: int) -> Metrics:
    """A 20 px perovskite lattice, column sigma 3.2 px, 6 % column spread, Poisson noise."""
    raw, clean = [], []
    for seed in range(EVALUATION_SEED, EVALUATION_SEED + repeats):
        truth = perovskite((size, size), seed).image((size, size))
        counts = expose(truth, peak, np.random.default_rng(seed))
        truth *= peak / truth.max()
        raw.append(psnr(counts, truth))
        clean.append(psnr(model(counts), truth))
    return {"peak": peak, **_gain(raw, clean)}


def _lattices(model: Model, spacing: tuple[float, float], peak: float, count: int) -> Metrics:
    """Random simulated crystals with defects and edges, in one range of column spacings."""
    random = torch.Generator().manual_seed(EVALUATION_SEED)
    scenes = render_crystals(count, 256, spacing, random).double().numpy()
    raw, clean = [], []
    for index, scene in enumerate(scenes):
        counts = expose(scene, peak, np.random.default_rng(EVALUATION_SEED + index))
        truth = scene * (peak / scene.max())
        raw.append(psnr(counts, truth))
        clean.append(psnr(model(counts), truth))
    return {"spacing": list(spacing), "peak": peak, **_gain(raw, clean)}


def _blank(model: Model, size: int) -> Metrics:
    """An empty field of 20 electrons per pixel: remaining structure is invented."""
    random = np.random.default_rng(EVALUATION_SEED)
    counts = random.poisson(20, (size, size)).astype(np.float32)
    return {
        "level": 20,
        "raw_std": rounded(counts.std()),
        "clean_std": rounded(model(counts).std()),
    }


def _gain(raw: list[float], clean: list[float]) -> Metrics:
    return {"raw": rounded(np.mean(raw)), "clean": rounded(np.mean(clean))}
