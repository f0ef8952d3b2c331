"""Frames as programs hand them over: white noise, noise with a colour, scan errors, and the truth.

Every batch holds fixed shares of frames as counted, filtered (afterglow, smoothing) and resampled
(zoomed, turned); the truth goes through the same optics without the noise.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate import resave
from training.simulate.detector import DETECTOR, counted, read_out
from training.simulate.draw import Mix, chance, draw_mix, log_uniform
from training.simulate.optics import Regrid, filtered, filters
from training.simulate.scan import EDGE, coefficients, displacements, sample

FILTERED, RESAMPLED = 0.3, 0.2  # shares of a batch
IDEAL_ELECTRONICS = 0.55  # share of the frames whose electronics do nothing
FRAME_EDGE = 2 * EDGE  # px around a frame that scan errors and filters may reach into

# Afterglow is a matter of optics here; strengths are otherwise those of the detector.
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


def doses(batch: int, random: torch.Generator) -> Tensor:
    """Electrons a pixel at a scene of one: mostly 1 to 1000, else 0.5 to 100,000."""
    usual, any_dose = (
        log_uniform((batch,), 1, 1000, random),
        log_uniform((batch,), 0.5, 1e5, random),
    )
    return torch.where(chance((batch,), 0.75, random), usual, any_dose)


def frames(
    scene: Tensor, random: torch.Generator, jittered: float, scan: Mix, *, straight: bool
) -> tuple[Tensor, Tensor]:
    """Noisy and true frames of scenes [B, side, side], FRAME_EDGE px smaller on every side.

    A share `jittered` has errors of the `scan`, which the truth has too unless `straight`.
    """
    batch = len(scene)
    peak = doses(batch, random)
    electronic = chance((batch,), 1 - IDEAL_ELECTRONICS, random)
    strengths = {name: s * electronic for name, s in draw_mix(ELECTRONICS, batch, random).items()}
    seen, true = _scanned(scene, random, jittered, scan, straight)
    noisy, _ = counted(seen, peak, random, strengths)
    truth = (true + strengths["bias"][:, None, None]) * peak[:, None, None]
    noisy, truth = _through_optics(noisy, truth, random)
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
    """What the beam meets, EDGE px smaller on every side, and what the truth is to be."""
    seen = scene[:, EDGE:-EDGE, EDGE:-EDGE]
    some = torch.arange(0, len(scene), device=scene.device)[:: round(1 / jittered)]
    rows, columns = seen.shape[-2:]
    strengths = draw_mix(scan, len(some), random)
    slow, fast = displacements(len(some), rows, columns, random, strengths)
    spline = coefficients(scene[some])
    moved = sample(spline, slow + fast).clamp(min=0)
    true = sample(spline, slow).clamp(min=0) if straight else moved
    return seen.index_copy(0, some, moved), seen.index_copy(0, some, true)


def _through_optics(noisy: Tensor, truth: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Both EDGE px smaller on every side, shares of the batch filtered or resampled."""
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
    """About this share of the batch: rounded at random, but not by asking the device."""
    whole, rest = divmod(share * batch, 1)
    lucky = (random.initial_seed() * 0.6180339887498949) % 1 < rest
    return int(whole) + lucky
