"""Features of a frame whose correlation tells a drift: a few convolutions on blocks of pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from stemzoo.classical import BLUR
from stemzoo.contract import LOOKS

BLOCK = 2  # px: blocks of pixels become channels, and channels blocks again
# Sums over a whole frame are large, so features are small; weights of usual size make steps of
# usual size.
SCALE, FIRST = 0.17, 0.3


class FeatureNet(nn.Module):
    """[N, 3, H, W] looks at frames (see csrc/drift/look.hpp) to [N, features, H, W].

    The sum over an overlap of the products of two frames' features, the second half of them counted
    negatively, is the log-odds of that drift.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.promises = {"features": features, "multiple": BLOCK}
        cells = BLOCK * BLOCK
        last = nn.Conv2d(width, features * cells, 3, padding=1)
        self.body = nn.Sequential(
            nn.Conv2d(LOOKS * cells, width, 3, padding=1),
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

    def forward(self, seen: Tensor) -> Tensor:
        blocks = self.body(functional.pixel_unshuffle(seen, BLOCK))
        maps = functional.pixel_shuffle(blocks, BLOCK) * SCALE
        first = maps[:, :1] + self.even(seen[:, 2:])
        return torch.cat([first, maps[:, 1:]], 1)


def log_odds(reference: Tensor, moving: Tensor, reach: int) -> Tensor:
    """[B, 2 reach + 1, 2 reach + 1] of features [B, C, H, W], zero shift in the middle."""
    shape = [side + reach for side in reference.shape[-2:]]
    product = torch.fft.rfft2(reference, s=shape).conj() * torch.fft.rfft2(moving, s=shape)
    half = product.shape[1] // 2
    total = product[:, :half].sum(1) - product[:, half:].sum(1)
    surface: Tensor = torch.fft.irfft2(total, s=shape)
    side = 2 * reach + 1
    return surface.roll((reach, reach), (1, 2))[:, :side, :side]
