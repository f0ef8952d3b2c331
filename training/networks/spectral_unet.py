"""A small U-Net behind the windowed Fourier Wiener filter: it decides what physics leaves open.

The U-Net sees the image, the filter's estimate and the noise deviation. It says how much of what
the filter took away comes back at a pixel, and what is to be added besides.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks.spectral import Spectral
from training.networks.unet import UNet

WHOLE = 2048  # px: up to so large a side, a frame is given to the network in one piece


class SpectralUNet(nn.Module):
    def __init__(
        self,
        widths: tuple[int, ...],
        blocks: tuple[int, ...],
        dilations: tuple[int, ...],
        unshuffle: int,
        side: int,
        hidden: int = 8,
    ) -> None:
        super().__init__()
        self.spectral = Spectral(side, hidden)
        self.unet = UNet(widths, blocks, dilations, unshuffle, inputs=3, outputs=2)
        step = side // 2
        # A pixel depends on the windows that hold it, twice over, besides what the U-Net reaches.
        reach = self.unet.promises["halo"] + 2 * side
        self.promises = {"multiple": step, "halo": -(-reach // step) * step, "whole": WHOLE}

    def forward(self, image: Tensor) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):
            estimate, noise = self.spectral(image.float())
            taken = image - estimate
        change = self.unet.change(torch.cat([image, estimate, noise], 1)).float()
        cleaned: Tensor = estimate + change[:, :1] * taken + change[:, 1:]
        return cleaned
