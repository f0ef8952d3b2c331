"""A plain stack of convolutions with ReLU, like the published denoisers."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

RANDOM_PART = 0.2  # scale of the random weights added to the identity at initialisation


class PlainStack(nn.Module):
    """One convolution for each of `widths`, its number of filters; the last is linear.

    `unshuffle` moves blocks of pixels to channels, which widens the field of view. With
    `near_identity`, layers with as many input as output channels are initialised near the identity:
    a deep stack then learns several times faster.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        kernel: int,
        unshuffle: int = 1,
        near_identity: bool = False,
    ) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.promises = {
            "multiple": unshuffle,
            "halo": len(widths) * (kernel // 2) * unshuffle,
        }
        channels = (unshuffle**2, *widths[:-1], widths[-1] * unshuffle**2)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(channels):
            layers += [nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                # Preserves the scale of the signal through many layers of ReLU.
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
                if near_identity and layer.in_channels == layer.out_channels:
                    _near_identity(layer)

    def forward(self, image: Tensor) -> Tensor:
        if self.unshuffle == 1:
            clean: Tensor = self.layers(image)
            return clean
        squares = nn.functional.pixel_unshuffle(image, self.unshuffle)
        return nn.functional.pixel_shuffle(self.layers(squares), self.unshuffle)


@torch.no_grad()
def _near_identity(layer: nn.Conv2d) -> None:
    drawn = RANDOM_PART * layer.weight
    nn.init.dirac_(layer.weight)
    layer.weight.add_(drawn)
