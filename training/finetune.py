"""Fine-tuning of a zoo model on a user's own images, or on simulated ones of their microscope:

    python -m training.finetune NAME@VERSION --noisy FOLDER [--clean FOLDER] [--minutes M]
    python -m training.finetune NAME@VERSION --microscope FILE [--minutes M]

The folder holds images or stacks in any format that stemzoo reads. With --clean, the target of each
file is the file of the same name there. Without, the target of a stack's frame is the average of
the other frames, which must show the same specimen at rest (Noise2Noise). A single image is its own
target at hidden pixels (Noise2Void), which removes noise that is independent between pixels, but no
streaks. A FILE in TOML gives the fields of training.simulate.microscope.Microscope.

A tuned model is a new model: it gets its own folder, and its card names its parent.
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stemzoo.common.errors import ModelError
from stemzoo.plotting.pictures import Grey
from stemzoo.zoo.catalogue import ModelInfo, find
from training.evaluate import ZOO
from training.export import check_parity, export, model_file
from training.loop.checkpoint import RUNS
from training.loop.compact_checkpoint import average_weights
from training.packaging.weights import fill
from training.recipe import Recipe, load_recipe, recipe_names
from training.recipes.shared.batches import generator
from training.recipes.shared.own_images import OwnImages, Pair, read_own, simulated
from training.simulate.microscope import Microscope
from training.train import train

CROP = 128  # px, rounded to what the network takes
MINUTES = 10.0
HIDDEN = 0.02  # fraction of a crop's pixels, where an image is its own target
NEIGHBOUR_DISTANCE = 2  # px, at most, from a hidden pixel to the one shown in its place


@dataclass
class FineTune(Recipe):
    """The parent's network and loss, on crops of images from files."""

    parent: str = ""  # NAME@VERSION
    images: str = ""  # digest of their pixels: a run resumes only with the same images
    crop: int = CROP
    batch_size: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", self.name) or self.name in recipe_names():
            raise SystemExit(
                f"'{self.name}' cannot name a tuned model; expected small letters and digits in "
                "words joined by '-', such as denoise-ours, and not the name of a recipe"
            )
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.version):
            raise SystemExit(f"version is '{self.version}'; expected three numbers, such as 0.1.0")

    def attach(self, parent: ModelInfo, base: Recipe, own: OwnImages) -> FineTune:
        """Set what checkpoints need not contain, because it is read again."""
        self.file, self.base, self.own = parent, base, own
        return self

    def network(self) -> nn.Module:
        network = self.base.network().eval()
        fill(network, self.file.path, average_weights(self.base))
        check_parity(network, self.file.read(), self.file.contract)
        return network.train()

    def prepare(self, device: torch.device, smoke: bool) -> None:
        self.device = device

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        random = generator(self.seed, step, torch.device("cpu"))
        crops = [self._crop(random) for _ in range(self.batch_size)]
        given, target = (
            torch.stack(part)[:, None].to(self.device) for part in zip(*crops, strict=True)
        )
        return given, target

    def _crop(self, random: torch.Generator) -> tuple[Tensor, Tensor]:
        def below(count: int) -> int:
            return int(torch.randint(count, (), generator=random))

        pair: Pair = self.own.pairs[below(len(self.own.pairs))]
        rows, columns = pair.given.shape
        top, left = below(rows - self.crop + 1), below(columns - self.crop + 1)
        window = slice(top, top + self.crop), slice(left, left + self.crop)
        given = torch.from_numpy(pair.given[window])
        if pair.target is None:
            given, target = hide(given, random)
        else:
            target = torch.from_numpy(pair.target[window])
        # Augmentation by flipping only: scan errors run along rows, so transposing would be wrong.
        return (given.flip(0), target.flip(0)) if below(2) else (given, target)

    def loss(self, output: Any, target: Tensor) -> Tensor:
        # No loss where the target is unknown.
        return self.base.loss(output, torch.where(target.isnan(), output.detach(), target))

    def panels(self, given: Tensor, output: Any, target: Tensor) -> list[tuple[str, Grey]]:
        return super().panels(given, output, torch.where(target.isnan(), given, target))

    def origin(self) -> dict[str, str]:
        return {
            **self.base.origin(),
            "recipe_version": self.base.version,
            "parent": self.parent,
            "tuned_on": self.own.description,
            "command": f"python -m training.finetune {self.parent} {self.own.options} "
            f"--name {self.name} --version {self.version}",
        }


def hide(image: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """The image with some pixels replaced by neighbours, and a target that is NaN at all others.

    A network that cannot see a pixel can only predict it from its surroundings, which hold its
    signal but not its noise (Krull et al., Noise2Void, CVPR 2019).
    """
    at = torch.rand(image.shape, generator=random) < HIDDEN
    rows, columns = at.nonzero(as_tuple=True)
    width = 2 * NEIGHBOUR_DISTANCE + 1
    # The index of a neighbour, counted row by row without the pixel itself.
    neighbour = torch.randint(width**2 - 1, rows.shape, generator=random)
    neighbour += neighbour >= width**2 // 2
    from_row = _inside(rows, neighbour // width - NEIGHBOUR_DISTANCE, image.shape[0])
    from_column = _inside(columns, neighbour % width - NEIGHBOUR_DISTANCE, image.shape[1])
    shown = image.clone()
    shown[at] = image[from_row, from_column]
    return shown, torch.where(at, image, torch.nan)


def _inside(place: Tensor, step: Tensor, size: int) -> Tensor:
    """`step` forward, or backward where forward leaves the image."""
    further = place + step
    return torch.where((further < 0) | (further >= size), place - step, further)


def fine_tune(
    parent: str, noisy: Path, clean: Path | None, *, crop: int | None = None, **settings: Any
) -> FineTune:
    """The recipe that tunes the named model on the images in the folders, checked."""
    return tuned(parent, partial(read_own, noisy, clean), crop=crop, **settings)


def fine_tune_for(
    parent: str,
    microscope: Microscope,
    *,
    frames: int | None = None,
    crop: int | None = None,
    **settings: Any,
) -> FineTune:
    """The recipe that tunes the named model on simulated frames of a microscope."""
    return tuned(parent, partial(simulated, microscope, count=frames), crop=crop, **settings)


def tuned(
    parent: str, images: Callable[[int], OwnImages], *, crop: int | None = None, **settings: Any
) -> FineTune:
    """`images` are asked for by the side of the crops that are cut from them."""
    info = find(parent)
    contract = info.contract
    if contract.task == "drift":
        raise SystemExit(
            f"{info.name} is a model for drift, which has no clean images to learn from; "
            "fine-tuning takes a model that denoises or restores"
        )
    made = json.loads(contract.training)
    base = load_recipe(made["recipe"], version=made.get("recipe_version", info.version))
    crop = crop or contract.interface.side or max(1, CROP // contract.multiple) * contract.multiple
    own = images(crop)
    pinned = f"{info.name}@{info.version}"
    return FineTune(
        **{
            "name": f"{info.name}-tuned",
            "version": "0.1.0",
            "task": contract.task,
            "summary": f"{pinned}, fine-tuned on {own.kind}.",
            "limits": f"On images unlike those it was tuned on it may do worse than {pinned},\n"
            f"of which was said: {contract.limits}",
            "minutes": MINUTES,
            # Small steps preserve most of the parent's training.
            "learning_rate": base.learning_rate / 5,
            "weight_decay": base.weight_decay,
            "warmup_steps": 20,
            "ema_decay": 0.99,
            "precision": base.precision,
            "trained_for": {"tuned_on": own.description},  # the parent's ranges may no longer hold
            "evaluation": base.evaluation,
            "parent": pinned,
            "images": own.digest(),
            "crop": crop,
            **settings,
        }
    ).attach(info, base, own)


def read_microscope(file: Path) -> Microscope:
    """A microscope from the TOML file that gives its fields."""
    try:
        return Microscope(**tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SystemExit(f"{file} cannot be read: {error.strerror}") from None
    except (TypeError, ValueError) as error:
        raise SystemExit(
            f"{file} does not describe a microscope ({error}); expected "
            + ", ".join(field.name for field in fields(Microscope))
            + ", such as dose = [2, 10]"
        ) from None


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parent", help="the model to start from: NAME or NAME@VERSION")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--noisy", type=Path, help="folder of images or stacks")
    source.add_argument("--microscope", type=Path, help="TOML file that describes a microscope")
    parser.add_argument("--clean", type=Path, help="folder of what they should become")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, default=MINUTES, help="time budget")
    budget.add_argument("--steps", type=int, help="number of steps, instead of minutes")
    parser.add_argument("--name", help="of the new model (default: the parent's, and -tuned)")
    parser.add_argument("--version", default="0.1.0", help="of the new model")
    parser.add_argument("--output", type=Path, default=ZOO, help="zoo folder it goes to")
    parser.add_argument("--crop", type=int, help="side of the training crops, px")
    parser.add_argument("--folder", type=Path, help="of the run (default: runs/NAME)")
    given = parser.parse_args(arguments)
    settings = {"crop": given.crop, "version": given.version}
    settings |= {"name": given.name} if given.name else {}
    try:
        if given.microscope:
            recipe = fine_tune_for(given.parent, read_microscope(given.microscope), **settings)
        else:
            recipe = fine_tune(given.parent, given.noisy, given.clean, **settings)
    except ModelError as error:
        raise SystemExit(str(error)) from None
    model_file(recipe, given.output)  # refuse a name that is taken before training
    run = given.folder or RUNS / recipe.name
    train(recipe, given.minutes, run, steps=given.steps)
    print(export(recipe, run, given.output))


if __name__ == "__main__":
    main()
