"""Frames as acquisition software saves them, with white or correlated noise, and their truth.

Fixed fractions of every batch are as counted, filtered (afterglow, smoothing) and resampled
(zoomed, rotated). The truth passes through the same filters and resampling without the noise.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate import resave
from training.simulate.detector import DETECTOR, counted, read_out
from training.simulate.draw import Mix, chance, draw_mix, log_uniform
from training.simulate.optics import Regrid, filtered, filters
from training.simulate.scan import EDGE, coefficients, displacements, sample

FILTERED, RESAMPLED = 0.3, 0.2  # fractions of a batch
IDEAL_ELECTRONICS = 0.55  # fraction of frames without effects of the electronics
FRAME_EDGE = 2 * EDGE  # px around a frame for scan errors and filters

# Strengths of the detector, except the afterglow, which is one of the filters here.
ELECTRONICS: Mix = {
    **DETECTOR,
    "readout": (0.05, 0.6, 0.5),
    "hot": (1e-5, 1e-3, 0.2),
    "afterglow": (0.0, 0.0, 0.0),
    "bits": (8.0, 8.0, 0.0),
}
POST_EFFECTS = (
    (resave.hum, 0.03),
    (resave.lost_lines, 0.04),
    (resave.eight_bits, 0.1),
    (resave.jpeg, 0.05),
)


def doses(batch: int, random: torch.Generator, bright: float = 0.0) -> Tensor:
    """Electrons per pixel where a scene is one: mostly 1 to 1000, else 0.5 to 100,000; of a
    fraction `bright`, 1000 to ten million."""
    usual, any_dose = (
        log_uniform((batch,), 1, 1000, random),
        log_uniform((batch,), 0.5, 1e5, random),
    )
    peak = torch.where(chance((batch,), 0.75, random), usual, any_dose)
    if bright:
        peak = torch.where(
            chance((batch,), bright, random), log_uniform((batch,), 1e3, 1e7, random), peak
        )
    return peak


def frames(
    scene: Tensor,
    random: torch.Generator,
    jittered: float,
    scan: Mix,
    *,
    straight: bool,
    bright: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Noisy and true frames of scenes [B, side, side], FRAME_EDGE px smaller on every side.

    A fraction `jittered` has errors of the `scan`; the truth has them too unless `straight`. A
    fraction `bright` has a high dose.
    """
    batch = len(scene)
    peak = doses(batch, random, bright)
    electronic = chance((batch,), 1 - IDEAL_ELECTRONICS, random)
    strengths = {name: s * electronic for name, s in draw_mix(ELECTRONICS, batch, random).items()}
    seen, true = _scanned(scene, random, jittered, scan, straight)
    noisy, _ = counted(seen, peak, random, strengths)
    truth = (true + strengths["bias"][:, None, None]) * peak[:, None, None]
    noisy, truth = _filtered_or_resampled(noisy, truth, random)
    noisy = read_out(noisy, peak, random, strengths)
    for effect, share in POST_EFFECTS:
        count = _count(share, batch, random)
        if count:
            some = torch.randperm(batch, generator=random, device=random.device)[:count]
            noisy = noisy.index_copy(0, some, effect(noisy[some], random))
    return noisy, truth


def _scanned(
    scene: Tensor, random: torch.Generator, jittered: float, scan: Mix, straight: bool
) -> tuple[Tensor, Tensor]:
    """The scanned scene, EDGE px smaller on every side, and its truth."""
    seen = scene[:, EDGE:-EDGE, EDGE:-EDGE]
    some = torch.arange(0, len(scene), device=scene.device)[:: round(1 / jittered)]
    rows, columns = seen.shape[-2:]
    strengths = draw_mix(scan, len(some), random)
    slow, fast = displacements(len(some), rows, columns, random, strengths)
    spline = coefficients(scene[some])
    moved = sample(spline, slow + fast).clamp(min=0)
    true = sample(spline, slow).clamp(min=0) if straight else moved
    return seen.index_copy(0, some, moved), seen.index_copy(0, some, true)


def _filtered_or_resampled(
    noisy: Tensor, truth: Tensor, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Both EDGE px smaller on every side, with fractions of the batch filtered or resampled."""
    batch, rows, columns = noisy.shape
    few, more = round(RESAMPLED * batch), round((RESAMPLED + FILTERED) * batch)
    both = torch.stack([noisy, truth])
    inner = both[:, :, EDGE:-EDGE, EDGE:-EDGE]
    parts = [inner[:, more:]]
    if more > few:
        transfer = filters(more - few, rows, columns, random)
        coloured = filtered(both[:, few:more], transfer)
        parts.append(coloured[:, :, EDGE:-EDGE, EDGE:-EDGE])
    if few:
        regrid = Regrid(few, inner.shape[-1], random)
        parts.append(torch.stack([regrid(frame) for frame in inner[:, :few]]))
    noisy, truth = torch.cat(parts, 1)
    return noisy, truth


def _count(share: float, batch: int, random: torch.Generator) -> int:
    """This fraction of the batch, randomly rounded without synchronising with the device."""
    whole, rest = divmod(share * batch, 1)
    lucky = (random.initial_seed() * 0.6180339887498949) % 1 < rest
    return int(whole) + lucky
