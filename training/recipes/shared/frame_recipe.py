"""What the recipes of the flagship share: one network shape, one simulator, one way to batches.

On a GPU scenes are rendered there, batches are large and a quarter of them hold large frames, where
periodicity pays; on a CPU scenes come from the disk and batches are small.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.networks.spectral_unet import SpectralUNet
from training.recipe import Recipe
from training.recipes.shared.batches import as_run, generator, windows
from training.recipes.shared.losses import log_error
from training.simulate.cache import scenes
from training.simulate.draw import chance
from training.simulate.frames import EDGES, frames
from training.simulate.scan import SCAN

LARGE_EVERY = 4  # steps: one of them has large frames, as many pixels as the others


@dataclass(frozen=True)
class Sizes:
    """How many scenes there are, how large, and what a batch takes of them."""

    scenes: int
    scene: int
    side: int
    count: int
    large: int

    def of(self, step: int) -> tuple[int, int]:
        """Side and number of the frames of a step."""
        if step % LARGE_EVERY == LARGE_EVERY - 1:
            return self.large, max(1, self.count * self.side**2 // self.large**2)
        return self.side, self.count


GPU = Sizes(2400, 640, 256, 48, 512)
CPU = Sizes(900, 576, 192, 6, 384)


@dataclass
class FrameRecipe(Recipe):
    """`jittered` is the share of frames with scan errors; `straight` asks for them to be undone."""

    widths: tuple[int, ...] = (32, 64, 112)
    blocks: tuple[int, ...] = (2, 2)
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    unshuffle: int = 2
    window: int = 128  # of the Wiener filter, px
    hidden: int = 8  # units of its gains; 0: weighted sums, which is faster
    jittered: float = 0.25
    straight: bool = False
    row_jitter: float = 1.2  # px rms along rows, at most
    scenes: int = 0  # 0, here and below: what suits the device
    crop: int = 0  # px, the smaller side of frames
    batch_size: int = 0  # of these

    def network(self) -> nn.Module:
        return SpectralUNet(
            self.widths, self.blocks, self.dilations, self.unshuffle, self.window, self.hidden
        )

    def prepare(self, device: torch.device, smoke: bool) -> None:
        usual = CPU if device.type == "cpu" else GPU
        side = self.crop or usual.side
        large = 2 * side if self.crop else usual.large
        self.sizes = Sizes(
            self.scenes or usual.scenes,
            max(usual.scene if not self.crop else 0, large + 2 * EDGES),
            side,
            self.batch_size or usual.count,
            large,
        )
        self.cache = scenes(self.sizes.scenes, self.sizes.scene, self.seed, device, smoke=smoke)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, step, self.cache.device)
        side, count = self.sizes.of(step)
        scene = windows(self.cache, side + 2 * EDGES, count, random)
        scan = {**SCAN, "row_jitter_x": (0.05, self.row_jitter, 0.6)}
        noisy, truth = frames(scene, random, self.jittered, scan, straight=self.straight)
        if not self.straight:  # rows or columns may be the fast direction
            turned = chance((count, 1, 1), 0.5, random)
            noisy, truth = (torch.where(turned, image.mT, image) for image in (noisy, truth))
        return as_run(noisy, truth, random)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return log_error(output, target)
