"""The optimisers and their learning-rate schedules over the budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from training.recipe import Recipe

MOMENTUM = 0.9
FINAL_RATE = 0.01  # of the learning rate, at the end of the cosine schedule


@dataclass(frozen=True)
class Budget:
    """A number of minutes or, if given, a number of steps."""

    minutes: float
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.minutes < 0 or (self.steps or 0) < 0:
            given = f"{self.minutes:g} minutes" if self.steps is None else f"{self.steps} steps"
            raise SystemExit(f"the budget is {given}; expected 0 or more")

    def used(self, step: int, spent: float) -> float:
        """The fraction used after `step` steps in `spent` seconds."""
        done, whole = (spent, 60 * self.minutes) if self.steps is None else (step, self.steps)
        return done / whole if whole > 0 else 1.0


class Optimisers:
    """AdamW and, in the last `sgd_share` of the budget, SGD with momentum."""

    def __init__(self, recipe: Recipe, network: nn.Module) -> None:
        self.recipe = recipe
        self.adam = torch.optim.AdamW(
            network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.sgd = torch.optim.SGD(network.parameters(), recipe.sgd_rate, momentum=MOMENTUM)

    def at(self, step: int, used: float) -> tuple[torch.optim.Optimizer, float]:
        """The optimiser of a step, set to its learning rate, and that rate."""
        switch = 1 - self.recipe.sgd_share
        optimiser: torch.optim.Optimizer
        if used < switch:
            warmup = min(1.0, (step + 1) / self.recipe.warmup_steps)
            rate = self.recipe.learning_rate * warmup * _cosine(used / switch)
            optimiser = self.adam
        else:
            part = (used - switch) / self.recipe.sgd_share
            optimiser, rate = self.sgd, self.recipe.sgd_rate * _cosine(part)
        for group in optimiser.param_groups:
            group["lr"] = rate
        return optimiser, rate

    def state(self) -> dict[str, Any]:
        return {"optimiser": self.adam.state_dict(), "sgd": self.sgd.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        self.adam.load_state_dict(state["optimiser"])
        if "sgd" in state:  # older checkpoints have none
            self.sgd.load_state_dict(state["sgd"])


def _cosine(part: float) -> float:
    """From 1 down to FINAL_RATE along half a cosine."""
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0)))
