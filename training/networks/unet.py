"""A residual U-Net of dense 3x3 convolutions on a pixel-unshuffled image.

No global pooling and no normalisation layers: the output at a pixel depends on a finite
neighbourhood only, so tiles agree with the whole image.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn


def start_at_zero(layer: nn.Conv2d) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class Block(nn.Module):
    """A residual block of two 3x3 convolutions."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        # Starting as the identity keeps deep stacks trainable without normalisation layers.
        start_at_zero(self.second)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(torch.relu(self.first(x)))
        return x + change


def _stage(width: int, blocks: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(blocks)))


class UNet(nn.Module):
    """`widths` from fine to coarse; `blocks` residual blocks in encoder and decoder of each level.

    The coarsest level has one block for each of `dilations`: a wide field of view at a resolution
    that still resolves neighbouring columns, as averaging over a crystal needs. `forward` adds the
    change to the image; other networks may use `change` with more inputs and outputs.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        blocks: tuple[int, ...],
        dilations: tuple[int, ...],
        unshuffle: int,
        inputs: int = 1,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.promises = {
            "multiple": unshuffle * 2 ** (len(widths) - 1),
            "halo": _halo(blocks, dilations, unshuffle),
        }
        steps = list(itertools.pairwise(widths))
        self.stem = nn.Conv2d(inputs * unshuffle**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, 2) for fine, coarse in steps)
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(coarse, 4 * fine, 1), nn.PixelShuffle(2))
            for fine, coarse in steps
        )
        fine_levels = list(zip(widths[:-1], blocks, strict=True))
        self.encode = nn.ModuleList(_stage(width, count) for width, count in fine_levels)
        self.decode = nn.ModuleList(_stage(width, count) for width, count in fine_levels)
        self.middle = nn.Sequential(*(Block(widths[-1], dilation) for dilation in dilations))
        self.head = nn.Conv2d(widths[0], outputs * unshuffle**2, 3, padding=1)
        start_at_zero(self.head)

    def forward(self, image: Tensor) -> Tensor:
        return image + self.change(image)

    def change(self, channels: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W]: the residual, zero before training."""
        x = self.stem(nn.functional.pixel_unshuffle(channels, self.unshuffle))
        skipped = []
        for encode, down in zip(self.encode, self.down, strict=True):
            x = encode(x)
            skipped.append(x)
            x = down(x)
        x = self.middle(x)
        for level in reversed(range(len(self.up))):
            x = self.decode[level](self.up[level](x) + skipped[level])
        change: Tensor = nn.functional.pixel_shuffle(self.head(x), self.unshuffle)
        return change


def _halo(blocks: tuple[int, ...], dilations: tuple[int, ...], unshuffle: int) -> int:
    """The distance from which a pixel can affect the output in a square of whole coarse cells, px.

    Counted backwards from the output: each 3x3 convolution adds its dilation in cells of its level,
    and going down a level rounds up to whole coarser cells.
    """
    scales: list[int] = [unshuffle * 2**level for level in range(len(blocks) + 1)]
    reach = unshuffle  # the head
    for count, scale in zip(blocks, scales, strict=False):
        reach = _up_to(reach, scale) + 2 * count * scale
    reach = _up_to(reach, scales[-1]) + 2 * sum(dilations) * scales[-1]
    for count, scale in zip(blocks, scales, strict=False):
        reach += 2 * count * scale
    reach += unshuffle  # the stem
    return _up_to(reach, scales[-1])


def _up_to(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
