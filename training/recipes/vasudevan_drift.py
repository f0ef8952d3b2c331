"""vasudevan-drift: the drift network of Vasudevan & Jesse, which reads a correlation surface.

    python -m training.train vasudevan-drift

Pairs of frames are denoised by vasudevan-denoise, correlated by the core, and kept in runs/pairs.
Cost: 256,000 pairs, ten minutes to make, and 45 minutes of training on one CPU core. Expect
about 96 % of unseen pairs within 1 px where the picture moved with its border.

What the paper says of the other ways can be tried by a setting: `--set 'input="pair"'` gives the
network both images in place of their correlation, `--set 'denoiser=""'` correlates noisy frames.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import stemzoo
from stemzoo.inference.model import Model
from stemzoo.registration.surfaces import surface
from training.networks.vasudevan import TURNS, DriftReader, turned, turned_drift
from training.recipe import Recipe
from training.samples import generator
from training.simulate.hexagons import REACH, Pairs, draw_pairs

SIDE = 65  # of the surface: shifts of up to 32 px
CACHE = Path("runs/pairs")
CHUNK = 1000  # pairs drawn at once

Frame = NDArray[np.float32]


@dataclass
class VasudevanDrift(Recipe):
    input: str = "surface"  # or "pair", which the paper found not to do
    pairs: int = 256_000
    # Side of the frames and longest drift, px, in turn by the chunk. Where the picture moved with
    # its border, little of it is uncovered by a short drift, which makes those the hardest.
    frames: tuple[tuple[int, float], ...] = (
        *[(64, REACH), (64, REACH), (64, 6.0)] * 2,
        (96, REACH),
        (192, REACH),
    )
    bordered: float = 0.75  # share whose border moves too; the others are windows on a crystal
    faulty: float = 0.4
    widths: tuple[int, int, int, int] = (16, 32, 64, 64)
    hidden: tuple[int, int] = (256, 64)
    batch_size: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input not in ("surface", "pair"):
            raise SystemExit(f"input is '{self.input}'; expected surface or pair")
        self.sides = {size for size, _ in self.frames}
        if self.input == "pair" and len(self.sides) > 1:
            raise SystemExit(
                f"frames have sides of {sorted(self.sides)} px; a network given pairs takes one "
                "side only"
            )

    def network(self) -> nn.Module:
        pair = self.input == "pair"
        side, channels = (self.frames[0][0], 2) if pair else (SIDE, 1)
        return DriftReader(side, channels, self.widths, self.hidden)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        if smoke:
            made = self._make(2 * self.batch_size)
        else:
            path = CACHE / f"{self._digest()}.pt"
            if not path.exists():
                _save(self._make(self.pairs), path)
            made = torch.load(path, mmap=True, weights_only=True)
        self.given, self.drifts, self.device = made["given"], made["drifts"], device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Random pairs of those made, all in one of eight orientations."""
        random = generator(self.seed, step, torch.device("cpu"))
        chosen = torch.randint(len(self.given), (self.batch_size,), generator=random)
        given, drift = self.given[chosen].to(self.device).float(), self.drifts[chosen]
        turn = int(torch.randint(TURNS, (), generator=random))
        return turned(given, turn), turned_drift(drift.to(self.device), turn)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        """The negative log-likelihood of a Laplace distribution: a hop to another peak, one large
        error, must not outweigh the many small ones."""
        drift, sigma = output
        unlikely: Tensor = ((drift - target).abs() * (2**0.5 / sigma) + sigma.log()).mean()
        return unlikely

    def look(self, pairs: Pairs) -> Tensor:
        """What the network is given of some pairs: [N, 1, 65, 65], or both frames as channels."""
        denoiser = stemzoo.load(self.denoiser, threads=1) if self.denoiser else None
        frames = zip(pairs.reference.numpy(), pairs.moving.numpy(), strict=True)
        if self.input == "pair":
            seen = [_both(still, moved, denoiser) for still, moved in frames]
        else:
            seen = [surface(still, moved, SIDE, denoiser)[None] for still, moved in frames]
        given: Tensor = torch.from_numpy(np.stack(seen))
        return given

    def _make(self, count: int) -> dict[str, Tensor]:
        given, drifts = [], []
        for start in range(0, count, CHUNK):
            size, reach = self.frames[start // CHUNK % len(self.frames)]
            random = generator(self.seed, start, torch.device("cpu"))
            chunk = min(CHUNK, count - start)
            pairs = draw_pairs(chunk, size, self.bordered, self.faulty, random, reach)
            given.append(self.look(pairs).half())
            drifts.append(pairs.drift)
            print(f"\rpairs: {start + len(pairs.drift)} of {count}", end="", flush=True)
        print()
        return {"given": torch.cat(given), "drifts": torch.cat(drifts)}

    def _digest(self) -> str:
        """A name for the pairs that these settings make."""
        model = stemzoo.load(self.denoiser).sha256 if self.denoiser else ""
        settings = (self.input, self.pairs, self.frames, self.bordered, self.faulty, self.seed)
        return hashlib.sha256(repr((settings, model)).encode()).hexdigest()[:16]


def _both(still: Frame, moved: Frame, denoiser: Model | None) -> Frame:
    """Two frames as two channels, each of mean zero and deviation one."""
    frames: Frame = np.stack([still, moved])
    if denoiser:
        frames = denoiser(frames)
    frames -= frames.mean((1, 2), keepdims=True)
    frames /= frames.std((1, 2), keepdims=True)
    return frames


def _save(made: dict[str, Tensor], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(made, partial)
    os.replace(partial, path)


def recipe(**settings: Any) -> Recipe:
    return VasudevanDrift(
        **{
            "name": "vasudevan-drift",
            "version": "0.2.0",
            "task": "drift",
            "summary": "The drift network of Vasudevan & Jesse, for hexagonal lattices.",
            "limits": (
                "It has seen hexagonal lattices of equal columns only, drifts of up to 16 px\n"
                "along either axis, and frames of 64, 96 and 192 px. On a window of a crystal\n"
                "without defects nothing tells a drift from one a lattice vector longer: such\n"
                "answers are called ambiguous."
            ),
            "minutes": 45.0,
            "learning_rate": 1.5e-3,
            "denoiser": "vasudevan-denoise@0.1.0",
            "figures": "vasudevan_drift",
            "trained_for": {
                "drift": "drifts of at most 16 px along either axis",
                "noise": "uniform noise in [0, a], `a` from 0.1 to 2 column heights",
                "spacing": "hexagonal lattices, columns 6 to 16 px apart, any rotation",
                "frames": "frames of 64 to 192 px",
            },
            "bars": {
                "cases.0.within.0.5": ">= 0.85",  # border moved, no defects
                "cases.0.within.1": ">= 0.95",
                "cases.1.within.1": ">= 0.98",
                "cases.3.within.1": ">= 0.9",  # a window, with defects
            },
            **settings,
        }
    )
