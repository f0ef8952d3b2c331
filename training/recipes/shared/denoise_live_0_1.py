"""The recipe of denoise-live 0.1.0, kept for fine-tuning it: a U-Net for white noise.

Cost: its `minutes` on two CPU cores. Expect 29 / 34 / 39 dB on the perovskite benchmark at peak
5 / 20 / 100 counts, from 12.4 / 18.4 / 25.4 dB raw.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from training.networks.unet import UNet
from training.recipe import Recipe
from training.recipes.shared.batches import as_run, generator, windows
from training.recipes.shared.losses import log_error
from training.simulate.cache import scenes
from training.simulate.detector import record
from training.simulate.draw import Mix, draw_mix, log_uniform

READOUT: Mix = {"readout": (0.0, 0.5, 0.2)}  # besides Poisson noise


@dataclass
class DenoiseLive01(Recipe):
    name: str = "denoise-live"
    version: str = "0.1.0"
    task: str = "denoise"
    summary: str = "A quick denoiser for live viewing of atomic-resolution STEM images."
    limits: str = """\
It leaves scan distortions as they are: row jitter and drift need a restoring
model. It never saw afterglow, row-to-row gain, saturation or hot pixels, and
below about one electron per pixel it smooths faint columns away. A few wrong
columns in a perfect crystal at low dose may be pulled towards their neighbours."""
    minutes: float = 105.0
    learning_rate: float = 1.5e-3
    widths: tuple[int, ...] = (16, 32, 96)
    blocks: tuple[int, ...] = (1, 1)
    dilations: tuple[int, ...] = (1, 2, 4)
    unshuffle: int = 2
    scenes: int = 6000
    scene_size: int = 256
    crop: int = 192
    batch_size: int = 8
    dose: tuple[float, float] = (1.0, 1000.0)
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            "dose": "{dose[0]:g} to {dose[1]:g} electrons per pixel at the brightest column",
            "spacing": "columns 4 to 60 px apart",
            "sigma": "column sigma 0.8 px and more",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "perovskite.0.clean": ">= 28.7",
            "perovskite.1.clean": ">= 33.5",
            "perovskite.2.clean": ">= 38.8",
            "lattices.0.clean": ">= 23.5",  # the closest columns at the lowest dose
            "lattices.1.clean": ">= 31.9",
            "blank.clean_std": "<= 0.15",
        }
    )

    def network(self) -> nn.Module:
        return UNet(self.widths, self.blocks, self.dilations, self.unshuffle)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.cache = scenes(self.scenes, self.scene_size, self.seed, device, smoke=smoke)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, step, self.cache.device)
        scene = windows(self.cache, self.crop, self.batch_size, random)
        peak = log_uniform((self.batch_size,), *self.dose, random)
        noisy, clean = record(scene, peak, random, draw_mix(READOUT, self.batch_size, random))
        return as_run(noisy, clean, random)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return log_error(output, target)
