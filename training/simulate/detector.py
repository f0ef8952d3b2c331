"""The detector: counted electrons, and the effects of the electronics.

Pictures have a maximum of one. Strengths [B] are relative to it unless noted.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import Mix, absent, normal

DETECTOR: Mix = {
    "bias": (0.02, 0.3, 0.2),  # dark level, of the peak; it has shot noise too
    "gain_spread": (0.1, 0.8, 0.3),  # pulse height distribution, relative standard deviation
    "readout": (0.05, 0.6, 0.3),  # Gaussian noise, of the peak's shot noise
    "afterglow": (0.05, 0.5, 0.2),  # fraction of the signal that is delayed
    "row_gain": (0.005, 0.06, 0.2),  # relative, rms from row to row
    "row_offset": (0.005, 0.05, 0.2),  # of the peak, rms from row to row
    "hot": (1e-4, 2e-3, 0.15),  # fraction of hot pixels
    "saturation": (0.5, 0.95, 0.05),  # the largest signal, of the peak
    "bits": (8.0, 8.0, 0.3),  # of the quantisation
}

ELECTRONS_PER_PICOAMPERE_MICROSECOND = 6.241509
STREAK_LENGTH = 6.0  # px: decay length of the afterglow along the row


def electrons(current: float, dwell: float, collected: float = 1.0) -> float:
    """Electrons per pixel from beam current in pA, dwell time in us and the collected fraction."""
    return ELECTRONS_PER_PICOAMPERE_MICROSECOND * current * dwell * collected


def record(
    scene: Tensor,
    peak: Tensor,
    random: torch.Generator,
    strengths: dict[str, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Noisy and ideal pictures [B, rows, columns] in electrons; `peak` [B] is the dose where a
    scene is one. Of the effects in `strengths`, the ideal picture has the dark level only."""
    given = strengths or {}
    counts, ideal = counted(scene, peak, random, given)
    return read_out(counts, peak, random, given), ideal


def counted(
    scene: Tensor, peak: Tensor, random: torch.Generator, strengths: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Counted electrons with random pulse heights, and their expectation."""
    ideal = (scene + _strength(strengths, "bias", peak)) * peak[:, None, None]
    counts = torch.poisson(ideal, generator=random)
    spread = _strength(strengths, "gain_spread", peak)
    if not absent(spread):
        counts = (counts + spread * counts.sqrt() * normal(scene.shape, random)).clamp(min=0)
    return counts, ideal


def read_out(
    counts: Tensor, peak: Tensor, random: torch.Generator, strengths: dict[str, Tensor]
) -> Tensor:
    """Apply the effects of the electronics to the counts."""

    def strength(name: str) -> Tensor:
        return _strength(strengths, name, peak)

    full = peak[:, None, None]
    counts = _afterglow(counts, strength("afterglow"))
    rows = (len(counts), counts.shape[1], 1)
    counts = counts * (1 + strength("row_gain") * normal(rows, random))
    counts = counts + strength("row_offset") * full * normal(rows, random)
    if not absent(strength("readout")):
        counts = counts + strength("readout") * full.sqrt() * normal(counts.shape, random)
    counts = _hot(counts, strength("hot"), full, random)
    return _digitised(counts, strength("saturation"), strength("bits"), full)


def _strength(strengths: dict[str, Tensor], name: str, peak: Tensor) -> Tensor:
    """[B, 1, 1]: zero if not given."""
    return strengths.get(name, torch.zeros_like(peak))[:, None, None]


def _afterglow(counts: Tensor, share: Tensor) -> Tensor:
    """A fraction of each pixel's signal is delayed into the following ones, exponentially."""
    if absent(share):
        return counts
    columns = counts.shape[-1]
    lag = torch.arange(columns, device=counts.device)
    late = torch.exp(-lag / STREAK_LENGTH)
    late[0] = 0
    late = late / late.sum()
    spectrum = torch.fft.rfft(counts, 2 * columns) * torch.fft.rfft(late, 2 * columns)
    streak = torch.fft.irfft(spectrum, 2 * columns)[..., :columns]
    glowing: Tensor = (1 - share) * counts + share * streak
    return glowing


def _hot(counts: Tensor, share: Tensor, full: Tensor, random: torch.Generator) -> Tensor:
    if absent(share):
        return counts
    struck = torch.rand(counts.shape, generator=random, device=counts.device) < share
    height = full + 3 * full.sqrt() * normal(counts.shape, random).abs()
    return torch.where(struck, counts + height, counts)


def _digitised(counts: Tensor, saturation: Tensor, bits: Tensor, full: Tensor) -> Tensor:
    """Clip at `saturation` of the peak and quantise to 2^bits levels up to the maximum."""
    if not absent(saturation):
        level = torch.where(saturation > 0, saturation * full, math.inf)
        counts = torch.minimum(counts, level)
    if absent(bits):
        return counts
    step = counts.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6) / (2**bits - 1)
    return torch.where(bits > 0, (counts / step).round().clamp(min=0) * step, counts)
