"""Clean pictures by the batch, and a cache of them for training on a CPU.

A scene is what an ideal detector would record without noise, scaled to a maximum of one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import chance, uniform
from training.simulate.render import MARGIN, convolve, probe, spread
from training.simulate.scan import jitter_rows
from training.simulate.specimen import crystals
from training.simulate.texture import background, shapes

# Bands of column spacing in px and their share; close-packed pictures are where networks lose most.
BANDS = (((4.0, 7.0), 0.22), ((7.0, 12.0), 0.28), ((12.0, 22.0), 0.28), ((22.0, 60.0), 0.14))
SHAPES_SHARE = 0.08


def render_crystals(
    batch: int, size: int, spacing: tuple[float, float], random: torch.Generator
) -> Tensor:
    full = size + 2 * MARGIN
    columns = crystals(batch, full, spacing, random)
    sigma = (columns.neighbour * uniform((batch,), 0.14, 0.34, random)).clamp(min=0.8)
    transfer = probe(
        sigma,
        uniform((batch,), 0, 0.12, random),
        uniform((batch,), 0, math.pi, random),
        uniform((batch,), 0, 0.06, random),
        full,
    )
    image = convolve(spread(columns.y, columns.x, columns.weight, full), transfer)
    image = image + background(batch, full, random)
    shaky = uniform((batch,), 0, 1.0, random) * chance((batch,), 0.1, random)
    image = jitter_rows(image, shaky, random)
    return image[:, MARGIN:-MARGIN, MARGIN:-MARGIN].clamp(min=0)


def render_scenes(count: int, size: int, random: torch.Generator, batch: int = 16) -> Tensor:
    """[count, size, size] float16 scenes in the shares above, shuffled."""
    parts = []
    for spacing, share in BANDS:
        wanted = round(count * share)
        for start in range(0, wanted, batch):
            parts.append(render_crystals(min(batch, wanted - start), size, spacing, random))
    rest = count - sum(len(part) for part in parts)
    for start in range(0, rest, batch):
        parts.append(shapes(min(batch, rest - start), size, random))
    scenes = torch.cat([_scaled(part).half() for part in parts])
    return scenes[torch.randperm(len(scenes), generator=random, device=random.device)]


def _scaled(images: Tensor) -> Tensor:
    return images / images.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6)
