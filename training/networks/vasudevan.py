"""The drift network of Vasudevan & Jesse, whose layer sizes are unpublished: this is our reading.

Four 3x3 convolutions with pooling and three fully connected layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ORIENTATIONS = 8  # orientations of a square
DRIFT_UNIT = 8.0  # what one unit of the last layer stands for: drifts come out of order one


class DriftReader(nn.Module):
    """[N, channels, S, S] -> the drift [N, 2] and its standard deviation [N, 2], in pixels.

    Pooling follows the first three convolutions. The fully connected layers see every place of what
    is left by itself, which is what a network needs that must say where a peak stands.

    Once trained it looks at its input in all eight orientations, and the answers that are surer of
    themselves weigh more.
    """

    def __init__(
        self, side: int, channels: int, widths: tuple[int, int, int, int], hidden: tuple[int, int]
    ) -> None:
        super().__init__()
        self.promises = {"surface": side}
        first, second, third, fourth = widths
        self.look = nn.Sequential(
            nn.Conv2d(channels, first, 3),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(second, third, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(third, fourth, 3, padding=1),
            nn.ReLU(),
            nn.Flatten(),
        )
        left = -(-(side - 2) // 8)
        self.tell = nn.Sequential(
            nn.Linear(fourth * left**2, hidden[0]),
            nn.ReLU(),
            nn.Linear(hidden[0], hidden[1]),
            nn.ReLU(),
            nn.Linear(hidden[1], 4),
        )

    def forward(self, given: Tensor) -> tuple[Tensor, Tensor]:
        # Depth below the highest point: near a peak, where it matters, small numbers keep all their
        # digits in bfloat16.
        depth = given.amax(dim=(2, 3), keepdim=True) - given
        scale = depth.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-6)
        if self.training:  # its batches come in all orientations
            return self._read(depth / scale)
        return self._read_all_ways(depth / scale)

    def _read(self, depth: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.look(depth)
        with torch.autocast(seen.device.type, enabled=False):
            drift, spread = self.tell(seen.float()).split(2, dim=1)
        return DRIFT_UNIT * drift, torch.exp(spread.clamp(-4, 4))

    def _read_all_ways(self, depth: Tensor) -> tuple[Tensor, Tensor]:
        answers = [self._read(oriented(depth, turn)) for turn in range(ORIENTATIONS)]
        drifts = torch.stack([original_drift(d, turn) for turn, (d, _) in enumerate(answers)])
        sigmas = torch.stack([original_drift(s, turn).abs() for turn, (_, s) in enumerate(answers)])
        certainty = 1 / sigmas
        drift = (certainty * drifts).sum(0) / certainty.sum(0)
        # The ways err together, so eight of them are no surer than one: the harmonic mean.
        return drift, ORIENTATIONS / certainty.sum(0)


def oriented(given: Tensor, turn: int) -> Tensor:
    """Frames or surfaces [..., S, S], mirrored or transposed: `turn` is 0 to 7."""
    mirrored = [axis for axis, bit in ((-2, 1), (-1, 2)) if turn & bit]
    given = given.flip(mirrored) if mirrored else given
    return given.transpose(-2, -1) if turn & 4 else given


def oriented_drift(drift: Tensor, turn: int) -> Tensor:
    """The drifts (dy, dx) of frames or surfaces that are oriented so."""
    drift = drift * _signs(drift, turn)
    return drift.flip(-1) if turn & 4 else drift


def original_drift(drift: Tensor, turn: int) -> Tensor:
    """The drifts whose `oriented_drift` these are."""
    return (drift.flip(-1) if turn & 4 else drift) * _signs(drift, turn)


def _signs(drift: Tensor, turn: int) -> Tensor:
    return drift.new_tensor([-1.0 if turn & 1 else 1.0, -1.0 if turn & 2 else 1.0])
