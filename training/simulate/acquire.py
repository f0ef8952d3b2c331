"""Recorded frames from scenes: scan errors, noise, and series of frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.simulate.detector import record
from training.simulate.draw import Mix, draw_mix
from training.simulate.scan import EDGE, coefficients, displacements, sample


@dataclass(frozen=True)
class Conditions:
    """Frequency and strength of scan errors (see SCAN) and detector effects (see DETECTOR)."""

    scan: Mix
    detector: Mix


def acquire(
    scene: Tensor,
    peak: Tensor,
    conditions: Conditions,
    random: torch.Generator,
    either_way: bool = True,
) -> tuple[Tensor, Tensor]:
    """Noisy frames of scenes [B, rows, columns], EDGE px smaller on every side, and their truth.

    Both are in electrons, `peak` [B] where a scene is one. The truth contains the drift, which one
    frame cannot reveal. With `either_way`, half of the batches have their fast direction along y.
    """
    if either_way and _flipped(random):
        noisy, truth = _acquire(scene.mT, peak, conditions, random)
        return noisy.mT, truth.mT
    return _acquire(scene, peak, conditions, random)


def _acquire(
    scene: Tensor, peak: Tensor, conditions: Conditions, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    batch, rows, columns = scene.shape
    strengths = draw_mix(conditions.scan, batch, random)
    slow, fast = displacements(batch, rows - 2 * EDGE, columns - 2 * EDGE, random, strengths)
    spline = coefficients(scene)
    detector = draw_mix(conditions.detector, batch, random)
    noisy, ideal = record(sample(spline, slow + fast).clamp(min=0), peak, random, detector)
    dark = ideal.new_zeros(batch) if "bias" not in detector else detector["bias"] * peak
    truth = scene[:, EDGE:-EDGE, EDGE:-EDGE].clone()
    drifting = slow.flatten(1).any(dim=1).nonzero()[:, 0]
    if len(drifting):
        truth[drifting] = sample(spline[drifting], slow[drifting]).clamp(min=0)
    return noisy, truth * peak[:, None, None] + dark[:, None, None]


def acquire_series(
    scene: Tensor,
    peak: Tensor,
    conditions: Conditions,
    frames: int,
    random: torch.Generator,
    step: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """[B, frames, rows, columns] of one specimen with independent errors; the truth; the path.

    The specimen moves by a random walk of `step` px rms per frame and axis. `path` [B, frames, 2]
    is the displacement of features since the first frame, to which the truth belongs.
    """
    batch, rows, columns = scene.shape
    spline = coefficients(scene)
    kicks = torch.randn(batch, frames, 2, generator=random, device=scene.device) * step
    kicks[:, 0] = 0
    path = kicks.cumsum(dim=1)
    taken = []
    for frame in range(frames):
        strengths = draw_mix(conditions.scan, batch, random)
        slow, fast = displacements(batch, rows - 2 * EDGE, columns - 2 * EDGE, random, strengths)
        # Features moved by d: the image at r is the scene at r - d.
        seen = sample(spline, slow + fast - path[:, frame, :, None, None])
        detector = draw_mix(conditions.detector, batch, random)
        taken.append(record(seen.clamp(min=0), peak, random, detector)[0])
    truth = scene[:, EDGE:-EDGE, EDGE:-EDGE] * peak[:, None, None]
    return torch.stack(taken, 1), truth, path


def _flipped(random: torch.Generator) -> bool:
    return bool(torch.rand((), generator=random, device=random.device) < 0.5)
