"""Scenes and views kept on disk, so that training on a CPU renders them once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import torch
from torch import Tensor

from training.simulate.scenes import render_scenes

FOLDER = Path("runs/scenes")
VIEWS = Path("runs/views")
FEW = 32
# The modules of this package that scenes.py and views.py need, themselves among them.
SOURCES = (
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

VIEW_SOURCES = (*SOURCES, "scan", "views")


def scenes(
    count: int,
    size: int,
    seed: int,
    device: torch.device,
    *,
    smoke: bool = False,
    folder: Path = FOLDER,
) -> Tensor:
    """[count, size, size] float16 scenes, rendered on `device` or read from `folder`.

    A few are made, and not kept, where `smoke`.
    """
    random = torch.Generator(device).manual_seed(seed)
    if smoke:
        return render_scenes(min(count, FEW), size, random)
    if device.type != "cpu":
        return render_scenes(count, size, random)  # a GPU renders faster than a disk reads
    path = folder / f"{_fingerprint(SOURCES, count, size, seed)}.npy"
    if not path.exists():
        rendered = render_scenes(count, size, random).numpy()
        _write(path, lambda file: np.save(file, rendered))
    # Mapped, not read: processes that train at one time share the memory.
    return torch.from_numpy(np.load(path, mmap_mode="c"))


def views(
    render: Callable[[], dict[str, Tensor]], settings: object, folder: Path = VIEWS
) -> dict[str, Tensor]:
    """What `render` makes, or made for the same settings before."""
    path = folder / f"{_fingerprint(VIEW_SOURCES, settings)}.pt"
    if not path.exists():
        rendered = render()
        _write(path, lambda file: torch.save(rendered, file))
    made: dict[str, Tensor] = torch.load(path, mmap=True, weights_only=True)
    return made


def _fingerprint(sources: Sequence[str], *settings: object) -> str:
    """Of the settings and of what renders: a changed simulator never finds old pictures."""
    digest = hashlib.sha256(repr((settings, torch.__version__)).encode())
    for name in sources:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def _write(path: Path, save: Callable[[IO[bytes]], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            save(file)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
