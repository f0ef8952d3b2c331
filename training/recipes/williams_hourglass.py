"""williams-hourglass: the reverse hourglass of Williams et al., trained on noisy series alone.

    python -m training.train williams-hourglass

Eight 3x3 convolutions, widest in the middle. Self-supervised, without any clean image: the target
of a frame is the mean of the other frames of its series, whose noise is independent.
`--set 'target="all"'` takes the mean of all frames, as SDnDTI does, and `--set 'target="clean"'`
the truth, to compare. Cost: its `minutes` on one CPU core. Expect 34 dB and an SSIM of 0.86 where
the paper has 28.1 dB and 0.85, from 18.2 dB and 0.157.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from training.networks.conv_autoencoder import ConvAutoencoder
from training.networks.plain import PlainStack
from training.recipe import Recipe
from training.recipes.shared.batches import as_run, generator, windows
from training.simulate.acquire import Conditions, acquire_series
from training.simulate.cache import scenes
from training.simulate.draw import log_uniform
from training.simulate.scan import EDGE

TARGETS = ("others", "all", "clean")
ARCHITECTURES = ("hourglass", "autoencoder")
BIAS = 0.2  # dark level, fraction of the peak: the paper's "general noise bias"


@dataclass
class WilliamsHourglass(Recipe):
    name: str = "williams-hourglass"
    version: str = "0.1.0"
    task: str = "denoise"
    summary: str = "The self-supervised reverse hourglass of Williams et al. (2023)."
    limits: str = """\
It sees 17 px, less than a unit cell of a well sampled picture, so it cannot
average over neighbouring columns; much below 15 electrons per pixel it leaves
grain. It takes out no scan errors unless it is tuned on some."""
    minutes: float = 47.0
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.0
    widths: tuple[int, ...] = (16, 32, 64, 128, 64, 32, 16, 1)
    target: str = "others"  # or "all" or "clean", to compare
    architecture: str = "hourglass"  # or "autoencoder", to compare
    frames: int = 8
    series: int = 2  # per batch
    scenes: int = 6000
    scene_size: int = 256
    crop: int = 64
    dose: tuple[float, float] = (15.0, 60.0)
    evaluation: str = "williams_hourglass"
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            "dose": "{dose[0]:g} to {dose[1]:g} electrons per pixel at the peak, on a dark level "
            f"of {BIAS:g} of it",
            "spacing": "columns 4 to 60 px apart",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {"clean": ">= 34.3", "clean_ssim": ">= 0.85"}
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target not in TARGETS:
            raise SystemExit(f"target is '{self.target}'; expected {', '.join(TARGETS)}")
        if self.architecture not in ARCHITECTURES:
            raise SystemExit(
                f"architecture is '{self.architecture}'; expected {' or '.join(ARCHITECTURES)}"
            )

    def network(self) -> nn.Module:
        if self.architecture == "autoencoder":
            return ConvAutoencoder()
        return PlainStack(self.widths, 3)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.cache = scenes(self.scenes, self.scene_size, self.seed, device, smoke=smoke)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """All frames of some series, and the target of each."""
        random = generator(self.seed, step, self.cache.device)
        wide = windows(self.cache, self.crop + 2 * EDGE, self.series, random)
        peak = log_uniform((self.series,), *self.dose, random)
        still = Conditions(scan={}, detector={"bias": (BIAS, BIAS, 1.0)})
        frames, truth, _ = acquire_series(wide, peak, still, self.frames, random)
        if self.target == "clean":
            target = (truth + BIAS * peak[:, None, None])[:, None].expand_as(frames)
        else:
            mean = frames.mean(dim=1, keepdim=True)
            others = (self.frames * mean - frames) / (self.frames - 1)
            target = others if self.target == "others" else mean.expand_as(frames)
        return as_run(frames.flatten(0, 1), target.flatten(0, 1), random)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        return nn.functional.mse_loss(output, target)


recipe = WilliamsHourglass
