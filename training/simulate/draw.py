"""Batched random numbers from a generator, on its device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

Shape = tuple[int, ...]


def uniform(shape: Shape, low: float, high: float, random: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=random, device=random.device)


def log_uniform(shape: Shape, low: float, high: float, random: torch.Generator) -> Tensor:
    return torch.exp(uniform(shape, math.log(low), math.log(high), random))


def normal(shape: Shape, random: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=random, device=random.device)


def chance(shape: Shape, probability: float, random: torch.Generator) -> Tensor:
    """True with the given probability."""
    return torch.rand(shape, generator=random, device=random.device) < probability


Mix = dict[str, tuple[float, float, float]]  # name -> (low, high, fraction of the pictures)


def draw_mix(mix: Mix, batch: int, random: torch.Generator) -> dict[str, Tensor]:
    """A strength [B] for each name: uniform in its range in its fraction of pictures, else 0."""
    return {
        name: uniform((batch,), low, high, random) * chance((batch,), share, random)
        for name, (low, high, share) in mix.items()
    }


def absent(strength: Tensor) -> bool:
    """Whether all strengths are zero; always False on a GPU, where the check would synchronise."""
    return strength.device.type == "cpu" and not bool(strength.any())
