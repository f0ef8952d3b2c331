"""Features of a frame whose correlation tells a drift: a few convolutions on blocks of pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from stemzoo.model_file.contract import LOOK
from stemzoo.model_file.interface import LOOKS

BLOCK = 2  # px along either side: the body makes all features of a block at one of its places
# Sums over a whole frame are large, so features are small; weights of usual size make steps of
# usual size.
SCALE, FIRST = 0.17, 0.3
BLUR = (0.0625, 0.25, 0.375, 0.25, 0.0625)  # of what is even, along each axis, at first
FAST = 16


class FeatureNet(nn.Module):
    """[N, 3, H, W] looks at frames (see csrc/drift/look.hpp) to [N, features, H, W].

    The sum over an overlap of the products of two frames' features, the second half of them counted
    negatively, is the log-odds of that drift.

    Everything here is a convolution, which is what runtimes do fastest. Going to blocks of pixels
    is part of the first ones, and going back a transposed one with weights of zero and one.
    """

    back: Tensor
    first: Tensor

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.promises = {"features": features, "look": LOOK, "multiple": BLOCK}
        cells = BLOCK * BLOCK
        last = nn.Conv2d(width, features * cells, 3, padding=1)
        self.body = nn.Sequential(
            nn.Conv2d(LOOKS, width, 3 * BLOCK, BLOCK, BLOCK),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            last,
        )
        # What is even and weak counts as far as it is worth.
        self.even = nn.Conv2d(1, 1, 5, padding=2, bias=False)
        blur = torch.tensor(BLUR)
        with torch.no_grad():
            last.weight.mul_(FIRST)
            self.even.weight.copy_(torch.outer(blur, blur))
        back = torch.eye(cells).reshape(cells, 1, BLOCK, BLOCK).repeat(features, 1, 1, 1)
        self.register_buffer("back", back, persistent=False)
        first = back * (torch.arange(len(back)) < cells)[:, None, None, None]
        self.register_buffer("first", first, persistent=False)

    def forward(self, seen: Tensor) -> Tensor:
        # The even part of the first feature, for each pixel of a block.
        even = functional.conv_transpose2d(self.first, self.even.weight)
        blocks = SCALE * self.body(seen) + functional.conv2d(
            seen[:, 2:], even, stride=BLOCK, padding=BLOCK
        )
        features = self.promises["features"]
        return functional.conv_transpose2d(blocks, self.back, stride=BLOCK, groups=features)


def log_odds(reference: Tensor, moving: Tensor, reach: int) -> Tensor:
    """[B, 2 reach + 1, 2 reach + 1] of features [B, C, H, W], zero shift in the middle."""
    # Sides that transform fast, with room for the longest lag.
    shape = [-(-(side + reach) // FAST) * FAST for side in reference.shape[-2:]]
    product = torch.fft.rfft2(reference, s=shape).conj() * torch.fft.rfft2(moving, s=shape)
    half = product.shape[1] // 2
    total = product[:, :half].sum(1) - product[:, half:].sum(1)
    surface: Tensor = torch.fft.irfft2(total, s=shape)
    side = 2 * reach + 1
    return surface.roll((reach, reach), (1, 2))[:, :side, :side]
