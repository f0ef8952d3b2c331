"""The one training loop: python -m training.train RECIPE [--minutes M] [--set key=value].

A run lives in runs/RECIPE/: log.csv, TensorBoard events, sample pictures, and checkpoint.pt, which
is replaced atomically. The same command resumes it, with the same batches and the same schedule.
`torchrun --nproc-per-node N -m training.train RECIPE` trains with N processes or GPUs. `--smoke`
trains three steps, exports, loads and runs the model in seconds, and keeps nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.loop.autocast import autocast
from training.loop.checkpoint import RUNS, resume, save
from training.loop.log import Log
from training.loop.optimisers import Budget, Optimisers
from training.loop.processes import Processes
from training.recipe import Recipe, load_recipe, parsed_settings, recipe_names


def train(
    recipe: Recipe,
    minutes: float,
    folder: Path,
    smoke: bool = False,
    *,
    steps: int | None = None,
    save_every: float = 60.0,
    picture_share: float = 0.02,
) -> nn.Module:
    """Train within the budget and return the averaged network. Resumes the run in `folder`.

    `steps`, if given, replaces the minutes; `save_every` is in seconds; a sample picture is drawn
    after every `picture_share` of the budget.
    """
    processes = Processes.join()
    budget = Budget(minutes, steps)
    torch.manual_seed(recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    network: nn.Module = recipe.network().to(
        processes.device,  # type: ignore[call-overload]
        memory_format=torch.channels_last,
    )
    average = copy.deepcopy(network).eval()
    optimisers = Optimisers(recipe, network)
    progress = resume(folder, recipe, network, average, optimisers)
    step, spent = progress.step, progress.spent
    recipe.prepare(processes.device, smoke)
    shown = recipe.batch(0)
    check_input(recipe, network, shown[0])
    used = budget.used(step, spent)
    log = Log(folder, progress, used, picture_share) if processes.first else None
    with log or contextlib.nullcontext():
        last = saved = time.monotonic()
        while (used := budget.used(step, spent)) < 1:
            optimiser, rate = optimisers.at(step, used)
            number = processes.batch_number(step)
            given, target = recipe.batch(number)
            torch.manual_seed(number)  # a network's own random numbers depend on the step only
            with autocast(recipe, processes.device):
                output = network(given.contiguous(memory_format=torch.channels_last))
            loss = recipe.loss(_float(output), target)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            processes.average_gradients(network)
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            _update_average(average, network, min(recipe.ema_decay, (1 + step) / (10 + step)))
            step += 1
            now = time.monotonic()
            spent, last = processes.clock(spent + now - last), now
            if log:
                used = budget.used(step, spent)
                log.add(step, spent, used, loss.detach(), rate)
                if log.picture_due(used):
                    log.picture(recipe, average, shown, step)
                if now - saved > save_every:
                    save(folder, recipe, network, average, optimisers, log.progress(step, spent))
                    saved = now
        if log:
            save(folder, recipe, network, average, optimisers, log.progress(step, spent))
    processes.wait()
    return average


def check_input(recipe: Recipe, network: nn.Module, given: Tensor) -> None:
    """Refuse batches of a size that the network does not take."""
    promises: dict[str, int] = network.promises  # type: ignore[assignment]
    sides = tuple(given.shape[-2:])
    side, multiple = promises.get("window") or promises.get("surface"), promises.get("multiple", 1)
    if side and sides != (side, side):
        expected = f"{side} x {side} px, no more and no less"
    elif sides[0] % multiple or sides[1] % multiple:
        expected = f"multiples of {multiple} px"
    else:
        return
    raise SystemExit(
        f"the recipe {recipe.name} gives inputs of {sides[0]} x {sides[1]} px, and its network "
        f"takes {expected}; change the setting that says their size (often crop)"
    )


def _float(output: Any) -> Any:
    """The network's output, a tensor or a tuple of tensors, as float32."""
    if isinstance(output, tuple):
        return tuple(part.float() for part in output)
    return output.float()


@torch.no_grad()
def _update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Exponential moving average of the weights; buffers are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
    states = average.state_dict(), network.state_dict()
    for name, _ in average.named_buffers():
        if name in states[0]:  # buffers outside checkpoints never change
            states[0][name].copy_(states[1][name])


def smoke_test(name: str, **settings: Any) -> None:
    """Train three steps, export, load and run the model, in a temporary folder."""
    from training.smoke import SMOKE_STEPS, export_and_run, small_recipe

    started = time.perf_counter()
    recipe = small_recipe(name, **settings)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train(recipe, 0, run, smoke=True, steps=SMOKE_STEPS, picture_share=0.5)
        done = export_and_run(recipe, run, Path(folder) / "zoo")
    print(f"{done}; {time.perf_counter() - started:.0f} s")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", help=", ".join(recipe_names()))
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, help="time budget (default: the recipe's)")
    budget.add_argument("--steps", type=int, help="number of steps, instead of minutes")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--folder", type=Path, help="of the run (default: runs/RECIPE)")
    parser.add_argument("--save-every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument(
        "--picture-share", type=float, default=0.02, help="of the budget, per sample picture"
    )
    parser.add_argument("--smoke", action="store_true", help="train, export, load, run, in seconds")
    given = parser.parse_args(arguments)
    settings = parsed_settings(given.set)
    if given.smoke:
        smoke_test(given.recipe, **settings)
        return
    recipe = load_recipe(given.recipe, **settings)
    train(
        recipe,
        recipe.minutes if given.minutes is None else given.minutes,
        given.folder or RUNS / recipe.name,
        steps=given.steps,
        save_every=given.save_every,
        picture_share=given.picture_share,
    )


if __name__ == "__main__":
    main()
