"""What the paper says of the other ways, tried: python -m training.figures.vasudevan_comparison

Trains the drift network three times, by as many steps on as many pairs (about 20 minutes): on
the correlation of denoised frames, on that of noisy frames, and on the denoised frames themselves.
Writes zoo/vasudevan-drift/comparison.json, which `training.evaluate vasudevan-drift --write` then
puts into the card.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stemzoo.registration.shifting import peak
from training.figures.vasudevan_drift import unseen, within
from training.recipe import load_recipe
from training.recipes.vasudevan_drift import VasudevanDrift
from training.simulate.hexagons import REACH
from training.train import train

CARD = Path("zoo/vasudevan-drift/comparison.json")
COUNT = 2000  # unseen pairs, half of them with defects
VARIANTS = {
    "chain": ("denoised, correlated, read by the network", {}),
    "noisy": ("noisy, correlated, read by the network", {"denoiser": ""}),
    "pair": ("denoised, both images read by the network", {"input": "pair"}),
}


def compare(steps: int, pairs: int, runs: Path, count: int = COUNT) -> dict[str, Any]:
    """Train every variant in a folder of `runs`, and try all on the same pairs."""
    tried = {"border": unseen("border", 0.5, count), "window": unseen("window", 1.0, count)}
    rows = []
    for key, (system, settings) in VARIANTS.items():
        recipe = load_recipe("vasudevan-drift", pairs=pairs, frames=((64, REACH),), **settings)
        assert isinstance(recipe, VasudevanDrift)
        network = train(recipe, recipe.minutes, runs / key, steps=steps).eval()
        read: dict[str, Any] = {"key": key, "system": system}
        highest: dict[str, Any] = {
            "key": f"{key} peak",
            "system": system.replace("read by the network", "its highest peak taken"),
        }
        for moved, unknown in tried.items():
            given = recipe.look(unknown)
            with torch.no_grad():
                read[moved] = within(network(given)[0], unknown.drift)
            if recipe.input == "surface":
                highest[moved] = within(_peaks(given), unknown.drift)
        rows += [read, highest] if recipe.input == "surface" else [read]
    return {"steps": steps, "pairs": pairs, "rows": rows}


def _peaks(surfaces: Tensor) -> list[tuple[float, float]]:
    return [peak(correlation) for correlation in surfaces[:, 0].numpy()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4000, help="of training, each")
    parser.add_argument("--pairs", type=int, default=40_000)
    given = parser.parse_args()
    comparison = compare(given.steps, given.pairs, Path("runs/vasudevan-comparison"))
    CARD.write_text(json.dumps(comparison, indent=1) + "\n")
    print(CARD)


if __name__ == "__main__":
    main()
