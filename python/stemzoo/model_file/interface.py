"""What a network takes and gives: an image, a window of one, the surface or the look of a frame.

A contract decides which it is, in one place (`Contract.interface`); whoever needs to know the kind
of a network asks the class of its interface.
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

LOOKS = 3  # channels of a look


@dataclass(frozen=True)
class Interface:
    """One input [N, channels, height, width] and the outputs, by name."""

    input: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]]
    channels: ClassVar[int] = 1

    @property
    def side(self) -> int:
        """The only height and width of the input; 0 where they are free."""
        return 0


@dataclass(frozen=True)
class TakesImages(Interface, ABC):
    """An image, or a part of one, in; the same pixels out."""

    input = "image"
    outputs = ("output",)

    @abstractmethod
    def geometry(self, step: int | None, name: str) -> dict[str, int]:
        """How the network called `name` is laid over an image, with windows every `step` px
        (None: as its maker says), in the words of csrc/inference/plan_tiles.hpp."""


@dataclass(frozen=True)
class Images(TakesImages):
    """Images of any size. Sides are multiples of `multiple`, and an output pixel depends on nothing
    farther than `halo` px away; images up to `whole` px on a side go in one piece."""

    multiple: int
    halo: int
    whole: int

    def geometry(self, step: int | None, name: str) -> dict[str, int]:
        if step is not None:
            raise ValueError(
                f"step is {step!r}, but {name} is no network of fixed windows: it takes images as "
                "a whole; leave step out"
            )
        return {"multiple": self.multiple, "halo": self.halo, "whole": self.whole}


@dataclass(frozen=True)
class Windows(TakesImages):
    """Windows of one size, which lie every `step` px over an image."""

    window: int
    step: int

    @property
    def side(self) -> int:
        return self.window

    def geometry(self, step: int | None, name: str) -> dict[str, int]:
        chosen = self.step if step is None else step
        if not isinstance(chosen, numbers.Integral) or not 1 <= chosen <= self.window:
            raise ValueError(
                f"step is {step!r}; expected a whole number of pixels from 1 to {self.window}, the "
                f"side of the windows of {name}"
            )
        return {"multiple": 1, "halo": 0, "window": self.window, "step": int(chosen)}


@dataclass(frozen=True)
class Surfaces(Interface):
    """The normalised cross-correlation of two frames in; their drift and its sigma out."""

    input = "surface"
    outputs = ("drift", "sigma")
    surface: int

    @property
    def side(self) -> int:
        return self.surface


@dataclass(frozen=True)
class Looks(Interface):
    """The look of one frame in (csrc/drift/look.hpp, of the version `look`); `features` maps out,
    of which the second half count against a drift."""

    input = "look"
    outputs = ("features",)
    channels = LOOKS
    features: int
    look: int
    multiple: int
    halo: int
