"""The recipe of denoise-atomic, denoise-live and restore-scan, which differ in settings only.

On a GPU, scenes are rendered there and batches are large. Every fourth batch holds large frames,
on which averaging over a crystal pays most. On a CPU, scenes come from a cache on disk and batches
are small.
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
from training.simulate.frames import FRAME_EDGE, frames
from training.simulate.scan import SCAN

LARGE_EVERY = 4  # steps: one of them has large frames, with as many pixels as the others

DENOISER_LIMITS = """\
It leaves scan distortions as they are: row jitter and drift need a restoring
model. Below about one electron per pixel it smooths faint columns away. A few
wrong columns in a perfect crystal at low dose may be pulled towards their
neighbours."""
DOSE_AND_SPACING = {
    "dose": "0.5 to 100,000 electrons per pixel at the brightest column",
    "spacing": "columns 4 to 240 px apart",
}
DENOISER_RANGES = {
    **DOSE_AND_SPACING,
    "noise": "white, or with afterglow, smoothed, zoomed, turned or re-saved",
}


@dataclass(frozen=True)
class BatchSizes:
    """Number and side of the cached scenes, and of the frames of a batch."""

    scenes: int
    scene_side: int
    side: int
    count: int
    large_side: int

    def at(self, step: int) -> tuple[int, int]:
        """Side and number of the frames of a step."""
        if step % LARGE_EVERY == LARGE_EVERY - 1:
            return self.large_side, max(1, self.count * self.side**2 // self.large_side**2)
        return self.side, self.count


ON_GPU = BatchSizes(2400, 640, 256, 48, 512)
ON_CPU = BatchSizes(900, 640, 256, 4, 512)


@dataclass
class FrameRecipe(Recipe):
    """A spectral U-Net on simulated frames."""

    widths: tuple[int, ...] = (32, 64, 112)
    blocks: tuple[int, ...] = (2, 2)
    dilations: tuple[int, ...] = (1, 2, 4, 1)
    unshuffle: int = 2
    window: int = 128  # of the Wiener filter, px
    hidden: int = 8  # hidden units of its gains; 0: weighted sums, which is faster
    keeps_lattice: bool = False  # whether an untrained layer returns weakened frequencies
    symmetric: bool = False  # whether noise is estimated in four orientations of its spectrum
    refines: bool = False  # whether a trained layer returns them
    sees_detail: bool = False  # whether a trained part tells detail from noise at high dose
    bright: float = 0.0  # fraction of frames at 1000 to ten million electrons
    jittered: float = 0.25  # fraction of frames with scan errors
    straight: bool = False  # whether the target has no scan errors
    row_jitter: float = 1.2  # px rms along rows, at most
    scenes: int = 0  # 0, here and below: the default of the device
    crop: int = 0  # px, side of the smaller frames
    batch_size: int = 0  # of the smaller frames

    def network(self) -> nn.Module:
        return SpectralUNet(
            self.widths,
            self.blocks,
            self.dilations,
            self.unshuffle,
            self.window,
            self.hidden,
            self.keeps_lattice,
            self.symmetric,
            self.refines,
            self.sees_detail,
        )

    def prepare(self, device: torch.device, smoke: bool) -> None:
        default = ON_CPU if device.type == "cpu" else ON_GPU
        side = self.crop or default.side
        large = 2 * side if self.crop else default.large_side
        self.sizes = BatchSizes(
            self.scenes or default.scenes,
            max(0 if self.crop else default.scene_side, large + 2 * FRAME_EDGE),
            side,
            self.batch_size or default.count,
            large,
        )
        self.cache = scenes(
            self.sizes.scenes, self.sizes.scene_side, self.seed, device, smoke=smoke
        )

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, step, self.cache.device)
        side, count = self.sizes.at(step)
        scene = windows(self.cache, side + 2 * FRAME_EDGE, count, random)
        scan = {**SCAN, "row_jitter_x": (0.05, self.row_jitter, 0.6)}
        noisy, truth = frames(
            scene, random, self.jittered, scan, straight=self.straight, bright=self.bright
        )
        if not self.straight:  # the fast scan direction may be along either axis
            transposed = chance((count, 1, 1), 0.5, random)
            noisy, truth = (torch.where(transposed, image.mT, image) for image in (noisy, truth))
        return as_run(noisy, truth, random)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return log_error(output, target)
