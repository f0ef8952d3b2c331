"""How the scan moves the picture: row jitter, for now."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import uniform


def jitter_rows(image: Tensor, strength: Tensor, random: torch.Generator) -> Tensor:
    """Displace whole rows along x by `strength` [B] px rms, each row remembering the one before."""
    batch, rows, columns = image.shape
    memory = uniform((batch,), 0, 0.9, random)
    kick = torch.randn(batch, rows, generator=random, device=random.device)
    kick = kick * (strength * (1 - memory.square()).sqrt())[:, None]
    shift = torch.zeros_like(kick)
    shift[:, 0] = kick[:, 0]
    for row in range(1, rows):
        shift[:, row] = memory * shift[:, row - 1] + kick[:, row]
    frequency = torch.fft.rfftfreq(columns, device=image.device)
    phase = torch.exp(-2j * math.pi * shift[..., None] * frequency)
    moved: Tensor = torch.fft.irfft(torch.fft.rfft(image) * phase, n=columns)
    return moved
