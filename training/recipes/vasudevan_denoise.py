"""vasudevan-denoise: the denoiser of Vasudevan & Jesse, for hexagonal lattices under uniform noise.

    python -m training.train vasudevan-denoise

Cost: its `minutes` on one CPU core. Expect a gain of 17 dB where the noise is as high as the
columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from training.networks.plain import PlainStack
from training.recipe import Recipe
from training.recipes.shared.batches import as_run, generator
from training.recipes.shared.losses import log_error
from training.simulate.draw import uniform
from training.simulate.hexagons import (
    MAX_DRIFT,
    NOISE,
    SIGMA_RANGE,
    SPACING_RANGE,
    add_noise,
    coverage,
    draw_columns,
    picture,
)

NOISE_AND_SPACING = {
    "noise": f"uniform noise in [0, a], `a` from {NOISE[0]:g} to {NOISE[1]:g} column heights",
    "spacing": f"hexagonal lattices, columns {SPACING_RANGE[0]:g} to {SPACING_RANGE[1]:g} px "
    "apart, any rotation",
}


@dataclass
class VasudevanDenoise(Recipe):
    name: str = "vasudevan-denoise"
    version: str = "0.1.0"
    task: str = "denoise"
    summary: str = "The denoiser that Vasudevan & Jesse put before correlation: hexagonal lattices."
    limits: str = """\
It has seen hexagonal lattices of equal round columns with vacancies and voids,
under uniform noise, and makes such columns of other things. For other specimens
use a denoiser trained for them."""
    minutes: float = 9.0
    learning_rate: float = 2e-3
    width: int = 32
    depth: int = 7
    unshuffle: int = 4
    size: int = 64
    batch_size: int = 32
    evaluation: str = "vasudevan_denoise"
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            **NOISE_AND_SPACING,
            "sigma": f"column sigma {SIGMA_RANGE[0]:g} to {SIGMA_RANGE[1]:g} spacings",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "lattices.0.clean": ">= 31.8",
            "lattices.2.clean": ">= 27.7",  # noise as high as the columns
            "lattices.3.clean": ">= 22.4",
            "lattices.6.clean": ">= 27.1",  # the same with vacancies and voids
        }
    )

    def network(self) -> nn.Module:
        return PlainStack((self.width,) * (self.depth - 1) + (1,), 3, self.unshuffle)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.device = device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Displaced pictures, half of them with their border. The target includes the noise's
        mean."""
        random = generator(self.seed, step, self.device)
        columns = draw_columns(self.batch_size, self.size, 0.5, random)
        drift = uniform((self.batch_size, 2), -MAX_DRIFT, MAX_DRIFT, random)
        clean = picture(columns, self.size)
        clean[::2] *= coverage(drift, self.size)[::2]
        strength = uniform((self.batch_size,), *NOISE, random)
        noisy = add_noise(clean, strength, random)
        return as_run(noisy, clean + strength[:, None, None] / 2, random, spread=0)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return log_error(output, target)


recipe = VasudevanDenoise
