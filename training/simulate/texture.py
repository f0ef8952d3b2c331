"""What is no crystal: smooth backgrounds, amorphous speckle, islands with edges, blank fields.

Networks that only ever see lattices turn everything into atoms.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate.draw import chance, uniform


def smooth_field(length: Tensor, size: int, random: torch.Generator) -> Tensor:
    """[B, size, size] Gaussian random fields of unit variance with correlation length `length`."""
    batch = length.shape[0]
    noise = torch.randn(batch, size, size, generator=random, device=random.device)
    fy = torch.fft.fftfreq(size, device=random.device)[:, None]
    fx = torch.fft.rfftfreq(size, device=random.device)[None, :]
    radius = (fy.square() + fx.square())[None] * length.square()[:, None, None]
    field: Tensor = torch.fft.irfft2(
        torch.fft.rfft2(noise) * torch.exp(-20 * radius), s=(size, size)
    )
    field = field - field.mean(dim=(1, 2), keepdim=True)
    return field / field.std(dim=(1, 2), keepdim=True).clamp(min=1e-6)


def background(batch: int, size: int, random: torch.Generator) -> Tensor:
    """A level, a slow variation of thickness, and the speckle of a carbon film in a fifth."""
    level = uniform((batch, 1, 1), 0, 0.4, random).square() * 2
    slow = smooth_field(uniform((batch,), 0.1, 0.4, random) * size, size, random)
    slow = slow * uniform((batch, 1, 1), 0, 0.15, random) * chance((batch, 1, 1), 0.5, random)
    speckle = smooth_field(uniform((batch,), 1.5, 6, random), size, random)
    speckle = speckle * uniform((batch, 1, 1), 0, 0.1, random) * chance((batch, 1, 1), 0.2, random)
    return (level + slow + speckle).clamp(min=0)


def shapes(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Islands with soft or hard edges on a ramp; one in six is blank."""
    field = smooth_field(torch.exp(uniform((batch,), 1.4, 4.5, random)), size, random)
    sharpness = torch.exp(uniform((batch, 1, 1), -0.5, 3.5, random))
    islands = torch.sigmoid(sharpness * (field - uniform((batch, 1, 1), -1, 1.5, random)))
    axis = torch.linspace(-0.5, 0.5, size, device=random.device)
    slope_y, slope_x = (uniform((batch, 1, 1), -0.5, 0.5, random) for _ in range(2))
    ramp = 0.7 + slope_y * axis[:, None] + slope_x * axis[None, :]
    blank = chance((batch, 1, 1), 1 / 6, random)
    return torch.where(blank, torch.ones_like(field), islands * ramp + 0.02).clamp(min=0)
