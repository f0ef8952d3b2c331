"""The checkpoint of a run, from which it resumes: one file, replaced atomically."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stemzoo.common.atomic import replacing
from training.loop.optimisers import Optimisers
from training.recipe import DESCRIPTIVE, Recipe

RUNS = Path("runs")
CHECKPOINT = "checkpoint.pt"
KEYS = {"recipe", "network", "average", "optimiser", "step", "spent"}


@dataclasses.dataclass
class Progress:
    """How far a training has got."""

    step: int = 0
    spent: float = 0.0  # seconds
    losses: list[float] = dataclasses.field(default_factory=list)  # since the last row of the log
    devices: dict[str, float] = dataclasses.field(default_factory=dict)  # seconds on each

    def after(self, step: int, spent: float, losses: list[float]) -> Progress:
        """The progress at a later step, after `spent` seconds, the last of them on this device."""
        here = device_name()
        since = self.devices.get(here, 0.0) + spent - self.spent
        return Progress(step, spent, losses, {**self.devices, here: since})


def save(
    folder: Path,
    recipe: Recipe,
    network: nn.Module,
    average: nn.Module,
    optimisers: Optimisers,
    progress: Progress,
) -> None:
    state = {
        "recipe": recipe.settings(),
        "network": network.state_dict(),
        "average": average.state_dict(),
        **optimisers.state(),
        **dataclasses.asdict(progress),
    }
    with replacing(folder / CHECKPOINT) as file:
        torch.save(state, file)


def resume(
    folder: Path, recipe: Recipe, network: nn.Module, average: nn.Module, optimisers: Optimisers
) -> Progress:
    """Load the network, its average and the optimisers from the run in `folder`, if any."""
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
    return Progress(state["step"], state["spent"], state.get("losses", []), devices(state))


def devices(state: dict[str, Any]) -> dict[str, float]:
    """The seconds of a checkpoint's training on each device; older checkpoints name one device."""
    older = {state.get("device", "unknown"): state["spent"]}
    found: dict[str, float] = state.get("devices", older)
    return found


def read_checkpoint(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """The checkpoint in `folder`; refused unless it is of this recipe with these settings."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise SystemExit(f"{path} does not exist; run python -m training.train {recipe.name} first")
    state = load_checkpoint(path)
    of = state["recipe"].get("name")
    if of != recipe.name:
        raise SystemExit(
            f"{path} is of the recipe '{of}', not of '{recipe.name}'; nothing was changed; "
            "give another --folder"
        )
    # A setting missing from a checkpoint was added later; its default is the earlier behaviour.
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


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint in a file; refused if it is none, or damaged."""
    # On a damaged file, torch may raise any exception.
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        reason = "" if isinstance(state, dict) else f"it holds a {type(state).__name__}"
    except Exception as error:
        state, reason = {}, f"{type(error).__name__}: {error}".splitlines()[0]
    missing = KEYS - set(state) if isinstance(state, dict) else KEYS
    if missing:
        raise SystemExit(
            f"{path} is not a checkpoint of this training code, or is truncated "
            f"({reason or 'it lacks ' + ', '.join(sorted(missing))}); nothing was changed; "
            "move it away to start afresh"
        )
    result: dict[str, Any] = state
    return result


def device_name() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU cores"
