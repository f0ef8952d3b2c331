"""Which optimiser works at which learning rate in which part of the budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from training.recipe import Recipe

MOMENTUM = 0.9
LEAST = 0.01  # of a learning rate, at the end of its cosine


@dataclass(frozen=True)
class Budget:
    """So many minutes or, where `steps` are given, so many steps whatever the clock says."""

    minutes: float
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.minutes < 0 or (self.steps or 0) < 0:
            given = f"{self.minutes:g} minutes" if self.steps is None else f"{self.steps} steps"
            raise SystemExit(f"the budget is {given}; expected 0 or more")

    def used(self, step: int, spent: float) -> float:
        """The part that is used up after `step` steps in `spent` seconds; 1 is all of it."""
        done, whole = (spent, 60 * self.minutes) if self.steps is None else (step, self.steps)
        return done / whole if whole > 0 else 1.0


class Optimisers:
    """AdamW and, in the recipe's last `sgd_share` of the budget, SGD with momentum."""

    def __init__(self, recipe: Recipe, network: nn.Module) -> None:
        self.recipe = recipe
        self.adam = torch.optim.AdamW(
            network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.sgd = torch.optim.SGD(network.parameters(), recipe.sgd_rate, momentum=MOMENTUM)

    def at(self, step: int, used: float) -> tuple[torch.optim.Optimizer, float]:
        """The optimiser of this step, set to its learning rate, and that rate."""
        turn = 1 - self.recipe.sgd_share
        optimiser: torch.optim.Optimizer
        if used < turn:
            warm = min(1.0, (step + 1) / self.recipe.warmup_steps)
            optimiser, rate = self.adam, self.recipe.learning_rate * warm * _cosine(used / turn)
        else:
            part = (used - turn) / self.recipe.sgd_share
            optimiser, rate = self.sgd, self.recipe.sgd_rate * _cosine(part)
        for group in optimiser.param_groups:
            group["lr"] = rate
        return optimiser, rate

    def state(self) -> dict[str, Any]:
        return {"optimiser": self.adam.state_dict(), "sgd": self.sgd.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.adam.load_state_dict(state["optimiser"])
        if "sgd" in state:  # a checkpoint from before there was SGD has none
            self.sgd.load_state_dict(state["sgd"])


def _cosine(part: float) -> float:
    """From 1 down to LEAST along half a cosine."""
    return LEAST + (1 - LEAST) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))
