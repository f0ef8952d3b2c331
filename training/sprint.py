"""Training within a fixed time, for a rented GPU.

    python -m training.sprint --minutes 8 [RECIPE ...]

The recipes share the minutes equally; by default they are FLAGSHIP. Each resumes its run from this
or another machine, finishes its learning-rate schedule, and writes the compact checkpoint
`runs/RECIPE/travel.pt`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from training.loop import compact_checkpoint
from training.loop.autocast import autocast
from training.loop.checkpoint import CHECKPOINT, RUNS, read_checkpoint
from training.loop.processes import Processes
from training.recipe import Recipe, load_recipe, parsed_settings
from training.train import train

FLAGSHIP = ("denoise-atomic", "restore-scan", "denoise-live")
SAVE_EVERY = 60.0  # seconds
TIMED_STEPS = 8


def sprint(
    recipe: Recipe,
    minutes: float,
    runs: Path = RUNS,
    *,
    smoke: bool = False,
    out: Path | None = None,
) -> None:
    """Train within `minutes` of wall-clock time, which include the preparation of the data."""
    ends = time.monotonic() + 60 * minutes
    folder = runs / recipe.name
    device = Processes.join().device
    spent = 0.0
    if (folder / CHECKPOINT).exists() or compact_checkpoint.unpack(folder, recipe):
        spent = read_checkpoint(folder, recipe)["spent"]
    recipe.prepare(device, smoke)
    print(f"{recipe.name}: data after {_left(ends, minutes):.0f} s, {device}", flush=True)
    if not smoke:
        print(speeds(recipe, device), flush=True)
    left = max(ends - time.monotonic(), 1.0)
    recipe.prepare = lambda device, smoke: None  # type: ignore[method-assign]
    train(recipe, (spent + left) / 60, folder, save_every=SAVE_EVERY, picture_share=0)
    packed = compact_checkpoint.pack(folder, recipe)
    if out:
        (out / f"{recipe.name}.pt").write_bytes(packed.read_bytes())
    print(f"{recipe.name}: {packed} of {packed.stat().st_size / 2**20:.1f} MiB", flush=True)


def speeds(recipe: Recipe, device: torch.device) -> str:
    """Mpx/s of the simulator, and of the network's forward and backward pass."""
    network = recipe.network().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def once(step: int) -> tuple[float, float, float]:
        start = _clock(device)
        given, target = recipe.batch(step)
        made = _clock(device)
        with autocast(recipe, device):
            output = network(given.contiguous(memory_format=torch.channels_last))
        recipe.loss(output.float(), target).backward()  # type: ignore[no-untyped-call]
        return given.numel() / 1e6, made - start, _clock(device) - made

    for step in range(4):
        once(step)
    pixels, simulator, learning = (
        sum(parts) for parts in zip(*(once(step) for step in range(TIMED_STEPS)), strict=True)
    )
    return f"simulator {pixels / simulator:.1f} Mpx/s, network {pixels / learning:.1f} Mpx/s"


def _clock(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def _left(ends: float, minutes: float) -> float:
    return 60 * minutes - (ends - time.monotonic())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", default=FLAGSHIP)
    parser.add_argument("--minutes", type=float, required=True, help="for all of them together")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--smoke", action="store_true", help="few scenes, no timing")
    parser.add_argument("--out", type=Path, help="folder for copies of the compact checkpoints")
    given = parser.parse_args(arguments)
    settings = parsed_settings(given.set)
    torch.backends.cudnn.benchmark = True  # frames have only two sizes
    started = time.monotonic()
    for place, name in enumerate(given.recipes):
        left = given.minutes - (time.monotonic() - started) / 60
        share = left / (len(given.recipes) - place)
        sprint(load_recipe(name, **settings), share, smoke=given.smoke, out=given.out)


if __name__ == "__main__":
    main()
