"""A convolutional auto-encoder with a narrow code at an eighth of the picture's size.

Our implementation of the auto-encoder of Gambini et al. (2023), for comparison.
"""

from __future__ import annotations

import itertools

from torch import Tensor, nn


class ConvAutoencoder(nn.Module):
    """Downsamples by two at each of `widths` but the first, and back; no skip connections."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 64)) -> None:
        super().__init__()
        multiple = 2 ** (len(widths) - 1)
        # One cell of each level, down and up, and the rounding to whole cells.
        self.promises = {"multiple": multiple, "halo": 6 * multiple}
        steps = list(itertools.pairwise(widths))
        down: list[nn.Module] = [nn.Conv2d(1, widths[0], 3, padding=1), nn.ReLU()]
        for fine, coarse in steps:
            down += [nn.MaxPool2d(2), nn.Conv2d(fine, coarse, 3, padding=1), nn.ReLU()]
        up: list[nn.Module] = []
        for fine, coarse in reversed(steps):
            up += [nn.Conv2d(coarse, 4 * fine, 3, padding=1), nn.ReLU(), nn.PixelShuffle(2)]
        self.code, self.picture = nn.Sequential(*down), nn.Sequential(*up)
        self.head = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        clean: Tensor = self.head(self.picture(self.code(image)))
        return clean
