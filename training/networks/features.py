"""Features of a frame whose correlation tells a drift: a few convolutions on blocks of pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCK = 2  # px: blocks of pixels become channels, and channels blocks again
# Sums over a whole frame are large, so features are small; weights of usual size make steps of
# usual size.
SCALE, FIRST = 0.17, 0.3


class FeatureNet(nn.Module):
    """[N, 2, H, W] looks at frames (see stemzoo.look) to [N, features, H, W].

    The sum over an overlap of the products of two frames' features, the second half of them counted
    negatively, is the log-odds of that drift.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.promises = {"features": features, "multiple": BLOCK}
        cells = BLOCK * BLOCK
        self.body = nn.Sequential(
            nn.Conv2d(2 * cells, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, features * cells, 3, padding=1),
        )
        with torch.no_grad():
            self.body[-1].weight.mul_(FIRST)

    def forward(self, seen: Tensor) -> Tensor:
        blocks = self.body(functional.pixel_unshuffle(seen, BLOCK))
        return functional.pixel_shuffle(blocks, BLOCK) * SCALE


def log_odds(reference: Tensor, moving: Tensor, reach: int) -> Tensor:
    """[B, 2 reach + 1, 2 reach + 1] of features [B, C, H, W], zero shift in the middle."""
    shape = [side + reach for side in reference.shape[-2:]]
    product = torch.fft.rfft2(reference, s=shape).conj() * torch.fft.rfft2(moving, s=shape)
    half = product.shape[1] // 2
    total = product[:, :half].sum(1) - product[:, half:].sum(1)
    surface: Tensor = torch.fft.irfft2(total, s=shape)
    side = 2 * reach + 1
    return surface.roll((reach, reach), (1, 2))[:, :side, :side]
