"""Scenes kept on disk, so that training on a CPU renders them once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.simulate.scenes import render_scenes

FOLDER = Path("runs/scenes")
FEW = 32
# The modules of this package that scenes.py needs, itself among them.
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
    path = folder / f"{_fingerprint(count, size, seed)}.npy"
    if not path.exists():
        _write(path, render_scenes(count, size, random))
    # Mapped, not read: processes that train at one time share the memory.
    return torch.from_numpy(np.load(path, mmap_mode="c"))


def _fingerprint(*settings: int) -> str:
    """Of the settings and of what renders scenes: a changed simulator never finds old ones."""
    digest = hashlib.sha256(repr((settings, torch.__version__)).encode())
    for name in SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def _write(path: Path, rendered: Tensor) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, rendered.numpy())
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise
