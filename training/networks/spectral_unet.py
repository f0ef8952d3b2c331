"""The windowed Fourier Wiener filter followed by a small U-Net.

The U-Net sees the image, the filter's estimate and the noise standard deviation. At each pixel it
gives the fraction of the removed part to restore, and a correction to add. With `keeps_lattice`,
lattice frequencies that the result lacks are then returned to it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks.lattice_residual import LatticeResidual
from training.networks.spectral import Spectral
from training.networks.unet import UNet

WHOLE = 2048  # px: largest side of a frame that is processed in one piece


class SpectralUNet(nn.Module):
    def __init__(
        self,
        widths: tuple[int, ...],
        blocks: tuple[int, ...],
        dilations: tuple[int, ...],
        unshuffle: int,
        side: int,
        hidden: int = 8,
        keeps_lattice: bool = False,
        symmetric: bool = False,
    ) -> None:
        super().__init__()
        self.spectral = Spectral(side, hidden, symmetric)
        self.residual = LatticeResidual(self.spectral.transforms) if keeps_lattice else None
        self.unet = UNet(widths, blocks, dilations, unshuffle, inputs=3, outputs=2)
        step = side // 2
        # A pixel depends on the windows that contain it, in both passes, and on the U-Net's halo.
        reach = self.unet.promises["halo"] + 2 * side
        self.promises = {"multiple": step, "halo": -(-reach // step) * step, "whole": WHOLE}

    def forward(self, image: Tensor) -> Tensor:
        with torch.autocast(image.device.type, enabled=False):
            estimate, noise = self.spectral(image.float())
            removed = image - estimate
        change = self.unet.change(torch.cat([image, estimate, noise], 1)).float()
        clean: Tensor = estimate + change[:, :1] * removed + change[:, 1:]
        if self.residual is None:
            return clean
        with torch.autocast(image.device.type, enabled=False):
            better: Tensor = self.residual(image.float(), clean)
        return better
