"""Frames within and beyond what the denoisers were trained for, from seeds unused in training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.evaluation.colours import COLOURS, Colour, white
from training.simulate import shapes
from training.simulate.draw import uniform
from training.simulate.frames import FRAME_EDGE, frames
from training.simulate.scan import SCAN
from training.simulate.scenes import SPACING_BANDS, render_crystals, scaled
from training.simulate.texture import smooth_field

SEED = 95_000
SIDE = 384  # px
MARGIN = 16  # px around a frame for its filters
BATCH = 4
LOW_DOSES, FAIR_DOSES = (0.02, 0.25), (1.0, 1000.0)
CLOSE = (1.6, 2.6)  # px between columns
JITTERED = 0.25  # fraction of the in-range frames with scan errors

Image = NDArray[np.float32]


@dataclass(frozen=True)
class RangeFrame:
    kind: str  # "in range", or what is out of range
    about: str
    raw: Image


def range_frames(batches: int, seed: int = SEED) -> Iterator[RangeFrame]:
    """`batches` times BATCH frames of every kind and band."""
    random = torch.Generator().manual_seed(seed)
    chance = np.random.default_rng(seed)
    for _ in range(batches):
        for band, _share in SPACING_BANDS:
            yield from _in_range(band, random)
            scenes = render_crystals(BATCH, SIDE + 2 * MARGIN, band, random)
            about = f"columns {band[0]:g} to {band[1]:g} px apart"
            for scene in scenes:
                yield RangeFrame("dose too low", about, _exposed(scene, LOW_DOSES, chance, True))
        for scene in render_crystals(2 * BATCH, SIDE + 2 * MARGIN, CLOSE, random):
            about = f"columns {CLOSE[0]} to {CLOSE[1]} px apart"
            raw = _exposed(scene, FAIR_DOSES, chance, False)
            yield RangeFrame("columns too close", about, raw)
        for name, draw in LOW_MAGNIFICATION.items():
            for scene in scaled(draw(BATCH, SIDE + 2 * MARGIN, random)):
                raw = _exposed(scene, FAIR_DOSES, chance, True)
                yield RangeFrame("low magnification", name, raw)
        for name, draw in SURFACES.items():
            for scene in scaled(draw(2 * BATCH, SIDE + 2 * MARGIN, random)):
                yield RangeFrame("SEM", name, _exposed(scene, FAIR_DOSES, chance, True))


def _in_range(band: tuple[float, float], random: torch.Generator) -> Iterator[RangeFrame]:
    """As training draws them, with every effect of scan, detector and saving."""
    scenes = render_crystals(BATCH, SIDE + 2 * FRAME_EDGE, band, random)
    scan = {**SCAN, "row_jitter_x": (0.05, 1.2, 0.6)}
    noisy, _ = frames(scenes, random, JITTERED, scan, straight=False)
    for raw in noisy:
        if raw.min() == raw.max():  # saved with eight bits, all of them for one hot pixel
            continue
        about = f"columns {band[0]:g} to {band[1]:g} px apart"
        yield RangeFrame("in range", about, raw.numpy().astype(np.float32))


def _exposed(
    scene: Tensor, doses: tuple[float, float], chance: np.random.Generator, any_colour: bool
) -> Image:
    """Counts of a scene; half of them white, the others with correlated noise if `any_colour`."""
    colour: Colour = white
    if any_colour and chance.random() < 0.5:
        colour = list(COLOURS.values())[chance.integers(len(COLOURS))]
    peak = math.exp(chance.uniform(*np.log(doses)))
    ideal = colour.before(scene.double().numpy()) * peak
    counts = colour.after(chance.poisson(ideal).astype(np.float64))
    return counts[MARGIN:-MARGIN, MARGIN:-MARGIN].astype(np.float32)


def particles(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Bright particles of many sizes on a film that is not even."""
    film = 0.2 + 0.03 * smooth_field(torch.full((batch,), 6.0), size, random)
    return (film + 0.4 * shapes.blobs(batch, size, random)).clamp(min=0)


def texture(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Contrast on all scales, as of thickness, strain and contamination."""
    return (1 + 0.25 * _fractal(batch, size, random)).clamp(min=0)


def rough_surface(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Secondary electrons of a rough surface: more from slopes, and from those that face right."""
    height = _fractal(batch, size, random) * 12
    up = height.diff(dim=1, append=height[:, -1:])
    across = height.diff(dim=2, append=height[:, :, -1:])
    slope = (1 + up.square() + across.square()).sqrt()
    return (0.4 * slope + 0.3 * across).clamp(min=0.05, max=3)


def balls(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Spheres of many sizes with bright edges, as tin on carbon."""
    y, x = torch.meshgrid(*[torch.arange(size, dtype=torch.float32)] * 2, indexing="ij")
    picture = torch.full((batch, size, size), 0.15)
    for image in picture:
        place = uniform((60, 2), 0, size, random)
        radius = torch.exp(uniform((60,), math.log(6), math.log(0.15 * size), random))
        for (row, column), reach in zip(place, radius, strict=True):
            inside = ((y - row) ** 2 + (x - column) ** 2) / reach**2
            edge = 0.45 / (1 - inside).clamp(min=0.05).sqrt()
            image[:] = torch.where(inside < 1, edge.clamp(max=1.6), image)
    return picture


def _fractal(batch: int, size: int, random: torch.Generator) -> Tensor:
    """Random fields with octaves from 3 px to a third of the picture; unit variance."""
    field = torch.zeros(batch, size, size)
    length = size / 3
    while length > 3:
        field = field + length * smooth_field(torch.full((batch,), length), size, random)
        length /= 2
    return field / field.std(dim=(1, 2), keepdim=True)


LOW_MAGNIFICATION = {
    "islands": shapes.islands,
    "facets": shapes.facets,
    "particles": particles,
    "texture": texture,
}
SURFACES = {"rough surface": rough_surface, "balls": balls}
