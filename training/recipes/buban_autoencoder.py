"""buban-autoencoder: Buban & Choi's stacked auto-encoder, applied to overlapping windows.

    python -m training.train buban-autoencoder

Cost: its `minutes` on one CPU core, about one pass over the 700,000 lattices. Expect an error of
about 6 % of the brightest column per pixel on unseen windows at a signal-to-noise ratio of 0.33,
the noise spanning three times the signal. Longer training gains little on such windows and does
worse on anything else: the network then imposes its lattice, and shows less of faults.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from training.networks.autoencoder import AutoEncoder
from training.recipe import Recipe
from training.recipes.shared.batches import as_run, generator
from training.simulate.draw import log_uniform, uniform
from training.simulate.srtio3 import COLUMN_SIGMA, PERIOD, WINDOW, lattices


@dataclass
class BubanAutoencoder(Recipe):
    name: str = "buban-autoencoder"
    version: str = "0.1.0"
    task: str = "denoise"
    summary: str = (
        "Buban & Choi's stacked auto-encoder for SrTiO3 [001], floated over an image in windows."
    )
    limits: str = """\
It knows one lattice, SrTiO3 [001] with a parameter of 20 px, turned by 0 to 45
degrees; scale and turn an image to that first. Anything else it pulls towards
what it knows: part of the elongation at a fault moves to the cells beside it,
and where there is no crystal it invents one."""
    minutes: float = 2.0
    widths: tuple[int, ...] = (512, 256, 64)
    samples: int = 700_000  # lattices; each pass over them has new noise
    batch_size: int = 256
    noise: tuple[float, float] = (0.2, 3.2)  # standard deviation; the brightest column is 1
    evaluation: str = "buban_autoencoder"
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            "specimen": f"SrTiO3 [001], lattice parameter {PERIOD:g} px, column sigma "
            f"{COLUMN_SIGMA:g} px",
            "rotation": "turned by 0 to 45 degrees",
            "noise": "uniform noise, standard deviation {noise[0]:g} to {noise[1]:g} of the "
            "brightest column: SNR 0.33 by any reading",
            "samples": "{samples:,} lattices in batches of {batch_size}, fresh noise at every pass",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "windows.3.mean_absolute": "<= 6.2",  # the error per pixel of the headline
            "fault.2.psnr": ">= 24.2",
            "fault.5.psnr": ">= 26.9",
            "fault.5.scatter": "<= 0.25",
        }
    )

    def network(self) -> nn.Module:
        return AutoEncoder(WINDOW, 2, self.widths)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.device = device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        batches = self.samples // self.batch_size
        clean = lattices(self.batch_size, generator(self.seed, step % batches, self.device))
        random = generator(self.seed, batches + step, self.device)
        shape = (self.batch_size, 1, 1)
        half_range = math.sqrt(3) * log_uniform(shape, *self.noise, random)
        noisy = clean + half_range * uniform(tuple(clean.shape), -1.0, 1.0, random)
        return as_run(noisy, clean, random, spread=0.1)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        error: Tensor = output - target
        return error.square().mean()


recipe = BubanAutoencoder
