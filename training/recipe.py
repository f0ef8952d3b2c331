"""The recipe: the settings, network, data and loss of one model, run by the one training loop.

A recipe is a dataclass, so unknown settings fail. All its settings are saved in every checkpoint.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from stemzoo.plotting.pictures import Grey, grey
from training.evaluation.thresholds import parsed

RECIPES = Path(__file__).with_name("recipes")
# Settings that describe a model and do not change its weights. A run may resume with others.
DESCRIPTIVE = {
    "version",
    "summary",
    "limits",
    "trained_for",
    "minutes",
    "evaluation",
    "thresholds",
    "denoiser",
}

PRECISIONS = ("bf16", "float32")
PANEL_SAMPLES, PANEL_SIDE = 4, 128  # samples in a picture, and the least side of each, px


@dataclass(kw_only=True)
class Recipe(ABC):
    """The settings that every recipe has. Subclasses give their defaults and add their own."""

    name: str
    version: str
    task: str  # denoise, restore or drift
    summary: str
    limits: str  # known failures, for the card
    minutes: float  # budget of a full training
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup_steps: int = 200
    sgd_share: float = 0.0  # last fraction of the budget, trained by SGD with momentum
    sgd_rate: float = 1e-2
    precision: str = "bf16"  # in training, where the device has it; float32 where it is too coarse
    ema_decay: float = 0.999
    seed: int = 1
    # Ranges of the training data, for the card and the model file: texts in which `{dose[0]:,g}`
    # stands for a setting.
    trained_for: dict[str, str] = field(default_factory=dict)
    denoiser: str = ""  # NAME@VERSION of the denoiser that a drift or restoring model works with
    evaluation: str = "denoising"  # module of training.evaluation.models that measures the model
    thresholds: dict[str, str] = field(default_factory=dict)  # see training.evaluation.thresholds

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise SystemExit(f"precision is '{self.precision}'; expected {' or '.join(PRECISIONS)}")
        if not 0 <= self.sgd_share <= 1:
            raise SystemExit(f"sgd_share is {self.sgd_share}; expected a fraction, 0 to 1")
        for path, threshold in self.thresholds.items():
            parsed(path, threshold)

    @abstractmethod
    def network(self) -> nn.Module:
        """A new network. Its `promises` are the model contract's description of the input:
        `multiple` and `halo`, or `window` and `step`, or `surface`, or `features`, `look` and
        `multiple` (see stemzoo.model_file.contract)."""

    @abstractmethod
    def prepare(self, device: torch.device, smoke: bool) -> None:
        """Make or load the data; little of it if `smoke`."""

    @abstractmethod
    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Input and target of a step, on the device. The same step always gives the same batch."""

    @abstractmethod
    def loss(self, output: Any, target: Tensor) -> Tensor:
        """The scalar to minimise. `output` is what the network returns: a tensor or a tuple."""

    def panels(self, given: Tensor, output: Any, target: Tensor) -> list[tuple[str, Grey]]:
        """Titled pictures, three in a row, to watch the training by; none for a drift model."""
        if self.task == "drift":
            return []
        panels = []
        samples = (part[:PANEL_SAMPLES, 0] for part in (given, output, target))
        for row in zip(*samples, strict=True):
            images = [image.float().cpu().numpy() for image in row]
            limits = (float(images[2].min()), float(images[2].max()))
            zoom = -(-PANEL_SIDE // len(images[0]))
            for title, image in zip(("input", "output", "target"), images, strict=True):
                shown = grey(image, limits).repeat(zoom, axis=0).repeat(zoom, axis=1)
                panels.append((title, shown))
        return panels

    def settings(self) -> dict[str, Any]:
        """All settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def ranges(self) -> dict[str, str]:
        """`trained_for` with the values of the settings filled in."""
        settings = self.settings()
        return {name: text.format(**settings) for name, text in self.trained_for.items()}

    def origin(self) -> dict[str, str]:
        """The origin of the weights, written into the model file beside the cost of training."""
        return {"recipe": self.name}

    def evaluation_module(self) -> ModuleType:
        """The module that measures the model and writes the tables of its card."""
        return importlib.import_module(f"training.evaluation.models.{self.evaluation}")


def recipe_names() -> list[str]:
    modules = pkgutil.iter_modules([str(RECIPES)])
    return sorted(module.name.replace("_", "-") for module in modules if not module.ispkg)


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
    """Settings from KEY=VALUE, where VALUE is a Python literal."""
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
