"""drift-lattice: features of a frame whose correlation distinguishes lattice vectors.

    python -m training.train drift-lattice

Pairs of clean views are rendered once and cached in runs/views. Each step draws new Poisson noise
for some of them and computes their looks in the core. The network does not restrict where a drift
may be, it only scores positions: the loss is the cross-entropy of the true shift among all shifts
within a third of the frame. Cost: 16,000 pairs, ten minutes to render, and its `minutes` of
training on one CPU core. Expect a single vacancy to suffice in nine of ten pairs at a dose of one
electron per pixel at the peak.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stemzoo import _core
from training.networks.features import FeatureNet, log_odds
from training.recipe import Recipe
from training.recipes.shared.batches import generator
from training.simulate.cache import views
from training.simulate.draw import chance, log_uniform
from training.simulate.views import Views, draw_views

STRIDE = _core.fine_stride  # px of a frame to one of its features
FRAME_SIDE = 256  # px
LONGEST_DRIFT = FRAME_SIDE // 3  # px
USUAL_DRIFT = 18.0  # px: the longest of most pairs
FAR_EVERY = 4  # one rendered batch in so many drifts by up to LONGEST_DRIFT
FAR_WEIGHT = 0.4  # relative frequency of drawing pairs beyond USUAL_DRIFT
RENDERED_AT_ONCE, PER_SEED = 8, 4000  # pairs in a rendered batch, and from one seed


@dataclass
class DriftLattice(Recipe):
    name: str = "drift-lattice"
    version: str = "0.3.0"
    task: str = "drift"
    summary: str = "Finds the drift between two frames, and does not hop on a lattice."
    limits: str = """\
A crystal without any fault looks alike after every lattice vector: such drifts
are called ambiguous. Trained on Poisson counts of 0.4 to 300 electrons a pixel
at the brightest, columns 5.5 to 45 px apart, frames of 256 px, drifts of up
to a third of them, jitter of rows up to 0.8 px, scales that differ by 2 %."""
    minutes: float = 147.0
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    ema_decay: float = 0.998
    pairs: int = 16000
    features: int = 4
    width: int = 16
    batch_size: int = 8
    dose: tuple[float, float] = (0.4, 300.0)  # electrons per pixel at the brightest one
    unequal: float = 0.3  # fraction of pairs whose frames differ in dose
    evaluation: str = "drift_lattice"
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            "dose": "{dose[0]:g} to {dose[1]:g} electrons per pixel at the brightest",
            "spacing": "columns 5.5 to 45 px apart",
            "drift": "up to a third of the frame",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "cells.lattices.finite particle.1.drift-lattice.within": ">= 0.99",
            "cells.lattices.column-intensity spread.1.drift-lattice.within": ">= 0.93",
            "cells.lattices.column-intensity spread.3.drift-lattice.within": ">= 0.99",
            "cells.lattices.one vacancy.1.drift-lattice.within": ">= 0.9",
            "cells.lattices.one vacancy.3.drift-lattice.within": ">= 0.97",
            "cells.lattices.pure lattice.10.drift-lattice.ambiguous": ">= 0.99",
            "cells.unseen.dumbbells.3.drift-lattice.within": ">= 0.97",
            "cells.unseen.perovskites.3.drift-lattice.within": ">= 0.97",
        }
    )

    def network(self) -> nn.Module:
        return FeatureNet(self.features, self.width)

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.device = device
        count = 2 * self.batch_size if smoke else self.pairs
        made = self._render(count) if smoke else views(lambda: self._render(count), self._key)
        self.views = Views(made["reference"], made["moving"], made["drift"])
        near = self.views.drift.abs().amax(1) <= USUAL_DRIFT
        self.weights = torch.where(near, 1.0, FAR_WEIGHT)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Looks of the references, then of the moving frames; and the drifts between them."""
        random = generator(self.seed, step, torch.device("cpu"))
        count = self.batch_size
        chosen = self.weights.multinomial(count, generator=random)
        still, moved = self.views.reference[chosen].float(), self.views.moving[chosen].float()
        still, moved, drift = oriented_pairs(still, moved, self.views.drift[chosen], random)
        dose = log_uniform((count, 1, 1), *self.dose, random)
        ratio = log_uniform((count, 1, 1), 0.4, 2.5, random)
        ratio = torch.where(chance((count, 1, 1), self.unequal, random), ratio, 1.0)
        frames = torch.cat([still * dose, moved * (dose * ratio)])
        counts = torch.poisson(frames, generator=random).numpy()
        looks = np.stack([_core.look(frame, STRIDE, 1)[0] for frame in counts])
        return torch.from_numpy(looks).to(self.device), drift.to(self.device)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        still, moved = output.chunk(2)
        max_lag = LONGEST_DRIFT // STRIDE + 1
        odds = log_odds(still, moved, max_lag)
        prior = _core.log_prior((max_lag, max_lag), (FRAME_SIDE, FRAME_SIDE), STRIDE)
        logits = odds.flatten(1) + torch.from_numpy(prior.ravel()).to(odds)
        truth = _bilinear(target / STRIDE + max_lag, 2 * max_lag + 1)
        cross_entropy = -(truth * logits.log_softmax(1)).sum(1)
        # A mixture with the uniform distribution bounds the loss of a misleading pair.
        doubt = _core.misleading_features
        probability = torch.exp(-cross_entropy) * (1 - doubt) + doubt / logits.shape[1]
        return -probability.log().mean()

    @property
    def _key(self) -> tuple[object, ...]:
        """What the views depend on besides the simulator."""
        drifts = (FRAME_SIDE, LONGEST_DRIFT, USUAL_DRIFT)
        return (self.pairs, self.seed, *drifts, FAR_EVERY, RENDERED_AT_ONCE, PER_SEED)

    def _render(self, count: int) -> dict[str, Tensor]:
        parts = []
        for start in range(0, count, RENDERED_AT_ONCE):
            if start % PER_SEED == 0:
                random = torch.Generator().manual_seed(100 * self.seed + 1 + start // PER_SEED)
            far = start // RENDERED_AT_ONCE % FAR_EVERY == FAR_EVERY - 1
            longest = LONGEST_DRIFT if far else USUAL_DRIFT
            parts.append(draw_views(RENDERED_AT_ONCE, FRAME_SIDE, longest, random))
            print(f"\rviews: {start + RENDERED_AT_ONCE} of {count}", end="", flush=True)
        print()
        return {
            "reference": torch.cat([part.reference.half() for part in parts]),
            "moving": torch.cat([part.moving.half() for part in parts]),
            "drift": torch.cat([part.drift for part in parts]),
        }


def oriented_pairs(
    still: Tensor, moved: Tensor, drift: Tensor, random: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """A batch of pairs in a random one of eight orientations, its frames in either order."""
    flip_y, flip_x, transpose, swap = (bool(chance((), 0.5, random)) for _ in range(4))
    sign = torch.tensor([1.0 - 2 * flip_y, 1.0 - 2 * flip_x])
    axes = [axis for axis, flip in ((1, flip_y), (2, flip_x)) if flip]
    still, moved, drift = still.flip(axes), moved.flip(axes), drift * sign
    if transpose:
        still, moved, drift = still.mT, moved.mT, drift.flip(1)
    return (moved, still, -drift) if swap else (still, moved, drift)


def _bilinear(position: Tensor, side: int) -> Tensor:
    """[B, side * side]: a unit weight at each position, bilinear over the four points around it."""
    whole = position.floor().clamp(0, side - 2)
    part = position - whole
    row, column = whole.long().unbind(1)
    weights = torch.zeros(len(position), side * side, device=position.device)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (part[:, 0] if dy else 1 - part[:, 0]) * (part[:, 1] if dx else 1 - part[:, 1])
            index = (row + dy) * side + column + dx
            weights.scatter_add_(1, index[:, None], weight[:, None])
    return weights


recipe = DriftLattice
