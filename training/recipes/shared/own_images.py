"""A user's own images as training pairs, all checked before training; or simulated ones.

The target of a file is the file of the same name in the folder of clean images, if one is given.
Otherwise a stack is taken as repeated frames of one specimen: the target of each frame is the
average of the others, whose noise is independent. A single image is its own target, at pixels that
the network does not see.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stemzoo.common.errors import FileError
from stemzoo.io import read
from training.simulate.microscope import Microscope

FRAMES, AT_ONCE, SEED = 400, 20, 1  # simulated, in all and at a time

Image = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """An image and its target, both normalised as by the runtime: the image has zero mean and unit
    standard deviation. A target of None means the image itself at hidden pixels."""

    given: NDArray[np.float32]
    target: NDArray[np.float32] | None

    @classmethod
    def of(cls, image: Image, target: Image | None) -> Pair:
        mean, std = image.mean(), image.std()
        return cls(
            ((image - mean) / std).astype(np.float32),
            None if target is None else ((target - mean) / std).astype(np.float32),
        )


@dataclass(frozen=True)
class OwnImages:
    pairs: list[Pair]
    options: str  # of the command that reads them
    description: str  # for the card
    kind: str = "a user's own images"

    def digest(self) -> str:
        """Depends on the pixels only, not on the names of the files."""
        found = hashlib.sha256()
        for pair in self.pairs:
            found.update(pair.given.tobytes())
            if pair.target is not None:
                found.update(pair.target.tobytes())
        return found.hexdigest()[:16]


def read_own(noisy: Path, clean: Path | None, side: int) -> OwnImages:
    """The files of a folder with their partners in the other, at least `side` px high and wide.

    One error lists everything that is wrong.
    """
    files = _files(noisy)
    partners = {file.name: file for file in _files(clean)} if clean else {}
    pairs: list[Pair] = []
    problems: list[str] = []
    stacks = singles = 0
    for file in files:
        try:
            image = _usable(file, side)
            pairs += _with_clean(image, file, partners, clean) if clean else _self_supervised(image)
        except (FileError, ValueError) as error:
            problems.append(str(error))
            continue
        stacks += len(image) > 1
        singles += len(image) == 1
    unused = sorted(set(partners) - {file.name for file in files})
    problems += [f"{partners[name]} has no partner {noisy / name}" for name in unused]
    if problems:
        raise SystemExit(
            f"{len(problems)} of the files cannot be used, and nothing was trained:\n  "
            + "\n  ".join(problems)
        )
    how = [f"{singles} image{'s' * (singles > 1)}"] if singles else []
    how += [f"{stacks} stack{'s' * (stacks > 1)}"] if stacks else []
    frames = f" ({len(pairs)} frames in all)" if stacks else ""
    against = "with their clean partners" if clean else "without clean partners"
    description = f"{' and '.join(how)}{frames} of a user's own, {against}"
    options = "--noisy FOLDER" + (" --clean FOLDER" if clean else "")
    return OwnImages(pairs, options, description)


def simulated(microscope: Microscope, side: int, *, count: int | None = None) -> OwnImages:
    """Frames of a microscope, somewhat larger than the crops of `side` px."""
    count = count or FRAMES
    random = torch.Generator().manual_seed(SEED)
    parts = [min(AT_ONCE, count - first) for first in range(0, count, AT_ONCE)]
    frames = [microscope.frames(part, 3 * side // 2, random) for part in parts]
    noisy, truth = (torch.cat(part).double().numpy() for part in zip(*frames, strict=True))
    pairs = [Pair.of(one, other) for one, other in zip(noisy, truth, strict=True) if one.std() > 0]
    description = f"{len(pairs)} simulated frames of a microscope: {microscope}"
    return OwnImages(pairs, "--microscope FILE", description, "simulated frames of one microscope")


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SystemExit(f"there is no folder {folder}; name one that holds images or stacks")
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    if not files:
        raise SystemExit(f"the folder {folder} holds no files; put images or stacks into it")
    return files


def _usable(file: Path, side: int) -> Image:
    """The frames of a file, one for a single image; FileError if they cannot be used."""
    data = read(file).data.astype(np.float64)
    frames = data if data.ndim == 3 else data[None]
    rows, columns = frames.shape[1:]
    if min(rows, columns) < side:
        raise FileError(
            f"{file} is {rows} x {columns} px, smaller than the crops of {side} x {side} px that "
            "training takes; leave it out, or give a smaller --crop"
        )
    if not np.isfinite(frames).all():
        raise FileError(f"{file} holds NaN or infinity; replace those pixels first")
    if (frames.std(axis=(1, 2)) == 0).any():
        raise FileError(f"{file} holds an image of one value only; leave it out")
    return frames


def _self_supervised(frames: Image) -> list[Pair]:
    if len(frames) == 1:
        return [Pair.of(frames[0], None)]
    total = frames.sum(axis=0)
    return [Pair.of(frame, (total - frame) / (len(frames) - 1)) for frame in frames]


def _with_clean(frames: Image, file: Path, partners: dict[str, Path], folder: Path) -> list[Pair]:
    if file.name not in partners:
        raise FileError(f"{file} has no partner {folder / file.name}")
    partner = partners[file.name]
    targets = _usable(partner, 1)
    if targets.shape != frames.shape:
        raise FileError(
            f"{partner} is {_size(targets)}, and {file} is {_size(frames)}; partners must agree"
        )
    # Noise and scan errors keep the mean; another gain or unit does not.
    apart = abs(targets.mean() - frames.mean()) / frames.std()
    if apart > 1:
        raise FileError(
            f"{partner} has a mean of {targets.mean():.4g}, and {file} one of "
            f"{frames.mean():.4g}; give both in the same units"
        )
    return [Pair.of(frame, target) for frame, target in zip(frames, targets, strict=True)]


def _size(frames: Image) -> str:
    return " x ".join(map(str, frames.shape if len(frames) > 1 else frames.shape[1:])) + " px"
