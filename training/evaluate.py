"""The figures of a model, measured through the runtime its users run.

    python -m training.evaluate NAME          print them, beside what metrics.json says
    python -m training.evaluate NAME --write  write metrics.json and the card

Specimens and seeds here are never used in training.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import torch

from stemzoo.catalogue import find
from stemzoo.model import Model
from stemzoo.phantoms import expose, perovskite, psnr
from training.describe import write_card
from training.simulate.scenes import BANDS, render_crystals

Metrics = dict[str, Any]

PEROVSKITE_PEAKS = (5, 20, 100)  # electrons per pixel at the brightest column
EVALUATION_SEED = 90_000  # training counts its seeds from 1


def evaluate(model: Model, *, smoke: bool = False) -> Metrics:
    """Everything a denoiser's card promises; `smoke` measures on a few small images only."""
    size, repeats = (128, 1) if smoke else (512, 4)
    return {
        "name": model.contract.name,
        "version": model.contract.version,
        "sha256": model.sha256,
        "unit": "dB",
        "perovskite": [_perovskite(model, peak, size, repeats) for peak in PEROVSKITE_PEAKS],
        "lattices": [
            _lattices(model, spacing, peak, 2 if smoke else 12)
            for spacing, _ in BANDS
            for peak in (5, 100)
        ],
        "blank": _blank(model, size),
    }


def _perovskite(model: Model, peak: float, size: int, repeats: int) -> Metrics:
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
    """Random simulated crystals with defects and edges, of one band of column spacings."""
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
    """An empty field of 20 electrons per pixel: structure left in it is invented."""
    random = np.random.default_rng(EVALUATION_SEED)
    counts = random.poisson(20, (size, size)).astype(np.float32)
    return {
        "level": 20,
        "raw_std": _rounded(counts.std()),
        "clean_std": _rounded(model(counts).std()),
    }


def _gain(raw: list[float], clean: list[float]) -> Metrics:
    return {"raw": _rounded(np.mean(raw)), "clean": _rounded(np.mean(clean))}


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model, or model@version")
    parser.add_argument("--write", action="store_true", help="write metrics.json and the card")
    given = parser.parse_args()
    info = find(given.name)
    metrics = evaluate(Model(info.where))
    text = json.dumps(metrics, indent=1)
    print(text)
    path = info.where.parent / "metrics.json"
    if given.write:
        path.write_text(text + "\n")
        write_card(info.where)
    elif path.exists() and json.loads(path.read_text()) != metrics:
        print(f"{path} says otherwise; --write replaces it")


if __name__ == "__main__":
    main()
