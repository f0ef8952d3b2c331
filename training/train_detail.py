"""Trains the part of a denoiser that tells detail from noise (training/networks/detail.py):

    python -m training.train_detail denoise-atomic [--frames N] [--epochs E]

The part makes one choice for a frame. Simulated frames, half of them at high dose, are therefore
denoised twice by the committed network, as if they had detail and as if not, and the part learns
from their spectra to choose the better. A frame counts as much as its choice matters, so that this
takes minutes where training through the whole network takes hours. The result goes into the
committed checkpoint's place in runs/RECIPE, from which the model is exported.

Train the part last: its choices are right for these weights of the network.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from training.loop.checkpoint import RUNS, device_name
from training.loop.compact_checkpoint import COMMITTED
from training.loop.optimisers import Optimisers
from training.networks.detail import CERTAIN, Detail, as_detail, features, over_windows
from training.networks.half_spectra import mirrored, transposed
from training.networks.spectral_unet import SpectralUNet
from training.recipe import load_recipe, parsed_settings
from training.recipes.shared.batches import generator
from training.recipes.shared.frame_recipe import FrameRecipe
from training.recipes.shared.losses import LEAST_ERROR
from training.train_part import only, put_part, refuse_run

PART = "detail"
BRIGHT = 0.45  # fraction of frames at high dose, beside those that a denoiser is trained with
BATCH = 12  # frames denoised at a time
LEAST_SIDE = 128  # px, of the frames
MOST = 4.0  # log error: larger benefits count alike
RATE, WEIGHT_DECAY, DRAWN = 1e-2, 0.1, 64  # of the training, and frames in its batches
SEED = 4  # of the sides of frames, and their order
CAUTION = 3.0  # cost of noise taken for detail, relative to that of detail taken for noise
HELD_OUT = 0.1  # fraction of the frames, to report on


@dataclass
class Examples:
    """Of every frame what the part sees, and how much smaller the log error is with detail."""

    seen: Tensor  # [frames, ...], features of their spectra
    benefit: Tensor  # [frames]

    def split(self, first: int) -> tuple[Examples, Examples]:
        parts = (slice(first), slice(first, None))
        head, tail = (Examples(self.seen[part], self.benefit[part]) for part in parts)
        return head, tail


def train_detail(
    recipe: FrameRecipe,
    frames: int,
    epochs: int,
    folder: Path,
    *,
    smoke: bool = False,
    committed: Path = COMMITTED,
) -> None:
    """Train the part, and write the checkpoint of the whole network to `folder`."""
    refuse_run(folder)
    network = only(PART, recipe, committed)
    assert isinstance(network, SpectralUNet)
    assert network.detail is not None
    started = time.perf_counter()
    brighter = replace(recipe, bright=BRIGHT, batch_size=recipe.batch_size or BATCH)
    brighter.prepare(torch.device("cpu"), smoke)
    examples = look(network, brighter, frames)
    held_out, shown = examples.split(round(HELD_OUT * len(examples.benefit)))
    steps = learn(network.detail, shown, held_out, epochs)
    weights, seconds = network.state_dict(), time.perf_counter() - started
    trained = {
        "network": weights,
        "average": weights,
        **Optimisers(recipe, network).state(),
        "step": steps,
        "spent": seconds,
        "devices": {device_name(): seconds},
    }
    put_part(trained, PART, recipe, folder, committed)


@torch.no_grad()
def look(network: SpectralUNet, recipe: FrameRecipe, frames: int) -> Examples:
    """Denoise frames of the recipe both ways."""
    seen: list[Tensor] = []
    benefit: list[Tensor] = []

    def as_noise(image: Tensor, estimate: Tensor, log_power: Tensor, log_noise: Tensor) -> Tensor:
        transforms = network.spectral.transforms
        seen.append(features(over_windows(transforms, image, estimate, log_power, log_noise)))
        return log_noise

    def detailed(image: Tensor, estimate: Tensor, log_power: Tensor, log_noise: Tensor) -> Tensor:
        return as_detail(log_power, log_noise, torch.ones(()))

    step, found = 0, 0
    while found < frames:
        noisy, truth = _part_of(*recipe.batch(step), step, network.promises["multiple"])
        without, with_detail = (
            (network(noisy, decide) - truth).square().mean((1, 2, 3)) + LEAST_ERROR
            for decide in (as_noise, detailed)
        )
        benefit.append(torch.log(without / with_detail).clamp(-MOST, MOST))
        step, found = step + 1, found + len(noisy)
        if step % 20 == 0:
            print(f"{found} of {frames} frames denoised", flush=True)
    return Examples(torch.cat(seen), torch.cat(benefit))


def _part_of(noisy: Tensor, truth: Tensor, step: int, multiple: int) -> tuple[Tensor, Tensor]:
    """A corner of the frames, of random size, as users' frames have many."""
    side = noisy.shape[-1]
    least = min(LEAST_SIDE, side)
    random = generator(SEED, step, noisy.device)
    share = torch.rand((), generator=random).item()
    side = multiple * round((least + share * (side - least)) / multiple)
    return noisy[..., :side, :side], truth[..., :side, :side]


def learn(part: Detail, shown: Examples, held_out: Examples, epochs: int) -> int:
    """Train the part on the examples; returns the number of steps."""
    count = math.ceil(len(shown.benefit) / DRAWN)
    optimiser = torch.optim.AdamW(part.parameters(), RATE, weight_decay=WEIGHT_DECAY)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=max(1, epochs * count))
    random = torch.Generator().manual_seed(SEED)
    for epoch in range(epochs):
        for some in torch.randperm(len(shown.benefit), generator=random).split(DRAWN):  # type: ignore[no-untyped-call]
            seen, benefit = shown.seen[some], shown.benefit[some]
            for turned in (mirrored, transposed):
                if torch.rand((), generator=random) < 0.5:
                    seen = turned(seen)
            wanted = (benefit > 0).float()
            cost = torch.where(benefit > 0, benefit, -CAUTION * benefit)
            votes = part.logits(seen)
            loss = cross_entropy(votes, wanted.expand_as(votes), cost.expand_as(votes))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            rates.step()
        print(f"epoch {epoch + 1}: {_report(part, held_out)}", flush=True)
    return epochs * count


@torch.no_grad()
def _report(part: Detail, held_out: Examples) -> str:
    if not len(held_out.benefit):
        return "no frames held out"
    logit = torch.cat([part.logits(seen).mean(0) for seen in held_out.seen.split(DRAWN)])  # type: ignore[no-untyped-call]
    chosen = logit > CERTAIN
    brings, best = (held_out.benefit * chosen).mean(), held_out.benefit.clamp(min=0).mean()
    return f"log error {brings:.3f} smaller on frames held out; the best choices give {best:.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", help="of a denoiser with this part")
    parser.add_argument("--frames", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--folder", type=Path, help="of the run (default: runs/RECIPE)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args(arguments)
    recipe = load_recipe(given.recipe, **parsed_settings(given.set))
    if not (isinstance(recipe, FrameRecipe) and recipe.sees_detail):
        raise SystemExit(
            f"the network of {given.recipe} has no part that tells detail from noise; "
            "those of denoise-atomic and denoise-live have one"
        )
    train_detail(recipe, given.frames, given.epochs, given.folder or RUNS / given.recipe)


if __name__ == "__main__":
    main()
