"""What the detector makes of a clean scene: electrons counted, and what the electronics add."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import chance, uniform


def record(
    scene: Tensor, dose: tuple[float, float], random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Noisy and clean [B, H, W] in electrons per pixel; peak dose log-uniform in `dose`.

    A fifth of the pictures carry Gaussian readout noise as well, up to half the peak's shot noise.
    """
    batch = scene.shape[0]
    peak = torch.exp(uniform((batch, 1, 1), math.log(dose[0]), math.log(dose[1]), random))
    clean = scene * peak
    counts = torch.poisson(clean, generator=random)
    readout = uniform((batch, 1, 1), 0, 0.5, random) * peak.sqrt()
    readout = readout * chance((batch, 1, 1), 0.2, random)
    noise = torch.randn(clean.shape, generator=random, device=random.device)
    return counts + readout * noise, clean
