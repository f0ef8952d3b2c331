"""How much an HDF5 file (.emd, .hspy) announces, before anything of it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stemzoo.io.bounds import require_plausible


def check(path: Path) -> None:
    """FileError where its datasets are more than a file of its size can hold."""
    import h5py

    announced = 0

    def count(name: str, item: Any) -> None:
        nonlocal announced
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            announced += item.nbytes

    with h5py.File(path, "r") as file:
        file.visititems(count)
    require_plausible(announced, path)
