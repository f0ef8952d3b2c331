"""A file may hold several datasets: which of them is the image?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import FileError
from stemzoo.io.jsonable import jsonable_items
from stemzoo.io.micrograph import Micrograph


@dataclass(frozen=True, eq=False)
class Dataset:
    """One array of a file. `problem` says why it cannot be used as an image, if it cannot."""

    data: NDArray[Any]
    title: str = ""
    pixel_size: tuple[float, float] | None = None
    unit: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None

    def __str__(self) -> str:
        about = f"{self.title or 'untitled'}, shape {self.data.shape}, {self.data.dtype}"
        return f"{about} (not usable: {self.problem})" if self.problem else about


def native(data: NDArray[Any]) -> NDArray[Any]:
    """The same values in this machine's byte order, with bool as 0 and 1."""
    if data.dtype.kind == "b":
        return data.astype(np.uint8)
    if not data.dtype.isnative:
        return data.astype(data.dtype.newbyteorder("="))
    return data


def choose(datasets: list[Dataset], wanted: int | None, path: Path) -> Micrograph:
    """The dataset asked for, or the only image there is; never a guess among several."""
    if wanted is not None:
        chosen = _asked_for(datasets, wanted, path)
    else:
        chosen = _only_image(datasets, path)
    return Micrograph(
        data=native(chosen.data),
        pixel_size=chosen.pixel_size,
        unit=chosen.unit,
        metadata={"title": chosen.title or path.stem, **jsonable_items(chosen.metadata)},
        source=path,
    )


def _asked_for(datasets: list[Dataset], wanted: int, path: Path) -> Dataset:
    if not 0 <= wanted < len(datasets):
        raise FileError(f"{path} has no dataset {wanted}; {_listing(datasets)}")
    chosen = datasets[wanted]
    if chosen.problem:
        raise FileError(f"dataset {wanted} of {path} cannot be used: {chosen.problem}")
    return chosen


def _only_image(datasets: list[Dataset], path: Path) -> Dataset:
    usable = [dataset for dataset in datasets if not dataset.problem]
    if len(usable) == 1:
        return usable[0]
    if not datasets:
        raise FileError(f"{path} holds no image")
    if len(datasets) == 1:
        raise FileError(f"{path} holds no usable image: {datasets[0].problem}")
    if not usable:
        raise FileError(f"{path} holds no usable image; {_listing(datasets)}")
    raise FileError(
        f"{path} holds {len(usable)} images; say which one is meant with dataset=N "
        f"(--dataset N on the command line); {_listing(datasets)}"
    )


def _listing(datasets: list[Dataset]) -> str:
    lines = "".join(f"\n  {number}: {dataset}" for number, dataset in enumerate(datasets))
    return f"it holds these datasets:{lines}"
