"""A stacked auto-encoder of fully connected layers, on square windows of one size."""

from __future__ import annotations

import itertools

from torch import Tensor, nn


class AutoEncoder(nn.Module):
    """`widths` of the encoder's layers, the last being the code; the decoder mirrors them.

    The code and the output are linear; every other layer has a ReLU.
    """

    def __init__(self, window: int, step: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.promises = {"window": window, "step": step}
        sizes = (window * window, *widths)
        self.encode = _stack(sizes)
        self.decode = _stack(sizes[::-1])

    def forward(self, image: Tensor) -> Tensor:
        # An explicit size, so that the exported file states the size of its output.
        side = self.promises["window"]
        output: Tensor = self.decode(self.encode(image.flatten(1)))
        return output.reshape(-1, 1, side, side)


def _stack(sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for given, made in itertools.pairwise(sizes):
        layers += [nn.Linear(given, made), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
