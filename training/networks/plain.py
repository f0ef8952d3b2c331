"""Convolutions one after another, ReLU between them: what the published denoisers are."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

RANDOM_PART = 0.2  # of its random weights, what a layer begins with that hands on its channels


class PlainStack(nn.Module):
    """One convolution for each of `widths`, the filters of its layer; the last is linear.

    Squares of `unshuffle` px may be taken for channels, which gives few layers a wide view. With
    `near_identity`, layers between equally many channels begin by handing on what they are given and
    little else: a deep stack learns several times faster for it.
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
                # Keeps the scale of the signal through many layers of ReLU.
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
