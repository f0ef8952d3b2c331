"""Effects on a finished picture: mains hum, lost lines, quantisation, JPEG."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import chance, log_uniform, uniform

# The luminance table of the JPEG standard (ITU-T T.81, annex K).
JPEG_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def hum(images: Tensor, random: torch.Generator) -> Tensor:
    """Add a sine in time, as from the mains, of up to a few cycles per row."""
    batch, rows, columns = images.shape
    shape = (batch, 1, 1)
    row = torch.arange(rows, device=images.device)[:, None]
    column = torch.arange(columns, device=images.device)[None] / columns
    phase = (
        2
        * math.pi
        * (log_uniform(shape, 0.05, 6, random) * (row + column) + uniform(shape, 0, 1, random))
    )
    strength = uniform(shape, 0.02, 0.4, random) * _deviation(images)
    return images + strength * torch.sin(phase)


def lost_lines(images: Tensor, random: torch.Generator) -> Tensor:
    """A few rows repeat the row before or have one value."""
    batch, rows, _ = images.shape
    share = log_uniform((batch, 1, 1), 0.002, 0.02, random)
    struck = torch.rand((batch, rows, 1), generator=random, device=images.device) < share
    dead = chance((batch, 1, 1), 0.3, random)
    level = images.amin(dim=(1, 2), keepdim=True)
    before = torch.cat([images[:, :1], images[:, :-1]], 1)
    return torch.where(struck, torch.where(dead, level, before), images)


def eight_bits(images: Tensor, random: torch.Generator) -> Tensor:
    """Quantise to 8 bits, with the contrast stretched a little beyond the range."""
    low, high = images.amin(dim=(1, 2), keepdim=True), images.amax(dim=(1, 2), keepdim=True)
    step = (high - low).clamp(min=1e-12) / (255 * uniform((len(images), 1, 1), 0.4, 1, random))
    return low + ((images - low) / step).round() * step


def jpeg(images: Tensor, random: torch.Generator) -> Tensor:
    """JPEG compression: rounded cosine transforms of blocks of 8 x 8 px, quality 60 to 97."""
    batch, height, width = images.shape
    low, high = images.amin(dim=(1, 2), keepdim=True), images.amax(dim=(1, 2), keepdim=True)
    step = (high - low).clamp(min=1e-12) / 255
    blocks = ((images - low) / step - 128).reshape(batch, height // 8, 8, width // 8, 8)
    n = torch.arange(8, device=images.device, dtype=torch.float32)
    cosine = 0.5 * torch.cos(math.pi * (2 * n[None] + 1) * n[:, None] / 16)
    cosine[0] *= math.sqrt(0.5)
    quality = uniform((batch, 1, 1, 1, 1), 60, 97, random)
    table = torch.tensor(JPEG_TABLE, device=images.device, dtype=torch.float32)[:, None, :]
    table = (table * (200 - 2 * quality) / 100).round().clamp(1, 255)
    blocks = torch.einsum("ui,bhiwj,vj->bhuwv", cosine, blocks, cosine)
    blocks = (blocks / table).round() * table
    blocks = torch.einsum("ui,bhuwv,vj->bhiwj", cosine, blocks, cosine)
    return low + (blocks.reshape(images.shape) + 128).round().clamp(0, 255) * step


def _deviation(images: Tensor) -> Tensor:
    return images.std(dim=(1, 2), keepdim=True)
