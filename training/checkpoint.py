"""What a run leaves on disk so that it can go on: one file, replaced whole or not at all."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stemzoo.common.atomic import replacing
from training.optimisers import Optimisers
from training.recipe import DESCRIPTIVE, Recipe

RUNS = Path("runs")
CHECKPOINT = "checkpoint.pt"
KEYS = {"recipe", "network", "average", "optimiser", "step", "spent", "device"}


@dataclasses.dataclass
class Progress:
    """Where a training stands."""

    step: int = 0
    spent: float = 0.0  # seconds
    losses: list[float] = dataclasses.field(default_factory=list)  # since the log's last row


def save(
    folder: Path,
    recipe: Recipe,
    network: nn.Module,
    average: nn.Module,
    optimisers: Optimisers,
    progress: Progress,
) -> None:
    state = {
        "recipe": settings(recipe),
        "network": network.state_dict(),
        "average": average.state_dict(),
        **optimisers.state(),
        **dataclasses.asdict(progress),
        "device": _device_name(),
    }
    with replacing(folder / CHECKPOINT) as file:
        torch.save(state, file)


def resume(
    folder: Path, recipe: Recipe, network: nn.Module, average: nn.Module, optimisers: Optimisers
) -> Progress:
    """Fill the network, its average and the optimisers from `folder`, where it holds a run."""
    if not (folder / CHECKPOINT).exists():
        return Progress()
    state = read_checkpoint(folder, recipe)
    try:
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
    except RuntimeError as error:
        raise SystemExit(
            f"{folder / CHECKPOINT} does not fit the network that {recipe.name} makes now; "
            f"move that folder away to start afresh ({error})"
        ) from None
    optimisers.load(state)
    print(f"resuming at step {state['step']}, {state['spent'] / 60:.1f} minutes in", flush=True)
    return Progress(state["step"], state["spent"], state.get("losses", []))


def read_checkpoint(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """What training left in `folder`, made sure to be of this recipe with these settings."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise SystemExit(f"{path} does not exist; run python -m training.train {recipe.name} first")
    state = _load(path)
    of = state["recipe"].get("name")
    if of != recipe.name:
        raise SystemExit(
            f"{path} is of the recipe '{of}', not of '{recipe.name}'; nothing was changed; "
            "give another --folder"
        )
    # A setting that a checkpoint lacks is newer than it, and its default is what was done then.
    changed = [
        field.name
        for field in dataclasses.fields(recipe)
        if field.name not in DESCRIPTIVE
        and state["recipe"].get(field.name, field.default) != getattr(recipe, field.name)
    ]
    if changed:
        raise SystemExit(
            f"{path} was made with other settings ({', '.join(changed)} differ); "
            "move that folder away or give the same settings"
        )
    return state


def settings(recipe: Recipe) -> dict[str, Any]:
    """The recipe's declared settings, without the data it has made."""
    return {f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe)}


def _load(path: Path) -> dict[str, Any]:
    # On a damaged file, torch raises whatever its code happened to stumble over.
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        reason = "" if isinstance(state, dict) else f"it holds a {type(state).__name__}"
    except Exception as error:
        state, reason = {}, f"{type(error).__name__}: {error}".splitlines()[0]
    missing = KEYS - set(state) if isinstance(state, dict) else KEYS
    if missing:
        raise SystemExit(
            f"{path} is no checkpoint of this training line, or one cut short "
            f"({reason or 'it lacks ' + ', '.join(sorted(missing))}); nothing was changed; "
            "move it away to start afresh"
        )
    result: dict[str, Any] = state
    return result


def _device_name() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU cores"
