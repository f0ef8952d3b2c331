"""The drift network of Vasudevan & Jesse: four 3x3 convolutions with pooling and three fully
connected layers. The layer sizes are not published and are our choice."""

from __future__ import annotations

import torch
from torch import Tensor, nn

ORIENTATIONS = 8  # orientations of a square
DRIFT_UNIT = 8.0  # px per unit of the last layer, so that its outputs are of order one


class DriftReader(nn.Module):
    """[N, channels, S, S] -> the drift [N, 2] and its standard deviation [N, 2], in pixels.

    Max pooling follows the first three convolutions. The fully connected layers keep positions
    apart, as needed to locate a peak. In evaluation, the outputs for all eight orientations of the
    input are averaged with weights 1 / sigma.
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
        # Depth below the maximum: small near a peak, where bfloat16 must resolve it.
        depth = given.amax(dim=(2, 3), keepdim=True) - given
        scale = depth.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-6)
        if self.training:  # batches have random orientations
            return self._read(depth / scale)
        return self._read_all_orientations(depth / scale)

    def _read(self, depth: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.look(depth)
        with torch.autocast(seen.device.type, enabled=False):
            drift, spread = self.tell(seen.float()).split(2, dim=1)
        return DRIFT_UNIT * drift, torch.exp(spread.clamp(-4, 4))

    def _read_all_orientations(self, depth: Tensor) -> tuple[Tensor, Tensor]:
        answers = [self._read(oriented(depth, orientation)) for orientation in range(ORIENTATIONS)]
        drifts = torch.stack(
            [original_drift(d, orientation) for orientation, (d, _) in enumerate(answers)]
        )
        sigmas = torch.stack(
            [original_drift(s, orientation).abs() for orientation, (_, s) in enumerate(answers)]
        )
        certainty = 1 / sigmas
        drift = (certainty * drifts).sum(0) / certainty.sum(0)
        # The errors are correlated, so sigma does not shrink by averaging: the harmonic mean.
        return drift, ORIENTATIONS / certainty.sum(0)


def oriented(given: Tensor, orientation: int) -> Tensor:
    """Frames or surfaces [..., S, S], mirrored or transposed: `orientation` is 0 to 7."""
    mirrored = [axis for axis, bit in ((-2, 1), (-1, 2)) if orientation & bit]
    given = given.flip(mirrored) if mirrored else given
    return given.transpose(-2, -1) if orientation & 4 else given


def oriented_drift(drift: Tensor, orientation: int) -> Tensor:
    """The drifts (dy, dx) of frames or surfaces in this orientation."""
    drift = drift * _signs(drift, orientation)
    return drift.flip(-1) if orientation & 4 else drift


def original_drift(drift: Tensor, orientation: int) -> Tensor:
    """The inverse of `oriented_drift`."""
    return (drift.flip(-1) if orientation & 4 else drift) * _signs(drift, orientation)


def _signs(drift: Tensor, orientation: int) -> Tensor:
    return drift.new_tensor([-1.0 if orientation & 1 else 1.0, -1.0 if orientation & 2 else 1.0])
