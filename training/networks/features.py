"""Features of a frame whose correlation gives the drift: a few convolutions on blocks of pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from stemzoo.model_file.contract import LOOK
from stemzoo.model_file.interface import LOOKS

BLOCK = 2  # px: the body makes all features of a BLOCK x BLOCK block at once
# Sums over a whole frame are large, so features must be small; a fixed scale keeps the weights, and
# with them the optimiser's steps, of usual size.
FEATURE_SCALE, LAST_LAYER_SCALE = 0.17, 0.3
INITIAL_BLUR = (0.0625, 0.25, 0.375, 0.25, 0.0625)  # of what is even, along each axis, at first
FFT_MULTIPLE = 16


class FeatureNet(nn.Module):
    """[N, 3, H, W] looks of frames (see csrc/drift/look.hpp) to [N, features, H, W].

    The log-odds of a drift are the sum, over the overlap of two frames, of the products of their
    features, with the second half of the features subtracted.

    All layers are convolutions, the fastest operators of most runtimes. The first ones go from
    pixels to blocks; a transposed convolution with weights of zero and one goes back.
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
        # A linear path for the third channel, the weighted signal on columns.
        self.even = nn.Conv2d(1, 1, 5, padding=2, bias=False)
        blur = torch.tensor(INITIAL_BLUR)
        with torch.no_grad():
            last.weight.mul_(LAST_LAYER_SCALE)
            self.even.weight.copy_(torch.outer(blur, blur))
        back = torch.eye(cells).reshape(cells, 1, BLOCK, BLOCK).repeat(features, 1, 1, 1)
        self.register_buffer("back", back, persistent=False)
        first = back * (torch.arange(len(back)) < cells)[:, None, None, None]
        self.register_buffer("first", first, persistent=False)

    def forward(self, seen: Tensor) -> Tensor:
        # The filter of the linear path, for each pixel of a block.
        even = functional.conv_transpose2d(self.first, self.even.weight)
        blocks = FEATURE_SCALE * self.body(seen) + functional.conv2d(
            seen[:, 2:], even, stride=BLOCK, padding=BLOCK
        )
        features = self.promises["features"]
        return functional.conv_transpose2d(blocks, self.back, stride=BLOCK, groups=features)


def log_odds(reference: Tensor, moving: Tensor, max_lag: int) -> Tensor:
    """[B, 2 max_lag + 1, 2 max_lag + 1] of features [B, C, H, W], zero lag in the middle."""
    # Zero-padded for the longest lag, to sizes with fast FFTs.
    shape = [-(-(side + max_lag) // FFT_MULTIPLE) * FFT_MULTIPLE for side in reference.shape[-2:]]
    product = torch.fft.rfft2(reference, s=shape).conj() * torch.fft.rfft2(moving, s=shape)
    half = product.shape[1] // 2
    total = product[:, :half].sum(1) - product[:, half:].sum(1)
    surface: Tensor = torch.fft.irfft2(total, s=shape)
    side = 2 * max_lag + 1
    return surface.roll((max_lag, max_lag), (1, 2))[:, :side, :side]
