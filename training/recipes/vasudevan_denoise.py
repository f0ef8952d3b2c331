"""vasudevan-denoise: the denoiser of Vasudevan & Jesse, for hexagonal lattices under uniform noise.

    python -m training.train vasudevan-denoise

Cost: nine minutes on one CPU core. Expect a gain of 17 dB where noise is as high as the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.networks.plain import PlainStack
from training.recipe import Recipe
from training.recipes.shared.batches import as_run, generator
from training.recipes.shared.losses import log_error
from training.simulate.draw import uniform
from training.simulate.hexagons import NOISE, REACH, add_noise, coverage, draw_columns, picture


@dataclass
class VasudevanDenoise(Recipe):
    width: int = 32
    depth: int = 7
    unshuffle: int = 4
    size: int = 64
    batch_size: int = 32

    def network(self) -> nn.Module:
        return PlainStack((self.width,) * (self.depth - 1) + (1,), 3, self.unshuffle)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.device = device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Moved pictures, one half with their border; the target has the noise's mean added."""
        random = generator(self.seed, step, self.device)
        columns = draw_columns(self.batch_size, self.size, 0.5, random)
        drift = uniform((self.batch_size, 2), -REACH, REACH, random)
        clean = picture(columns, self.size)
        clean[::2] *= coverage(drift, self.size)[::2]
        strength = uniform((self.batch_size,), *NOISE, random)
        noisy = add_noise(clean, strength, random)
        return as_run(noisy, clean + strength[:, None, None] / 2, random, spread=0)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return log_error(output, target)


def recipe(**settings: Any) -> Recipe:
    return VasudevanDenoise(
        **{
            "name": "vasudevan-denoise",
            "version": "0.1.0",
            "task": "denoise",
            "summary": (
                "The denoiser that Vasudevan & Jesse put before correlation: hexagonal lattices."
            ),
            "limits": (
                "It has seen hexagonal lattices of equal round columns with vacancies and voids,\n"
                "under uniform noise, and makes such columns of other things. For other specimens\n"
                "use a denoiser trained for them."
            ),
            "minutes": 9.0,
            "learning_rate": 2e-3,
            "figures": "vasudevan_denoise",
            "trained_for": {
                "noise": "uniform noise in [0, a], `a` from 0.1 to 2 column heights",
                "spacing": "hexagonal lattices, columns 6 to 16 px apart, any rotation",
                "sigma": "column sigma 0.16 to 0.26 spacings",
            },
            "bars": {
                "lattices.0.clean": ">= 31.8",
                "lattices.2.clean": ">= 27.7",  # noise as high as the columns
                "lattices.3.clean": ">= 22.4",
                "lattices.6.clean": ">= 27.1",  # the same with vacancies and voids
            },
            **settings,
        }
    )
