"""Batches of the image recipes: random windows of scenes, normalised as by the runtime."""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate.draw import uniform

LEAST_DEVIATION = 0.3  # of the rms error of a picture: the least deviation to normalise by
TILE_SPREAD = 0.3  # how far a tile's mean and log deviation may differ from the whole image's


def generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """Random numbers that depend on the seed and the step only."""
    return torch.Generator(device).manual_seed(seed * 1_000_003 + step)


def windows(scenes: Tensor, side: int, count: int, random: torch.Generator) -> Tensor:
    """[count, side, side] random windows of random scenes, in any of the eight orientations."""
    room = scenes.shape[-1] - side + 1
    if room < 1:
        raise SystemExit(
            f"windows of {side} px do not fit scenes of {scenes.shape[-1]} px; "
            "make the crop smaller, or scene_size larger"
        )
    device = scenes.device
    # Indices are drawn on the device: a Python list of them would synchronise with the GPU.
    draw = torch.randint(0, 1 << 30, (6, count, 1, 1), generator=random, device=device)
    rows, columns = torch.meshgrid(*(torch.arange(side, device=device),) * 2, indexing="ij")
    swapped, upside, mirrored = (draw[3:] & 1).bool()
    y, x = torch.where(swapped, columns, rows), torch.where(swapped, rows, columns)
    y = torch.where(upside, side - 1 - y, y) + draw[1] % room
    x = torch.where(mirrored, side - 1 - x, x) + draw[2] % room
    return scenes[draw[0] % len(scenes), y, x].float()


def as_run(
    noisy: Tensor, target: Tensor, random: torch.Generator, spread: float = TILE_SPREAD
) -> tuple[Tensor, Tensor]:
    """Both [B, 1, rows, columns], normalised by the noisy picture's mean and standard deviation.

    The runtime normalises a whole image, of which a tile may be darker, brighter or flatter:
    `spread` is the range of these deviations.
    """
    shape = (len(noisy), 1, 1)
    mean = noisy.mean(dim=(1, 2), keepdim=True)
    std = noisy.std(dim=(1, 2), keepdim=True, unbiased=False)
    # Without this limit, an almost empty picture (no electron, or one grey level) would have a huge
    # target that no network can predict, and would dominate the gradient.
    error = (noisy - target).square().mean(dim=(1, 2), keepdim=True).sqrt()
    std = torch.maximum(std, LEAST_DEVIATION * error).clamp(min=1e-6)
    gain = torch.exp(uniform(shape, -spread, spread, random)) / std
    offset = mean + std * uniform(shape, -spread, spread, random)
    return ((noisy - offset) * gain)[:, None], ((target - offset) * gain)[:, None]
