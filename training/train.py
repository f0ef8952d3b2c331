"""The one training loop: python -m training.train RECIPE [--minutes M] [--set key=value].

Everything lands in runs/RECIPE/: log.csv, and checkpoint.pt, replaced atomically; started again,
the loop goes on from there with the same batches and the same schedule.
"""

from __future__ import annotations

import argparse
import ast
import copy
import csv
import dataclasses
import math
import os
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.recipe import DESCRIPTIVE, Recipe, load_recipe, recipe_names

RUNS = Path("runs")
CHECKPOINT = "checkpoint.pt"
LOG_STEPS = 100


def train(recipe: Recipe, minutes: float, folder: Path, smoke: bool = False) -> nn.Module:
    """Train within the budget and return the averaged network. Resumes what `folder` holds."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    network: nn.Module = recipe.network().to(
        device,  # type: ignore[call-overload]
        memory_format=torch.channels_last,
    )
    average = copy.deepcopy(network)
    optimiser = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    state = _resume(folder, recipe, network, average, optimiser)
    step, spent = state["step"], state["spent"]
    recipe.prepare(device, smoke)
    budget = 60 * minutes
    log = _Log(folder / "log.csv")
    last = saved = time.monotonic()
    while spent < budget:
        for group in optimiser.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, spent / budget, recipe)
        noisy, clean = recipe.batch(step)
        with torch.autocast(device.type, torch.bfloat16):
            output = network(noisy.contiguous(memory_format=torch.channels_last))
        loss = recipe.loss(_float(output), clean)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        _follow(average, network, min(recipe.ema_decay, (1 + step) / (10 + step)))
        step += 1
        now = time.monotonic()
        spent, last = spent + now - last, now
        log.add(step, spent, float(loss.detach()))
        if now - saved > 60:
            _save(folder, recipe, network, average, optimiser, step, spent)
            saved = now
    _save(folder, recipe, network, average, optimiser, step, spent)
    return average


def _float(output: Any) -> Any:
    """What the network gave, a tensor or a tuple of them, at full precision."""
    if isinstance(output, tuple):
        return tuple(part.float() for part in output)
    return output.float()


def _schedule(step: int, progress: float, recipe: Recipe) -> float:
    """Warm up over steps, then a half cosine over the time budget."""
    warm = min(1.0, (step + 1) / recipe.warmup_steps)
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)


def settings(recipe: Recipe) -> dict[str, Any]:
    """The recipe's declared settings, without the data it has made."""
    return {f.name: getattr(recipe, f.name) for f in dataclasses.fields(recipe)}


def _save(
    folder: Path,
    recipe: Recipe,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    step: int,
    spent: float,
) -> None:
    partial = folder / f"{CHECKPOINT}.partial"
    torch.save(
        {
            "recipe": settings(recipe),
            "network": network.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "step": step,
            "spent": spent,
            "device": _device_name(),
        },
        partial,
    )
    os.replace(partial, folder / CHECKPOINT)


def _resume(
    folder: Path,
    recipe: Recipe,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> dict[str, Any]:
    if not (folder / CHECKPOINT).exists():
        return {"step": 0, "spent": 0.0}
    state = read_checkpoint(folder, recipe)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    print(f"resuming at step {state['step']}, {state['spent'] / 60:.1f} minutes in")
    return state


def read_checkpoint(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """What `train` left in `folder`, made sure to be of this recipe with these settings."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise SystemExit(f"{path} does not exist; run python -m training.train {recipe.name} first")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    changed = [
        key
        for key, value in settings(recipe).items()
        if key not in DESCRIPTIVE and state["recipe"].get(key) != value
    ]
    if changed:
        raise SystemExit(
            f"{path} was made with other settings ({', '.join(changed)} differ); "
            "move that folder away or give the same settings"
        )
    return state


def _device_name() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU cores"


class _Log:
    """One line of CSV and one on the screen every LOG_STEPS, of the mean loss since."""

    def __init__(self, path: Path) -> None:
        self.path, self.losses = path, list[float]()

    def add(self, step: int, spent: float, loss: float) -> None:
        self.losses.append(loss)
        if step % LOG_STEPS:
            return
        mean = sum(self.losses) / len(self.losses)
        self.losses.clear()
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            rows = csv.writer(file)
            if new:
                rows.writerow(["step", "seconds", "loss"])
            rows.writerow([step, round(spent, 1), round(mean, 5)])
        print(f"step {step}  {spent / 60:.1f} min  loss {mean:.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", help=", ".join(recipe_names()))
    parser.add_argument("--minutes", type=float, help="time budget (default: the recipe's)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folder", type=Path, help="where the run lives (default: runs/RECIPE)")
    given = parser.parse_args()
    changes = dict(pair.split("=", 1) for pair in given.set)
    recipe = load_recipe(given.recipe, **{k: ast.literal_eval(v) for k, v in changes.items()})
    minutes = recipe.minutes if given.minutes is None else given.minutes
    train(recipe, minutes, given.folder or RUNS / recipe.name)


if __name__ == "__main__":
    main()
