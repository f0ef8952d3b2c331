"""Rendered scenes and views cached on disk, so that training on a CPU renders them once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from stemzoo.common.atomic import replacing
from training.simulate.scenes import render_scenes

SCENE_CACHE = Path("runs/scenes")
VIEW_CACHE = Path("runs/views")
SMOKE_SCENES = 32
# Modules of this package that scenes.py and views.py depend on, including themselves.
SCENE_SOURCES = (
    "crystals",
    "defects",
    "draw",
    "lattice",
    "probe",
    "render",
    "scenes",
    "shapes",
    "specimen",
    "texture",
)
VIEW_SOURCES = (*SCENE_SOURCES, "scan", "views")


def scenes(
    count: int,
    size: int,
    seed: int,
    device: torch.device,
    *,
    smoke: bool = False,
    folder: Path = SCENE_CACHE,
) -> Tensor:
    """[count, size, size] float16 scenes, rendered on `device` or read from `folder`.

    With `smoke`, a few are rendered and not cached.
    """
    random = torch.Generator(device).manual_seed(seed)
    if smoke:
        return render_scenes(min(count, SMOKE_SCENES), size, random)
    if device.type != "cpu":
        return render_scenes(count, size, random)  # a GPU renders faster than a disk reads
    path = folder / f"{_digest(SCENE_SOURCES, count, size, seed)}.npy"
    if not path.exists():
        rendered = render_scenes(count, size, random).numpy()
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.save(file, rendered)
    # Memory-mapped: processes that train at the same time share the memory.
    return torch.from_numpy(np.load(path, mmap_mode="c"))


def views(
    render: Callable[[], dict[str, Tensor]], settings: object, folder: Path = VIEW_CACHE
) -> dict[str, Tensor]:
    """The result of `render`, cached by `settings` and the simulator's source."""
    return saved(folder / f"{_digest(VIEW_SOURCES, settings)}.pt", render)


def saved(path: Path, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors in the file `path`, made and written first if it does not exist."""
    if not path.exists():
        tensors = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            torch.save(tensors, file)
    result: dict[str, Tensor] = torch.load(path, mmap=True, weights_only=True)
    return result


def _digest(sources: Sequence[str], *settings: object) -> str:
    """Of the settings and the source code: a changed simulator never finds old pictures."""
    digest = hashlib.sha256(repr((settings, torch.__version__)).encode())
    for name in sources:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]
