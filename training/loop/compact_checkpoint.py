"""A compact checkpoint, to carry a run to another machine and to commit to the repository.

It stores the averaged weights, which become the model, as float32. The weights, as differences from
the average, and the optimiser's moments are bfloat16. Training resumes from it, but unlike from
`checkpoint.pt` not bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stemzoo.common.atomic import replacing
from training.loop.checkpoint import CHECKPOINT, read_checkpoint
from training.recipe import Recipe

COMPACT = "travel.pt"
COMMITTED = Path("training/checkpoints")  # RECIPE.pt, in the repository


def pack(folder: Path, recipe: Recipe) -> Path:
    """Write the compact checkpoint beside the run's checkpoint."""
    state = read_checkpoint(folder, recipe)
    average = state["average"]
    state["network"] = {
        name: (weight - average[name]).bfloat16() if weight.is_floating_point() else weight
        for name, weight in state["network"].items()
    }
    state["optimiser"] = _moments(state["optimiser"], _packed)
    path = folder / COMPACT
    with replacing(path) as file:
        torch.save(state, file)
    return path


def unpack(folder: Path, recipe: Recipe, committed: Path = COMMITTED) -> bool:
    """Write the run's checkpoint from its compact or the committed one; False without either."""
    for path in (folder / COMPACT, committed / f"{recipe.name}.pt"):
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


def average_weights(recipe: Recipe, committed: Path = COMMITTED) -> dict[str, Tensor]:
    """The weights of the committed checkpoint, by name; none without one."""
    path = committed / f"{recipe.name}.pt"
    if not path.exists():
        return {}
    average: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)["average"]
    return average


def _moments(optimiser: dict[str, Any], change: Callable[[str, Tensor], Tensor]) -> dict[str, Any]:
    state = {
        index: {name: change(name, value) for name, value in moments.items()}
        for index, moments in optimiser["state"].items()
    }
    return {**optimiser, "state": state}


def _packed(name: str, value: Tensor) -> Tensor:
    # The square root halves the range of exponents, so that small second moments survive.
    if name == "exp_avg_sq":
        return value.sqrt().bfloat16()
    return value.bfloat16() if name == "exp_avg" else value


def _unpacked(name: str, value: Tensor) -> Tensor:
    if name == "exp_avg_sq":
        return value.float().square()
    return value.float() if name == "exp_avg" else value
