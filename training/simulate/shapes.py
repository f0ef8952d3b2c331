"""Pictures without crystals, so that networks do not turn everything into atoms."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import chance, log_uniform, uniform
from training.simulate.texture import smooth_field


def random_shapes(batch: int, size: int, random: torch.Generator) -> Tensor:
    """[B, size, size] islands, blobs, facets, writing, ramps and blank fields in turn."""
    kinds = (islands, blobs, facets, writing, ramps, blank)
    offset = int(torch.randint(0, len(kinds), (1,), generator=random, device=random.device))
    pictures = [kinds[(offset + n) % len(kinds)](1, size, random) for n in range(batch)]
    return torch.cat(pictures)


def islands(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Random islands with soft or hard edges on a ramp."""
    field = smooth_field(log_uniform((batch,), 4, 90, random), size, random)
    sharpness = log_uniform((batch, 1, 1), 0.6, 33, random)
    shore = torch.sigmoid(sharpness * (field - uniform((batch, 1, 1), -1, 1.5, random)))
    return (shore * (0.3 + ramps(batch, size, random)) + 0.02).clamp(min=0)


def blobs(batch: int, size: int, random: torch.Generator) -> Tensor:
    """A few Gaussians of random size at random positions."""
    count = 12
    y, x = _grid(size, random.device)
    place = uniform((2, batch, count, 1, 1), 0, size, random)
    width = log_uniform((batch, count, 1, 1), 0.01 * size, 0.2 * size, random)
    height = uniform((batch, count, 1, 1), 0.1, 1, random)
    square = (y - place[0]).square() + (x - place[1]).square()
    return (height * torch.exp(-square / (2 * width.square()))).sum(dim=1)


def facets(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Overlapping half planes, as at wedges, steps and edges of foils."""
    y, x = _grid(size, random.device)
    picture = torch.full((batch, size, size), 0.05, device=random.device)
    for _ in range(4):
        turn = uniform((batch, 1, 1), 0, 2 * math.pi, random)
        offset = uniform((batch, 1, 1), -0.4, 0.4, random) * size
        reach = (y - size / 2) * turn.sin() + (x - size / 2) * turn.cos() - offset
        softness = log_uniform((batch, 1, 1), 0.3, 8, random)
        step = torch.sigmoid(reach / softness)
        picture = picture + step * uniform((batch, 1, 1), 0.05, 0.5, random)
    return picture


def writing(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Lines of random letters of five by seven blocks, like a mask or the label of a scale bar."""
    scale = int(torch.randint(1, 7, (1,), generator=random, device=random.device))
    rows, columns = math.ceil(size / (9 * scale)), math.ceil(size / (7 * scale))
    blots = chance((batch, rows, columns, 7, 5), 0.45, random).float()
    shown = blots * chance((batch, rows, columns, 1, 1), 0.75, random)
    spaced = torch.nn.functional.pad(shown, (1, 1, 1, 1))
    page = spaced.permute(0, 1, 3, 2, 4).reshape(batch, rows * 9, columns * 7)
    page = page.repeat_interleave(scale, 1).repeat_interleave(scale, 2)[:, :size, :size]
    level = uniform((batch, 1, 1), 0, 0.5, random)
    return level + page * uniform((batch, 1, 1), 0.2, 1, random)


def ramps(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Linear ramps in random directions."""
    rise = uniform((batch, 1, 1), 0, 0.6, random)
    turn = uniform((batch, 1, 1), 0, 2 * math.pi, random)
    y, x = (axis / (size - 1) - 0.5 for axis in _grid(size, random.device))
    return 0.7 + math.sqrt(2) * rise * (y * turn.sin() + x * turn.cos())


def blank(batch: int, size: int, random: torch.Generator) -> Tensor:
    return torch.ones(batch, size, size, device=random.device)


def _grid(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    index = torch.arange(size, device=device, dtype=torch.float32)
    return index[:, None], index[None, :]
