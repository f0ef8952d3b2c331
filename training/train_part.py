"""Trains one part of a network, such as a layer that was added to it:

    python -m training.train_part RECIPE PART [--minutes M]

The other parts keep the weights of the committed checkpoint, training/checkpoints/RECIPE.pt. The
training runs, and resumes, in runs/RECIPE/PART. At its end, its part replaces that of the committed
checkpoint in runs/RECIPE, from which the model is exported, or the whole network trained further.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stemzoo.common.atomic import replacing
from training.loop.checkpoint import CHECKPOINT, RUNS, devices, load_checkpoint, read_checkpoint
from training.loop.compact_checkpoint import COMMITTED, COMPACT, average_weights, unpack
from training.recipe import Recipe, load_recipe, recipe_names
from training.train import train

RATE = 3e-3  # learning rate
EMA_DECAY = 0.99  # of the averaged weights: a part is trained for fewer steps than a network
WARMUP_STEPS = 50


def train_part(
    recipe: Recipe,
    part: str,
    minutes: float,
    folder: Path,
    rate: float = RATE,
    *,
    steps: int | None = None,
    smoke: bool = False,
    committed: Path = COMMITTED,
) -> None:
    """Train the part, and write the checkpoint of the whole network to `folder`."""
    refuse_run(folder)
    of_part = replace(recipe, learning_rate=rate, ema_decay=EMA_DECAY, warmup_steps=WARMUP_STEPS)
    of_part.network = lambda: only(part, recipe, committed)  # type: ignore[method-assign]
    train(of_part, minutes, folder / part, smoke, steps=steps)
    put_part(read_checkpoint(folder / part, of_part), part, recipe, folder, committed)


def refuse_run(folder: Path) -> None:
    """Refuse a folder with a run, which would be replaced."""
    for path in (folder / CHECKPOINT, folder / COMPACT):
        if path.exists():
            raise SystemExit(f"{path} would be replaced; move it away, or give another folder")


def put_part(
    trained: dict[str, Any], part: str, recipe: Recipe, folder: Path, committed: Path = COMMITTED
) -> None:
    """Write the committed checkpoint with this part from another to `folder`."""
    unpack(folder, recipe, committed)
    whole = load_checkpoint(folder / CHECKPOINT)  # perhaps of other frame sizes
    names = [name for name, _ in recipe.network().named_parameters()]
    state = merged(whole, trained, part, names)
    with replacing(folder / CHECKPOINT) as file:
        torch.save({**state, "recipe": recipe.settings()}, file)


def only(part: str, recipe: Recipe, committed: Path) -> nn.Module:
    """The network with committed weights, of which only the part will be trained."""
    network = recipe.network()
    if part not in dict(network.named_children()):
        parts = ", ".join(name for name, _ in network.named_children())
        raise SystemExit(f"the network of {recipe.name} has no part '{part}'; it has {parts}")
    weights = average_weights(recipe, committed)
    if not weights:
        raise SystemExit(
            f"{committed / recipe.name}.pt does not exist; train the whole network first: "
            f"python -m training.train {recipe.name}"
        )
    missing, unknown = network.load_state_dict(weights, strict=False)
    outside = [name for name in missing if not name.startswith(f"{part}.")]
    if outside or unknown:
        raise SystemExit(
            f"the checkpoint {committed / recipe.name}.pt does not fit the network of "
            f"{recipe.name}: {', '.join(outside + unknown)}"
        )
    network.requires_grad_(False)
    network.get_submodule(part).requires_grad_(True)
    return network


def merged(
    state: dict[str, Any], trained: dict[str, Any], part: str, names: list[str]
) -> dict[str, Any]:
    """A checkpoint of the whole network, with the part from another; `names` of all parameters."""

    def inside(name: str) -> bool:
        return name.startswith(f"{part}.")

    def either(key: str) -> dict[str, Any]:
        return {name: (trained if inside(name) else state)[key][name] for name in trained[key]}

    known = [name for name in names if name in state["average"]]
    moments = dict(zip(known, _in_order(state), strict=True))
    moments |= {n: m for n, m in zip(names, _in_order(trained), strict=True) if inside(n)}
    optimiser = {
        **trained["optimiser"],
        "state": {number: moments[name] for number, name in enumerate(names) if moments[name]},
    }
    seconds = devices(state)
    for device, more in devices(trained).items():
        seconds[device] = seconds.get(device, 0.0) + more
    return {
        **state,
        **{key: either(key) for key in ("network", "average")},
        "optimiser": optimiser,
        "sgd": trained["sgd"],
        "step": state["step"] + trained["step"],
        "spent": state["spent"] + trained["spent"],
        "devices": seconds,
    }


def _in_order(state: dict[str, Any]) -> list[dict[str, Any]]:
    """The moments of every parameter; empty for one that was not trained."""
    optimiser = state["optimiser"]
    return [optimiser["state"].get(number, {}) for number in optimiser["param_groups"][0]["params"]]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", help=", ".join(recipe_names()))
    parser.add_argument("part", help="name of a part of the network, such as refinement")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate")
    parser.add_argument("--folder", type=Path, help="of the run (default: runs/RECIPE)")
    given = parser.parse_args(arguments)
    folder = given.folder or RUNS / given.recipe
    train_part(load_recipe(given.recipe), given.part, given.minutes, folder, given.rate)


if __name__ == "__main__":
    main()
