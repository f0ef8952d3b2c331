"""The drift network of Vasudevan & Jesse, whose layer sizes are unpublished: this is our reading.

Four 3x3 convolutions with pooling and three fully connected layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PIXELS = 8.0  # what one unit of the last layer stands for: drifts come out of order one


class DriftReader(nn.Module):
    """[N, channels, S, S] -> the drift [N, 2] and its standard deviation [N, 2], in pixels.

    Pooling follows the first three convolutions. The fully connected layers see every place of what
    is left by itself, which is what a network needs that must say where a peak stands.
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
        seen = self.look(depth / scale)
        with torch.autocast(seen.device.type, enabled=False):
            drift, spread = self.tell(seen.float()).split(2, dim=1)
        return PIXELS * drift, torch.exp(spread.clamp(-4, 4))
