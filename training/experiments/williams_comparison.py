"""The comparisons of Williams et al.: python -m training.experiments.williams_comparison

Trains the network equally long on other targets (the mean of all frames, as SDnDTI; the truth) and
a convolutional auto-encoder on the same series, and fine-tunes the zoo model on hysteresis, defocus
and blur. Writes zoo/williams-hourglass/comparison.json, which
`training.evaluate williams-hourglass --write` adds to the card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import stemzoo
from stemzoo.cli.demo.phantoms import psnr
from stemzoo.inference.model import Model
from training.evaluation.models.common import EVALUATION_SEED, rounded
from training.evaluation.models.williams_hourglass import BIAS, measure
from training.export import export
from training.finetune import main as fine_tune
from training.recipe import load_recipe
from training.simulate.acquire import Conditions, acquire
from training.simulate.draw import Mix
from training.simulate.probe import transfer
from training.simulate.scan import EDGE
from training.simulate.scenes import render_crystals
from training.train import train

MODEL = "williams-hourglass"
COMPARISON_FILE = Path("zoo") / MODEL / "comparison.json"
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "others": ("hourglass, the mean of the other frames (ours)", {}),
    "all": ("hourglass, the mean of all frames (SDnDTI)", {"target": "all"}),
    "clean": ("hourglass, the truth", {"target": "clean"}),
    "autoencoder": ("auto-encoder, the other frames", {"architecture": "autoencoder"}),
}
TUNING_PEAK = 60.0  # electrons a pixel
TUNING_SPACING = (12.0, 22.0)  # px between columns: closer ones a blur would wipe out
TUNING_SIDE, TUNING_IMAGES, UNSEEN_IMAGES = 256, 24, 8


def hysteresis(scene: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    return _noisy(scene, {"flyback": (8.0, 12.0, 1.0)}, random)


def defocus(scene: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    return _smeared(scene, {"diffraction": 0.8, "defocus": 4.0}, random)


def blur(scene: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    return _smeared(scene, {}, random)


CONDITIONS: dict[str, Callable[[Tensor, torch.Generator], tuple[Tensor, Tensor]]] = {
    "hysteresis": hysteresis,
    "defocus": defocus,
    "blur": blur,
}


def _noisy(scene: Tensor, scan: Mix, random: torch.Generator) -> tuple[Tensor, Tensor]:
    conditions = Conditions(scan, {"bias": (BIAS, BIAS, 1.0)})
    peak = torch.full((len(scene),), TUNING_PEAK)
    return acquire(scene, peak, conditions, random, either_way=False)


def _smeared(
    scene: Tensor, strengths: dict[str, float], random: torch.Generator, sigma: float = 2.0
) -> tuple[Tensor, Tensor]:
    """A noisy picture by a wider probe, and the ideal picture by the original one."""
    widths = torch.full((len(scene),), sigma)
    given = {name: torch.full_like(widths, value) for name, value in strengths.items()}
    size = scene.shape[-1]
    response = transfer(widths, torch.zeros_like(widths), size, given)
    response = response / response[:, :1, :1].real
    worse = torch.fft.irfft2(torch.fft.rfft2(scene) * response, s=(size, size)).clamp(min=0)
    noisy, _ = _noisy(worse, {}, random)
    return noisy, (scene[:, EDGE:-EDGE, EDGE:-EDGE] + BIAS) * TUNING_PEAK


def pairs(condition: str, count: int, seed: int) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    scene = render_crystals(count, TUNING_SIDE + 2 * EDGE, TUNING_SPACING, random)
    return CONDITIONS[condition](scene, random)


def taught(minutes: float, runs: Path, smoke: bool = False) -> list[dict[str, Any]]:
    """The metrics of every variant after equal training time."""
    rows = []
    for key, (system, settings) in VARIANTS.items():
        recipe = load_recipe(MODEL, **settings)
        train(recipe, minutes, runs / key, smoke=smoke)
        path = export(recipe, runs / key, runs / key / "zoo", smoke=True)
        found = measure(Model(path), smoke)
        rows.append({"key": key, "system": system} | {k: found[k] for k in ("clean", "clean_ssim")})
    return rows


def tuned(minutes: float, runs: Path, count: int = TUNING_IMAGES) -> list[dict[str, Any]]:
    """The zoo model before and after fine-tuning on each condition, on unseen pictures."""
    rows = []
    for condition in CONDITIONS:
        folder, name = runs / condition, f"{MODEL}-{condition}"
        for part, pictures in zip(("noisy", "clean"), pairs(condition, count, 1), strict=True):
            (folder / part).mkdir(parents=True, exist_ok=True)
            for n, picture in enumerate(pictures):
                np.save(folder / part / f"{n}.npy", picture.numpy())
        options = {
            "--noisy": folder / "noisy",
            "--clean": folder / "clean",
            "--minutes": minutes,
            "--name": name,
            "--output": folder / "zoo",
            "--folder": folder / "run",
        }
        fine_tune([MODEL, *(str(word) for option in options.items() for word in option)])
        before, (path,) = stemzoo.load(MODEL), (folder / "zoo" / name).glob("*.onnx")
        noisy, truth = (part.numpy() for part in pairs(condition, UNSEEN_IMAGES, EVALUATION_SEED))
        answers = (noisy, before(noisy), Model(path)(noisy))
        values = [
            np.mean([psnr(a, t) for a, t in zip(part, truth, strict=True)]) for part in answers
        ]
        named = zip(("raw", "before", "after"), map(rounded, values), strict=True)
        rows.append({"condition": condition, **dict(named)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of training, each way")
    parser.add_argument("--tuning-minutes", type=float, default=3.0, help="for each condition")
    parser.add_argument("--folder", type=Path, default=Path("runs/williams-comparison"))
    given = parser.parse_args()
    comparison = {
        "minutes": given.minutes,
        "tuning_minutes": given.tuning_minutes,
        "taught": taught(given.minutes, given.folder),
        "tuned": tuned(given.tuning_minutes, given.folder),
    }
    COMPARISON_FILE.write_text(json.dumps(comparison, indent=1) + "\n")
    print(COMPARISON_FILE)


if __name__ == "__main__":
    main()
