"""What a recipe is: the one thing that differs between models, handed to the one loop.

Unknown settings fail, because a recipe is a dataclass; the whole of it enters every checkpoint.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

import training.recipes

# What says something about a model and nothing about its weights; a run may go on with it changed.
DESCRIPTIVE = {"version", "summary", "limits", "trained_for", "minutes", "figures"}


@dataclass
class Recipe(ABC):
    """Settings every recipe has. Subclasses add their own and the four methods below."""

    name: str
    version: str
    task: str  # denoise, restore or drift
    summary: str
    limits: str  # where it is known to fail, for the card
    minutes: float  # the budget a full training takes
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 200
    ema_decay: float = 0.999
    seed: int = 1
    trained_for: dict[str, str] = field(default_factory=dict)  # ranges, for the card and the file
    denoiser: str = ""  # a drift model's: NAME@VERSION that both frames pass first
    figures: str = "denoising"  # the module of training.figures that measures it

    @abstractmethod
    def network(self) -> nn.Module:
        """A fresh network; its `promises` are what the model contract says of its input:
        `multiple` and `halo`, or `window` and `step`, or `surface` (see stemzoo.contract)."""

    @abstractmethod
    def prepare(self, device: torch.device, smoke: bool) -> None:
        """Make or load the data; small where `smoke`."""

    @abstractmethod
    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Input and target of one step, on the device; the same step gives the same batch."""

    @abstractmethod
    def loss(self, output: Any, target: Tensor) -> Tensor:
        """One number to make small, from what the network gave: a tensor, or a tuple of them."""


def recipe_names() -> list[str]:
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(training.recipes.__path__))


def load_recipe(name: str, **settings: Any) -> Recipe:
    """The recipe of a model name, with any of its settings replaced."""
    if name not in recipe_names():
        raise SystemExit(f"no recipe is called '{name}'; there are: {', '.join(recipe_names())}")
    module = importlib.import_module(f"training.recipes.{name.replace('-', '_')}")
    recipe = module.recipe(**settings)
    assert isinstance(recipe, Recipe)
    assert recipe.name == name
    return recipe
