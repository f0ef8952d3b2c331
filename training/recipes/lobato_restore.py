"""lobato-restore: the restoring network of Lobato et al., from a distorted to a clean micrograph.

    python -m training.train lobato-restore

Twelve 5x5 convolutions of 64 filters, trained by Adam and then SGD on all scan errors and detector
effects of the simulator, mixed. The network works on 2x2 px blocks (pixel unshuffling), which gives
the published layers twice the field of view at a quarter of the cost: 0.27 TMAC per megapixel.
`--set unshuffle=1` is the network exactly as published. Layers start near the identity, because so
deep a plain stack otherwise learns far more slowly. The loss is the logarithm of each picture's
mean squared error; without it the low doses would outweigh all others.

Cost: its `minutes` on one CPU core, after which 0.2.0 was still improving. Expect a mean gain of
6.4 dB; of a row jitter of 1 px, 0.6 px remain, and 0.3 px from one row to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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

ERROR_FLOOR = 1e-3  # added to the squared error: below it there is nothing to gain
ALL_DISTORTIONS = Conditions(SCAN, DETECTOR)


@dataclass
class LobatoRestore(Recipe):
    name: str = "lobato-restore"
    version: str = "0.2.0"
    task: str = "restore"
    summary: str = "The restoring network of Lobato, Mueller-Caspary & Van Aert (2018)."
    limits: str = """\
It sees 98 px, so errors that are slow along the frame stay: drift, and what
the specimen itself may have done. At low dose, where rows cannot be told
apart from noise, their jitter stays too."""
    minutes: float = 102.0
    learning_rate: float = 7e-4
    weight_decay: float = 0.0
    warmup_steps: int = 60
    sgd_share: float = 0.05
    sgd_rate: float = 1e-3
    filters: int = 64
    layers: int = 12
    kernel: int = 5
    unshuffle: int = 2  # 1: the published network, at four times the cost and half the view
    scenes: int = 6000
    scene_size: int = 256
    crop: int = 128
    batch_size: int = 4
    dose: tuple[float, float] = (3.0, 30_000.0)
    evaluation: str = "restoration"
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            "dose": "{dose[0]:,g} to {dose[1]:,g} electrons per pixel at the brightest column",
            "spacing": "columns 4 to 60 px apart",
            "scan": f"row jitter up to {SCAN['row_jitter_x'][1]:g} px rms, vibration, flyback, "
            "jumps, either direction",
            "detector": "Poisson and readout noise, afterglow, row gain, hot pixels, 8 bits",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "gain": ">= 6.2",
            "mixed.0.clean": ">= 25.2",
            "row_shift.after": "<= 0.65",
        }
    )

    def network(self) -> nn.Module:
        widths = (self.filters,) * (self.layers - 1) + (1,)
        return PlainStack(widths, self.kernel, self.unshuffle, near_identity=True)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.cache = scenes(self.scenes, self.scene_size, self.seed, device, smoke=smoke)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, step, self.cache.device)
        wide = windows(self.cache, self.crop + 2 * EDGE, self.batch_size, random)
        peak = log_uniform((self.batch_size,), *self.dose, random)
        noisy, truth = acquire(wide, peak, ALL_DISTORTIONS, random)
        return as_run(noisy, truth, random)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        return log_error(output, target, ERROR_FLOOR)


recipe = LobatoRestore
