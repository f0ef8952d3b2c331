"""Batches of scenes: clean pictures, without noise and scan errors, with a maximum of one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import Mix, draw_mix, uniform
from training.simulate.probe import PROBE, transfer
from training.simulate.render import RENDER_MARGIN, draw_columns
from training.simulate.shapes import random_shapes
from training.simulate.specimen import DEFECTS, TRAINING_DEFECTS, SpecimenBatch, random_specimens
from training.simulate.texture import TEXTURE, add_texture

# Bands of column spacing in px and their fractions. Networks do worst on the closest columns.
SPACING_BANDS = (
    ((4.0, 7.0), 0.22),
    ((7.0, 12.0), 0.28),
    ((12.0, 22.0), 0.28),
    ((22.0, 60.0), 0.14),
)
PROBE_SIGMA = (0.14, 0.34)  # of the probe, in column spacings
LEAST_SIGMA = 0.8  # px: a sharper probe is undersampled


def render_scenes(count: int, size: int, random: torch.Generator, batch: int = 16) -> Tensor:
    """[count, size, size] float16 scenes: crystals of every band and other shapes, shuffled."""
    parts = []
    for spacing, share in SPACING_BANDS:
        wanted = round(count * share)
        for start in range(0, wanted, batch):
            some = min(batch, wanted - start)
            parts.append(render_crystals(some, size, spacing, random, TRAINING_DEFECTS))
    rest = count - sum(len(part) for part in parts)
    if rest:
        parts.append(scaled(random_shapes(rest, size, random)))
    scenes = torch.cat([part.half() for part in parts])
    return scenes[torch.randperm(len(scenes), generator=random, device=random.device)]


def render_crystals(
    batch: int,
    size: int,
    spacing: tuple[float, float],
    random: torch.Generator,
    mix: Mix = DEFECTS,
) -> Tensor:
    """[batch, size, size] scenes of random specimens in a range of column spacings."""
    full = size + 2 * RENDER_MARGIN
    specimen = random_specimens(batch, full, spacing, random, mix)
    sigma = (specimen.spacing * uniform((batch,), *PROBE_SIGMA, random)).clamp(min=LEAST_SIGMA)
    seen = form_image(specimen, sigma, random, draw_mix(PROBE, batch, random))
    textured = add_texture(seen, random, draw_mix(TEXTURE, batch, random))
    return scaled(textured[:, RENDER_MARGIN:-RENDER_MARGIN, RENDER_MARGIN:-RENDER_MARGIN])


def form_image(
    specimen: SpecimenBatch,
    sigma: Tensor,
    random: torch.Generator,
    strengths: dict[str, Tensor] | None = None,
) -> Tensor:
    """Images of specimens by probes of standard deviation `sigma` [B] px."""
    angle = uniform((len(sigma),), 0, 2 * math.pi, random)
    response = transfer(sigma, angle, specimen.size, strengths)
    return scaled(draw_columns(specimen.columns, response, specimen.size).clamp(min=0))


def scaled(images: Tensor) -> Tensor:
    return images / images.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6)
