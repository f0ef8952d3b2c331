"""A file may hold several signals: which of them is the image?

Of several images, the one whose name says HAADF is meant; no other is guessed at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import FileError
from stemzoo.io.jsonable import jsonable_items
from stemzoo.io.micrograph import Micrograph

Wanted = int | str | None  # a signal, by its number or its name

_USUAL = re.compile(r"(?<![a-z])haadf(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Dataset:
    """One array of a file. `problem` says why it cannot be used as an image, if it cannot."""

    data: NDArray[Any]
    title: str = ""
    pixel_size: tuple[float, float] | None = None
    unit: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None

    @property
    def name(self) -> str:
        return self.title or "untitled"

    def __str__(self) -> str:
        about = f"{self.name}, shape {self.data.shape}, {self.data.dtype}"
        return f"{about} (not usable: {self.problem})" if self.problem else about


def native(data: NDArray[Any]) -> NDArray[Any]:
    """The same values in this machine's byte order, with bool as 0 and 1."""
    if data.dtype.kind == "b":
        return data.astype(np.uint8)
    if not data.dtype.isnative:
        return data.astype(data.dtype.newbyteorder("="))
    return data


def choose(datasets: list[Dataset], wanted: Wanted, path: Path) -> Micrograph:
    """The signal asked for, the only image there is, or the only HAADF image among several."""
    number = _usual(datasets, path) if wanted is None else _asked_for(datasets, wanted, path)
    chosen, several = datasets[number], len(datasets) > 1
    return Micrograph(
        data=native(chosen.data),
        pixel_size=chosen.pixel_size,
        unit=chosen.unit,
        metadata={"title": chosen.title or path.stem, **jsonable_items(chosen.metadata)},
        source=path,
        signal=number if several or isinstance(wanted, int) else None,
        signals=tuple(dataset.name for dataset in datasets),
    )


def _asked_for(datasets: list[Dataset], wanted: int | str, path: Path) -> int:
    number = wanted if isinstance(wanted, int) else _named(datasets, wanted, path)
    if not 0 <= number < len(datasets):
        raise FileError(f"{path} has no signal {number}; {_listing(datasets)}")
    if problem := datasets[number].problem:
        raise FileError(f"signal {number} of {path} cannot be used: {problem}")
    return number


def _named(datasets: list[Dataset], name: str, path: Path) -> int:
    """The one signal of exactly this name, or the only one whose name has it as a word."""
    titles = [dataset.name.casefold() for dataset in datasets]
    usable = [n for n, dataset in enumerate(datasets) if not dataset.problem]
    word = re.compile(rf"(?<![^\W_]){re.escape(name.casefold())}(?![^\W_])")
    for found in (
        [n for n, title in enumerate(titles) if title == name.casefold()],
        [n for n, title in enumerate(titles) if word.search(title)],
    ):
        at_hand = [n for n in found if n in usable] or found
        if len(at_hand) == 1:
            return at_hand[0]
        if found:
            raise FileError(
                f"{path} holds {len(found)} signals called {name!r}; give the number of one; "
                f"{_listing(datasets)}"
            )
    if name.isdecimal():
        return int(name)
    raise FileError(f"{path} has no signal called {name!r}; {_listing(datasets)}")


def _usual(datasets: list[Dataset], path: Path) -> int:
    usable = [number for number, dataset in enumerate(datasets) if not dataset.problem]
    if len(usable) == 1:
        return usable[0]
    if not datasets:
        raise FileError(f"{path} holds no image")
    if len(datasets) == 1:
        raise FileError(f"{path} holds no usable image: {datasets[0].problem}")
    if not usable:
        raise FileError(f"{path} holds no usable image; {_listing(datasets)}")
    haadf = [number for number in usable if _USUAL.search(datasets[number].title)]
    if len(haadf) == 1:
        return haadf[0]
    raise FileError(
        f"{path} holds {len(usable)} images, {len(haadf) or 'none'} of them called HAADF; say "
        "which one is meant with signal=NAME or NUMBER (--signal on the command line); "
        f"{_listing(datasets)}"
    )


def _listing(datasets: list[Dataset]) -> str:
    lines = "".join(f"\n  {number}: {dataset}" for number, dataset in enumerate(datasets))
    return f"it holds these signals:{lines}"
