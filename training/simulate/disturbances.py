"""From ideal scenes to a pair of recorded frames, and what may be wrong with one.

Strengths of what is recorded are in units of the dose, those of the scan in px.
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
    """What is wrong with a pair; nothing by default."""

    jitter: float = 0.0  # px rms of whole rows along y and x, fresh in every row of both frames
    scale: float = 0.0  # the moving frame is larger or smaller by this, about its middle
    stretch: float = 0.0  # of the frame's side: how far the specimen drifts in the moving frame
    hot: float = 0.0  # one pixel of each frame, in half of the pairs the same one
    stripes: float = 0.0  # rms of columns and of rows, the same in both frames
    constant: int = 0  # rows of each frame that show one value
    ratio: float = 1.0  # of the doses: the moving frame has that many times less
    gain: float = 1.0  # of the moving frame, or one over it
    offset: float = 0.0  # of the moving frame
    blank: int = 0  # px: borders of NaN, up to so wide on each side of each frame

    @property
    def ratios(self) -> tuple[float, float]:
        """The doses of the two frames, of the pair's."""
        return 1.0, 1.0 / self.ratio


def record(
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
    """The frame inside a scene, read where the beam really was."""
    batch, side = len(scene), scene.shape[-1] - 2 * EDGE
    if jitter:
        move = move + jitter * normal((batch, 2, side, 1), random)
    if not move.any():
        return scene[:, EDGE:-EDGE, EDGE:-EDGE]
    return sample(coefficients(scene), move.expand(batch, 2, side, side))


def _distortion(scenes: ScenePairs, disturbance: Disturbance, random: torch.Generator) -> Tensor:
    """[B, 2, size, size]: how far off the beam reads the moving frame, nothing in its middle."""
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
    """With hot pixels, stripes and rows of one value."""
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
    """NaN in borders of any width up to the trouble's."""
    if not disturbance.blank:
        return frame
    widths = torch.randint(0, disturbance.blank + 1, (4, len(frame), 1), generator=random)
    place = torch.arange(frame.shape[-1])[None]
    seen_y, seen_x = (
        (place >= before) & (place < frame.shape[-1] - after)
        for before, after in (widths[:2], widths[2:])
    )
    return torch.where(seen_y[:, :, None] & seen_x[:, None, :], frame, torch.nan)
