"""What a recipe is: the one thing that differs between models, handed to the one loop.

Unknown settings fail, because a recipe is a dataclass; the whole of it enters every checkpoint.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

import training.recipes
from stemzoo.plotting.pictures import Grey, grey
from training.bars import parsed

# What says something about a model and nothing about its weights; a run may go on with it changed.
DESCRIPTIVE = {"version", "summary", "limits", "trained_for", "minutes", "figures", "bars"}

PRECISIONS = ("bf16", "float32")
SHOWN, SHOWN_SIDE = 4, 128  # samples in a picture, and the least side of each, px


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
    sgd_share: float = 0.0  # the last part of the budget, run with SGD and momentum
    sgd_rate: float = 1e-2
    precision: str = "bf16"  # of the network while it trains; float32 where that is too coarse
    ema_decay: float = 0.999
    seed: int = 1
    trained_for: dict[str, str] = field(default_factory=dict)  # ranges, for the card and the file
    denoiser: str = ""  # a drift model's: NAME@VERSION that both frames pass first
    figures: str = "denoising"  # the module of training.figures that measures it
    bars: dict[str, str] = field(default_factory=dict)  # what it promises of them: training.bars

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise SystemExit(f"precision is '{self.precision}'; expected {' or '.join(PRECISIONS)}")
        if not 0 <= self.sgd_share <= 1:
            raise SystemExit(f"sgd_share is {self.sgd_share}; expected a part of one, 0 to 1")
        for path, bar in self.bars.items():
            parsed(path, bar)

    @abstractmethod
    def network(self) -> nn.Module:
        """A fresh network; its `promises` are what the model contract says of its input:
        `multiple` and `halo`, or `window` and `step`, or `surface`, or `features`, `look` and
        `multiple` (see stemzoo.model_file.contract)."""

    @abstractmethod
    def prepare(self, device: torch.device, smoke: bool) -> None:
        """Make or load the data; small where `smoke`."""

    @abstractmethod
    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Input and target of one step, on the device; the same step gives the same batch."""

    @abstractmethod
    def loss(self, output: Any, target: Tensor) -> Tensor:
        """One number to make small, from what the network gave: a tensor, or a tuple of them."""

    def panels(self, given: Tensor, output: Any, target: Tensor) -> list[tuple[str, Grey]]:
        """Titled pictures in rows of three, to look at while it trains; none of a drift model."""
        if self.task == "drift":
            return []
        panels = []
        for rows in zip(given[:SHOWN, 0], output[:SHOWN, 0], target[:SHOWN, 0], strict=True):
            images = [image.float().cpu().numpy() for image in rows]
            limits = (float(images[2].min()), float(images[2].max()))
            zoom = -(-SHOWN_SIDE // len(images[0]))
            for title, image in zip(("input", "output", "target"), images, strict=True):
                shown = grey(image, limits).repeat(zoom, axis=0).repeat(zoom, axis=1)
                panels.append((title, shown))
        return panels

    def origin(self) -> dict[str, str]:
        """What the model file says of where it comes from, beside the cost."""
        return {"recipe": self.name}


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


def parsed_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings from KEY=VALUE, the value as Python writes it."""
    settings = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        try:
            settings[key] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            raise SystemExit(
                f"--set {pair} cannot be read; expected KEY=VALUE with a Python value, such as "
                "crop=128 or precision='\"float32\"'"
            ) from None
    return settings
