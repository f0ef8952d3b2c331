"""drift-lattice: features of a frame whose correlation tells lattice vectors apart.

    python -m training.train drift-lattice

Pairs of clean views are rendered once and kept in runs/views; each step gives some of them fresh
noise and lets the core look at them. The network has no say in where a drift may be, only in which
place is the likeliest: the loss is the cross-entropy of the true shift among all within a third of
the frame. Cost: 16,000 pairs, ten minutes to render, and 147 minutes of training on one CPU core.
Expect a lone vacancy to be enough at a peak dose of one electron per pixel in nine pairs of ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stemzoo import _core
from training.networks.features import FeatureNet, log_odds
from training.recipe import Recipe
from training.samples import generator
from training.simulate.cache import views
from training.simulate.draw import chance, log_uniform
from training.simulate.views import Views, draw_views

STRIDE = _core.fine_stride  # px of a frame to one of its features
SIDE = 256  # px of a frame
REACH = SIDE // 3  # px: the longest drift
USUAL = 18.0  # px: how far most pairs drift at most
FAR = 4  # every so many chunks drift as far as REACH
RARE = 0.4  # how often those that do are taken, relative to the others
CHUNK, SEEDED = 8, 4000  # pairs rendered at once, and from one seed


@dataclass
class DriftLattice(Recipe):
    pairs: int = 16000
    features: int = 4
    width: int = 16
    batch_size: int = 8
    dose: tuple[float, float] = (0.4, 300.0)  # electrons a pixel at the brightest one
    unequal: float = 0.3  # share of pairs whose frames differ in dose

    def network(self) -> nn.Module:
        return FeatureNet(self.features, self.width)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.device = device
        count = 2 * self.batch_size if smoke else self.pairs
        made = self._render(count) if smoke else views(lambda: self._render(count), self._drawn)
        self.views = Views(made["reference"], made["moving"], made["drift"])
        near = self.views.drift.abs().amax(1) <= USUAL
        self.often = torch.where(near, 1.0, RARE)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Looks at references, then at moving frames; and the drifts between them."""
        random = generator(self.seed, step, torch.device("cpu"))
        count = self.batch_size
        chosen = self.often.multinomial(count, generator=random)
        still, moved = self.views.reference[chosen].float(), self.views.moving[chosen].float()
        still, moved, drift = turned(still, moved, self.views.drift[chosen], random)
        dose = log_uniform((count, 1, 1), *self.dose, random)
        other = log_uniform((count, 1, 1), 0.4, 2.5, random)
        other = torch.where(chance((count, 1, 1), self.unequal, random), other, 1.0)
        frames = torch.cat([still * dose, moved * (dose * other)])
        counts = torch.poisson(frames, generator=random).numpy()
        looks = np.stack([_core.look(frame, STRIDE, 1)[0] for frame in counts])
        return torch.from_numpy(looks).to(self.device), drift.to(self.device)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        still, moved = output.chunk(2)
        reach = REACH // STRIDE + 1
        odds = log_odds(still, moved, reach)
        prior = _core.log_prior((reach, reach), (SIDE, SIDE), STRIDE)
        logits = odds.flatten(1) + torch.from_numpy(prior.ravel()).to(odds)
        truth = _spread(target / STRIDE + reach, 2 * reach + 1)
        unlikely = -(truth * logits.log_softmax(1)).sum(1)
        # Where a pair misleads, it must not outweigh the others.
        misleading = _core.misleading_features
        certain = torch.exp(-unlikely) * (1 - misleading) + misleading / logits.shape[1]
        return -certain.log().mean()

    @property
    def _drawn(self) -> tuple[object, ...]:
        """What the views depend on, beside the simulator."""
        return (self.pairs, self.seed, SIDE, REACH, USUAL, FAR, CHUNK, SEEDED)

    def _render(self, count: int) -> dict[str, Tensor]:
        parts = []
        for start in range(0, count, CHUNK):
            if start % SEEDED == 0:
                random = torch.Generator().manual_seed(100 * self.seed + 1 + start // SEEDED)
            far = start // CHUNK % FAR == FAR - 1
            parts.append(draw_views(CHUNK, SIDE, REACH if far else USUAL, random))
            print(f"\rviews: {start + CHUNK} of {count}", end="", flush=True)
        print()
        return {
            "reference": torch.cat([part.reference.half() for part in parts]),
            "moving": torch.cat([part.moving.half() for part in parts]),
            "drift": torch.cat([part.drift for part in parts]),
        }


def turned(
    still: Tensor, moved: Tensor, drift: Tensor, random: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """A batch of pairs in one of eight orientations, its frames in either order."""
    flip_y, flip_x, swap, back = (bool(chance((), 0.5, random)) for _ in range(4))
    sign = torch.tensor([1.0 - 2 * flip_y, 1.0 - 2 * flip_x])
    axes = [axis for axis, flip in ((1, flip_y), (2, flip_x)) if flip]
    still, moved, drift = still.flip(axes), moved.flip(axes), drift * sign
    if swap:
        still, moved, drift = still.mT, moved.mT, drift.flip(1)
    return (moved, still, -drift) if back else (still, moved, drift)


def _spread(place: Tensor, side: int) -> Tensor:
    """[B, side * side]: a unit at each place, shared among the four points around it."""
    whole = place.floor().clamp(0, side - 2)
    part = place - whole
    row, column = whole.long().unbind(1)
    shares = torch.zeros(len(place), side * side, device=place.device)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (part[:, 0] if dy else 1 - part[:, 0]) * (part[:, 1] if dx else 1 - part[:, 1])
            index = (row + dy) * side + column + dx
            shares.scatter_add_(1, index[:, None], weight[:, None])
    return shares


def recipe(**settings: Any) -> Recipe:
    return DriftLattice(
        **{
            "name": "drift-lattice",
            "version": "0.3.0",
            "task": "drift",
            "summary": "Finds the drift between two frames, and does not hop on a lattice.",
            "limits": (
                "A crystal without any fault looks alike after every lattice vector: such drifts\n"
                "are called ambiguous. Trained on Poisson counts of 0.4 to 300 electrons a pixel\n"
                "at the brightest, columns 5.5 to 45 px apart, frames of 256 px, drifts of up\n"
                "to a third of them, jitter of rows up to 0.8 px, scales that differ by 2 %."
            ),
            "minutes": 147.0,
            "learning_rate": 2e-3,
            "warmup_steps": 100,
            "ema_decay": 0.998,
            "figures": "drift_lattice",
            "trained_for": {
                "dose": "0.4 to 300 electrons per pixel at the brightest",
                "spacing": "columns 5.5 to 45 px apart",
                "drift": "up to a third of the frame",
            },
            "bars": {
                "cells.lattices.finite particle.1.drift-lattice.within": ">= 0.99",
                "cells.lattices.column-intensity spread.1.drift-lattice.within": ">= 0.93",
                "cells.lattices.column-intensity spread.3.drift-lattice.within": ">= 0.99",
                "cells.lattices.one vacancy.1.drift-lattice.within": ">= 0.9",
                "cells.lattices.one vacancy.3.drift-lattice.within": ">= 0.97",
                "cells.lattices.pure lattice.10.drift-lattice.ambiguous": ">= 0.99",
                "cells.unseen.dumbbells.3.drift-lattice.within": ">= 0.97",
                "cells.unseen.perovskites.3.drift-lattice.within": ">= 0.97",
            },
            **settings,
        }
    )
