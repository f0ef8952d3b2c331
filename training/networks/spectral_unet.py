"""The windowed Fourier Wiener filter followed by a small U-Net.

The U-Net sees the image, the filter's estimate and the noise standard deviation. At each pixel it
gives the fraction of the removed part to restore, and a correction to add. A last layer then
returns frequencies that were weakened: with `refines` a trained one, with `keeps_lattice` the
untrained one of earlier versions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks.detail import Detail
from training.networks.lattice_residual import LatticeResidual
from training.networks.refinement import Refinement
from training.networks.spectral import Choice, Spectral
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
        refines: bool = False,
        sees_detail: bool = False,
    ) -> None:
        super().__init__()
        self.spectral = Spectral(side, hidden, symmetric)
        self.residual = LatticeResidual(self.spectral.transforms) if keeps_lattice else None
        self.unet = UNet(widths, blocks, dilations, unshuffle, inputs=3, outputs=2)
        # The last of the parameters: checkpoints from before them keep their order.
        self.refinement = Refinement(self.spectral.transforms) if refines else None
        self.detail = Detail(self.spectral.transforms, symmetric) if sees_detail else None
        step = side // 2
        # A pixel depends on the windows that contain it, in all passes, and on the U-Net's halo.
        reach = self.unet.promises["halo"] + (3 if refines else 2) * side
        self.promises = {"multiple": step, "halo": -(-reach // step) * step, "whole": WHOLE}

    def forward(self, image: Tensor, choose: Choice | None = None) -> Tensor:
        """The denoised image; `choose` may take the place of the part that sees detail."""
        with torch.autocast(image.device.type, enabled=False):
            estimate, noise, log_noise = self.spectral(image.float(), choose or self.detail)
            removed = image - estimate
        change = self.unet.change(torch.cat([image, estimate, noise], 1)).float()
        clean: Tensor = estimate + change[:, :1] * removed + change[:, 1:]
        with torch.autocast(image.device.type, enabled=False):
            if self.residual is not None:
                clean = self.residual(image.float(), clean)
            if self.refinement is not None:
                clean = self.refinement(image.float(), clean, log_noise)
        return clean
