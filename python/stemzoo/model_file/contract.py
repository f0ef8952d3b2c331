"""What a model file promises about itself; a runtime needs to know nothing else.

The core (csrc/model_file) reads the file, checks what it promises, and refuses what may not run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from stemzoo import _core
from stemzoo.model_file.interface import Images, Interface, Looks, Surfaces, Windows

PREFIX = "stemzoo."
MAX_MODEL = _core.MAX_MODEL  # bytes of a file
LOOK = _core.LOOK  # which look is made of a frame: csrc/drift/look.hpp


@dataclass(frozen=True)
class Contract:
    """The `stemzoo.*` metadata of a model, checked."""

    name: str
    version: str
    task: str
    multiple: int  # height and width of what the network is given divide by this
    halo: int  # pixels around a tile that still change what comes out inside it
    normalisation: str
    licence: str
    training: str  # recipe, commit, seed, device and cost, as JSON
    summary: str = ""
    limits: str = ""  # where it is known to fail
    trained_for: dict[str, str] = field(default_factory=dict)  # dose, spacing, ...
    whole: int = 0  # px: frames up to this on a side go in one piece; 0: what is usual
    window: int = 0  # side of the only windows the network takes; 0: any multiple
    step: int = 0  # how far apart such windows lie when they cover an image
    surface: int = 0  # side of the NCC surface that a drift network reads
    features: int = 0  # maps that a drift network makes of a frame; the second half count against
    look: int = 0  # which look they are made of
    minimum_runtime: str = "0.1.0"  # the oldest stemzoo that can run it
    denoiser: str = ""  # NAME@VERSION both frames pass before they are correlated

    @cached_property
    def interface(self) -> Interface:
        """What kind of network it is."""
        if self.surface:
            return Surfaces(self.surface)
        if self.features:
            return Looks(self.features, self.look, self.multiple, self.halo)
        if self.window:
            return Windows(self.window, self.step)
        return Images(self.multiple, self.halo, self.whole)

    @classmethod
    def of(cls, model: bytes, where: str) -> Contract:
        """The contract inside a serialised model found at `where`."""
        return cls.told(_core.properties_of(model, where), where)

    @classmethod
    def told(cls, properties: Mapping[str, str], where: str) -> Contract:
        """The contract in the metadata of a model found at `where`."""
        return cls(**_core.contract_of(dict(properties), where))

    def metadata(self) -> dict[str, str]:
        """The same as properties to write into an ONNX file."""
        optional = ("whole", "window", "step", "surface", "features", "look", "denoiser")
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {
            key: str(value)
            for key, value in values.items()
            if key != "trained_for" and (value or key not in optional)
        }
        ranges = {f"trained_for.{k}": v for k, v in self.trained_for.items()}
        return {PREFIX + key: value for key, value in (plain | ranges).items()}
