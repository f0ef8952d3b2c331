"""lobato-restore: the network of Lobato et al., from one distorted micrograph to a sound one.

    python -m training.train lobato-restore

Twelve 5x5 convolutions of 64 filters, Adam then SGD, on every scan error and every kind of noise of
the simulator, mixed. They work on squares of 2x2 px, which gives the published layers twice the
view at a quarter of the cost (0.27 TMAC a megapixel; `--set unshuffle=1` is the network to the
letter), and begin by handing on what they are given, since so deep a plain stack else learns far
more slowly. Every picture's mean squared error counts by its logarithm: without it, the low doses
would outweigh all others.
Cost: 102 minutes of one CPU core, where 0.2.0 was still learning. Expect a mean gain of 6.4 dB, and
of a row jitter of 1 px, 0.6 px left and 0.3 px from one row to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.networks.plain import PlainStack
from training.recipe import Recipe
from training.recipes.shared.batches import as_run, generator, windows
from training.recipes.shared.losses import log_error
from training.simulate.acquire import Conditions, acquire
from training.simulate.cache import scenes
from training.simulate.detector import DETECTOR
from training.simulate.draw import log_uniform
from training.simulate.scan import EDGE, SCAN

LEAST = 1e-3  # of the squared deviation: what is sounder than this need not become sounder
CONDITIONS = Conditions(SCAN, DETECTOR)


@dataclass
class LobatoRestore(Recipe):
    filters: int = 64
    layers: int = 12
    kernel: int = 5
    unshuffle: int = 2  # 1 is the published network: four times the cost, half the view
    scenes: int = 6000
    scene_size: int = 256
    crop: int = 128
    batch_size: int = 4
    dose: tuple[float, float] = (3.0, 30_000.0)

    def network(self) -> nn.Module:
        widths = (self.filters,) * (self.layers - 1) + (1,)
        return PlainStack(widths, self.kernel, self.unshuffle, handing_on=True)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.cache = scenes(self.scenes, self.scene_size, self.seed, device, smoke=smoke)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, step, self.cache.device)
        wide = windows(self.cache, self.crop + 2 * EDGE, self.batch_size, random)
        peak = log_uniform((self.batch_size,), *self.dose, random)
        noisy, truth = acquire(wide, peak, CONDITIONS, random)
        return as_run(noisy, truth, random)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        return log_error(output, target, LEAST)


def recipe(**settings: Any) -> Recipe:
    return LobatoRestore(
        **{
            "name": "lobato-restore",
            "version": "0.2.0",
            "task": "restore",
            "summary": "The restoring network of Lobato, Mueller-Caspary & Van Aert (2018).",
            "limits": (
                "It sees 98 px, so errors that are slow along the frame stay: drift, and what\n"
                "the specimen itself may have done. At low dose, where rows cannot be told\n"
                "apart from noise, their jitter stays too."
            ),
            "minutes": 102.0,
            "learning_rate": 7e-4,
            "weight_decay": 0.0,
            "warmup_steps": 60,
            "sgd_share": 0.05,
            "sgd_rate": 1e-3,
            "figures": "restoration",
            "trained_for": {
                "dose": "3 to 30,000 electrons per pixel at the brightest column",
                "spacing": "columns 4 to 60 px apart",
                "scan": "row jitter up to 1.2 px rms, vibration, flyback, jumps, either direction",
                "detector": "Poisson and readout noise, afterglow, row gain, hot pixels, 8 bits",
            },
            "bars": {"gain": ">= 6.2", "mixed.0.clean": ">= 25.2", "row_shift.after": "<= 0.65"},
            **settings,
        }
    )
