"""A checkpoint small enough to carry from machine to machine, and to keep in the repository.

The average is kept as float32, since it is what becomes a model; the weights as their difference
from it, and the optimiser's moments, as bfloat16. Training goes on from it as if nothing had
happened, but not bit by bit as from `checkpoint.pt`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stemzoo.common.atomic import replacing
from training.checkpoint import CHECKPOINT, read_checkpoint
from training.recipe import Recipe

TRAVEL = "travel.pt"
KEPT = Path("training/checkpoints")  # what the repository holds, RECIPE.pt


def pack(folder: Path, recipe: Recipe) -> Path:
    """Write the travel file beside the run's checkpoint."""
    state = read_checkpoint(folder, recipe)
    average = state["average"]
    state["network"] = {
        name: (weight - average[name]).bfloat16() if weight.is_floating_point() else weight
        for name, weight in state["network"].items()
    }
    state["optimiser"] = _moments(state["optimiser"], _packed)
    path = folder / TRAVEL
    with replacing(path) as file:
        torch.save(state, file)
    return path


def unpack(folder: Path, recipe: Recipe, kept: Path = KEPT) -> bool:
    """A checkpoint from the run's travel file, else from the repository's, if there is one."""
    for path in (folder / TRAVEL, kept / f"{recipe.name}.pt"):
        if path.exists():
            break
    else:
        return False
    state = torch.load(path, map_location="cpu", weights_only=True)
    average = state["average"]
    state["network"] = {
        name: average[name] + change.float() if change.is_floating_point() else change
        for name, change in state["network"].items()
    }
    state["optimiser"] = _moments(state["optimiser"], _unpacked)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / CHECKPOINT) as file:
        torch.save(state, file)
    return True


def _moments(optimiser: dict[str, Any], change: Callable[[str, Tensor], Tensor]) -> dict[str, Any]:
    state = {
        index: {name: change(name, value) for name, value in moments.items()}
        for index, moments in optimiser["state"].items()
    }
    return {**optimiser, "state": state}


def _packed(name: str, value: Tensor) -> Tensor:
    # A root halves the exponent's range, so that small second moments are not lost.
    if name == "exp_avg_sq":
        return value.sqrt().bfloat16()
    return value.bfloat16() if name == "exp_avg" else value


def _unpacked(name: str, value: Tensor) -> Tensor:
    if name == "exp_avg_sq":
        return value.float().square()
    return value.float() if name == "exp_avg" else value
