"""vasudevan-drift: the drift network of Vasudevan & Jesse, which reads a correlation surface.

    python -m training.train vasudevan-drift

Pairs of frames are denoised by vasudevan-denoise and correlated by the core; the correlations are
cached in runs/pairs. Cost: 256,000 pairs, which take ten minutes, and its `minutes` of training on
one CPU core. Expect about 96 % of unseen pairs within 1 px where the border moved with the picture.

The paper's alternatives are settings: `--set 'input="pair"'` gives the network both images instead
of their correlation, `--set 'denoiser=""'` correlates the noisy frames.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import stemzoo
from stemzoo.inference.model import Model
from stemzoo.registration.surfaces import surface
from training.networks.vasudevan import ORIENTATIONS, DriftReader, oriented, oriented_drift
from training.recipe import Recipe
from training.recipes.shared.batches import generator
from training.recipes.vasudevan_denoise import NOISE_AND_SPACING
from training.simulate.cache import saved
from training.simulate.hexagons import MAX_DRIFT, Pairs, draw_pairs

SURFACE_SIDE = 65  # shifts of up to 32 px
PAIR_CACHE = Path("runs/pairs")
PAIRS_AT_ONCE = 1000

Frame = NDArray[np.float32]


@dataclass
class VasudevanDrift(Recipe):
    name: str = "vasudevan-drift"
    version: str = "0.2.0"
    task: str = "drift"
    summary: str = "The drift network of Vasudevan & Jesse, for hexagonal lattices."
    limits: str = """\
It has seen hexagonal lattices of equal columns only, drifts of up to 16 px
along either axis, and frames of 64, 96 and 192 px. On a window of a crystal
without defects nothing tells a drift from one a lattice vector longer: such
answers are called ambiguous."""
    minutes: float = 45.0
    learning_rate: float = 1.5e-3
    denoiser: str = "vasudevan-denoise@0.1.0"
    input: str = "surface"  # or "pair", which the paper found insufficient
    pairs: int = 256_000
    # Side of the frames and longest drift in px, in turn for each PAIRS_AT_ONCE. Where the border
    # moves with the picture, a short drift uncovers little of it; such pairs are the hardest.
    frames: tuple[tuple[int, float], ...] = (
        *[(64, MAX_DRIFT), (64, MAX_DRIFT), (64, 6.0)] * 2,
        (96, MAX_DRIFT),
        (192, MAX_DRIFT),
    )
    bordered: float = 0.75  # fraction whose border moves too; the others are windows on a crystal
    faulty: float = 0.4
    widths: tuple[int, int, int, int] = (16, 32, 64, 64)
    hidden: tuple[int, int] = (256, 64)
    batch_size: int = 64
    evaluation: str = "vasudevan_drift"
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            "drift": f"drifts of at most {MAX_DRIFT:g} px along either axis",
            **NOISE_AND_SPACING,
            "frames": "frames of 64 to 192 px",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "cases.0.within.0.5": ">= 0.85",  # border moved, no defects
            "cases.0.within.1": ">= 0.95",
            "cases.1.within.1": ">= 0.98",
            "cases.3.within.1": ">= 0.9",  # a window, with defects
        }
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input not in ("surface", "pair"):
            raise SystemExit(f"input is '{self.input}'; expected surface or pair")
        sides = {size for size, _ in self.frames}
        if self.input == "pair" and len(sides) > 1:
            raise SystemExit(
                f"frames have sides of {sorted(sides)} px; a network given pairs takes one side "
                "only"
            )

    def network(self) -> nn.Module:
        pair = self.input == "pair"
        side, channels = (self.frames[0][0], 2) if pair else (SURFACE_SIDE, 1)
        return DriftReader(side, channels, self.widths, self.hidden)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        if smoke:
            made = self._make(2 * self.batch_size)
        else:
            made = saved(PAIR_CACHE / f"{self._digest()}.pt", lambda: self._make(self.pairs))
        self.inputs, self.drifts, self.device = made["given"], made["drifts"], device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Random pairs, all in one of eight orientations."""
        random = generator(self.seed, step, torch.device("cpu"))
        chosen = torch.randint(len(self.inputs), (self.batch_size,), generator=random)
        given, drift = self.inputs[chosen].to(self.device).float(), self.drifts[chosen]
        orientation = int(torch.randint(ORIENTATIONS, (), generator=random))
        return oriented(given, orientation), oriented_drift(drift.to(self.device), orientation)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        """Negative log-likelihood of a Laplace distribution, which is robust: a hop to another
        peak, one large error, must not outweigh the many small ones."""
        drift, sigma = output
        loss: Tensor = ((drift - target).abs() * (2**0.5 / sigma) + sigma.log()).mean()
        return loss

    def network_input(self, pairs: Pairs) -> Tensor:
        """The network's input for some pairs: [N, 1, 65, 65], or both frames as channels."""
        denoiser = stemzoo.load(self.denoiser, threads=1) if self.denoiser else None
        frames = zip(pairs.reference.numpy(), pairs.moving.numpy(), strict=True)
        if self.input == "pair":
            inputs = [_channels(still, moved, denoiser) for still, moved in frames]
        else:
            inputs = [
                surface(still, moved, SURFACE_SIDE, denoiser)[None] for still, moved in frames
            ]
        return torch.from_numpy(np.stack(inputs))

    def _make(self, count: int) -> dict[str, Tensor]:
        inputs, drifts = [], []
        for start in range(0, count, PAIRS_AT_ONCE):
            size, max_drift = self.frames[start // PAIRS_AT_ONCE % len(self.frames)]
            random = generator(self.seed, start, torch.device("cpu"))
            part = min(PAIRS_AT_ONCE, count - start)
            pairs = draw_pairs(part, size, self.bordered, self.faulty, random, max_drift)
            inputs.append(self.network_input(pairs).half())
            drifts.append(pairs.drift)
            print(f"\rpairs: {start + len(pairs.drift)} of {count}", end="", flush=True)
        print()
        return {"given": torch.cat(inputs), "drifts": torch.cat(drifts)}

    def _digest(self) -> str:
        """Names the pairs that these settings make."""
        model = stemzoo.load(self.denoiser).sha256 if self.denoiser else ""
        settings = (self.input, self.pairs, self.frames, self.bordered, self.faulty, self.seed)
        return hashlib.sha256(repr((settings, model)).encode()).hexdigest()[:16]


def _channels(still: Frame, moved: Frame, denoiser: Model | None) -> Frame:
    """Two frames as two channels, each of zero mean and unit standard deviation."""
    frames: Frame = np.stack([still, moved])
    if denoiser:
        frames = denoiser(frames)
    frames -= frames.mean((1, 2), keepdims=True)
    frames /= frames.std((1, 2), keepdims=True)
    return frames


recipe = VasudevanDrift
