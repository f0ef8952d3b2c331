"""Pairs of recorded frames from ideal scenes, with disturbances.

Strengths of the recorded values are in units of the dose, those of the scan in px.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.simulate.draw import chance, normal, uniform
from training.simulate.hexagons import Pairs
from training.simulate.lattice_pairs import ScenePairs
from training.simulate.scan import EDGE, coefficients, displacements, sample


@dataclass(frozen=True)
class Disturbance:
    """Disturbances of a pair; none by default."""

    jitter: float = 0.0  # px rms of whole rows along y and x, independent in both frames
    scale: float = 0.0  # relative change of the moving frame's scale, either way
    stretch: float = 0.0  # drift during the scan of the moving frame, of the frame's side
    hot: float = 0.0  # a hot pixel in each frame, in half of the pairs the same one
    stripes: float = 0.0  # rms of column and row stripes, the same in both frames
    constant: int = 0  # number of rows of each frame that have one value
    ratio: float = 1.0  # dose of the reference over that of the moving frame
    gain: float = 1.0  # of the moving frame, or its inverse
    offset: float = 0.0  # of the moving frame
    blank: int = 0  # px: largest width of NaN borders on each side of each frame

    @property
    def ratios(self) -> tuple[float, float]:
        """The doses of both frames relative to that of the pair."""
        return 1.0, 1.0 / self.ratio


def record_pair(
    scenes: ScenePairs, dose: float, random: torch.Generator, disturbance: Disturbance
) -> Pairs:
    """Poisson counts at `dose` electrons where a scene is one, with `disturbance`."""
    moves = (torch.zeros(()), _distortion(scenes, disturbance, random))
    frames = []
    for scene, move, share in zip(
        (scenes.reference, scenes.moving), moves, disturbance.ratios, strict=True
    ):
        seen = _scanned(scene, move, disturbance.jitter, random)
        frames.append(torch.poisson(share * dose * seen.clamp(min=0), generator=random))
    still, moved = frames
    if disturbance.gain != 1:
        up = chance((len(moved), 1, 1), 0.5, random)
        moved = moved * torch.where(up, disturbance.gain, 1 / disturbance.gain)
    moved = moved + disturbance.offset * dose
    still, moved = _struck(still, moved, dose, disturbance, random)
    return Pairs(
        _bordered(still, disturbance, random), _bordered(moved, disturbance, random), scenes.drift
    )


def _scanned(scene: Tensor, move: Tensor, jitter: float, random: torch.Generator) -> Tensor:
    """The frame inside a scene, sampled at the true positions of the beam."""
    batch, side = len(scene), scene.shape[-1] - 2 * EDGE
    if jitter:
        move = move + jitter * normal((batch, 2, side, 1), random)
    if not move.any():
        return scene[:, EDGE:-EDGE, EDGE:-EDGE]
    return sample(coefficients(scene), move.expand(batch, 2, side, side))


def _distortion(scenes: ScenePairs, disturbance: Disturbance, random: torch.Generator) -> Tensor:
    """[B, 2, size, size]: displacement of the beam in the moving frame, zero in the middle."""
    batch, size = len(scenes.drift), scenes.size
    length = torch.full((batch,), disturbance.stretch * size)
    move, _ = displacements(batch, size, size, random, {"drift": length})
    off = torch.arange(size) - (size - 1) / 2
    zoom = torch.stack([off[:, None].expand(size, size), off.expand(size, size)])
    sign = torch.where(chance((batch, 1, 1, 1), 0.5, random), 1.0, -1.0)
    return move + disturbance.scale * sign * zoom


def _struck(
    still: Tensor, moved: Tensor, dose: float, disturbance: Disturbance, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Add hot pixels, stripes and rows of one value."""
    batch, rows, columns = still.shape
    pattern = normal((batch, rows, 1), random) + normal((batch, 1, columns), random)
    spots = torch.randint(0, rows * columns, (2, batch, 1), generator=random)
    spots[1] = torch.where(chance((batch, 1), 0.5, random), spots[0], spots[1])
    frames = []
    for frame, spot in zip((still, moved), spots, strict=True):
        frame = frame + disturbance.stripes * dose * pattern
        if disturbance.constant:
            struck = torch.rand(batch, rows, generator=random).topk(disturbance.constant).indices
            value = dose * uniform((batch, disturbance.constant, 1), 0, 1, random)
            index = struck[..., None].expand(-1, -1, columns)
            frame = frame.scatter(1, index, value.expand_as(index))
        if disturbance.hot:
            frame = frame.flatten(1).scatter(1, spot, disturbance.hot * dose).view_as(still)
        frames.append(frame)
    return frames[0], frames[1]


def _bordered(frame: Tensor, disturbance: Disturbance, random: torch.Generator) -> Tensor:
    """NaN in borders of random width up to the trouble's."""
    if not disturbance.blank:
        return frame
    widths = torch.randint(0, disturbance.blank + 1, (4, len(frame), 1), generator=random)
    place = torch.arange(frame.shape[-1])[None]
    seen_y, seen_x = (
        (place >= before) & (place < frame.shape[-1] - after)
        for before, after in (widths[:2], widths[2:])
    )
    return torch.where(seen_y[:, :, None] & seen_x[:, None, :], frame, torch.nan)
