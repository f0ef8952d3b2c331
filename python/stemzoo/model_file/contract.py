"""What a model file promises about itself; a runtime needs to know nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from stemzoo.common.errors import ModelError
from stemzoo.model_file.interface import Images, Interface, Looks, Surfaces, Windows
from stemzoo.model_file.onnx_reader import metadata

PREFIX = "stemzoo."
NORMALISATIONS = ("mean-std",)
TASKS = ("denoise", "restore", "drift")
MAX_MODEL = 1 << 30  # bytes of a file
MAX_WHOLE = 4096  # px: no network is handed more on a side
LOOK = 1  # which look that is: another number whenever csrc/drift/look.hpp makes another


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
        try:
            properties = metadata(model)
        except ModelError as error:
            raise ModelError(f"{where}: {error}") from None
        return cls.told(properties, where)

    @classmethod
    def told(cls, properties: Mapping[str, str], where: str) -> Contract:
        """The contract in the metadata of a model found at `where`."""
        given = {k[len(PREFIX) :]: v for k, v in properties.items() if k.startswith(PREFIX)}
        words = ("name", "version", "task", "normalisation", "licence", "training")
        missing = [key for key in (*words, "multiple", "halo") if key not in given]
        if missing:
            raise ModelError(
                f"{where} does not meet the model contract: its metadata lacks "
                f"{', '.join(PREFIX + key for key in missing)}; "
                "export it with training/export.py, or ask its maker for such a file"
            )
        contract = cls(
            **{key: given[key] for key in words},
            summary=given.get("summary", ""),
            limits=given.get("limits", ""),
            multiple=_count(given, "multiple", 1, where),
            halo=_count(given, "halo", 0, where),
            whole=_count(given, "whole", 1, where, default=0),
            window=_count(given, "window", 0, where, default=0),
            step=_count(given, "step", 0, where, default=0),
            surface=_count(given, "surface", 0, where, default=0),
            features=_count(given, "features", 0, where, default=0),
            look=_count(given, "look", 0, where, default=0),
            minimum_runtime=given.get("minimum_runtime", cls.minimum_runtime),
            denoiser=given.get("denoiser", ""),
            trained_for={
                key.partition(".")[2]: value
                for key, value in given.items()
                if key.startswith("trained_for.")
            },
        )
        _require(contract.task, TASKS, "task", where)
        _require(contract.normalisation, NORMALISATIONS, "normalisation", where)
        contract._require_whole(where)
        return contract

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

    def _require_whole(self, where: str) -> None:
        """What the task needs beside what every model says."""
        if (self.task == "drift") != ((self.surface > 0) != (self.features > 0)):
            raise ModelError(
                f"{where}: its task is {self.task}, {PREFIX}surface is {self.surface} and "
                f"{PREFIX}features is {self.features}; a drift model, and no other, names the side "
                "of the surface it reads, or how many features it makes of a frame"
            )
        if self.features % 2:
            raise ModelError(
                f"{where}: {PREFIX}features is {self.features}; expected an even number, since "
                "half of them count for a drift and half against it"
            )
        least = -(-2 * self.halo // self.multiple) * self.multiple + self.multiple
        if self.whole and not (not self.window and least <= self.whole <= MAX_WHOLE):
            raise ModelError(
                f"{where}: {PREFIX}whole is {self.whole}, {PREFIX}halo {self.halo} and "
                f"{PREFIX}window {self.window}; expected {least} (two halos and a multiple) to "
                f"{MAX_WHOLE} px, and none for a network of fixed windows: export it without"
            )
        if self.window and not 1 <= self.step <= self.window:
            raise ModelError(
                f"{where}: {PREFIX}step is {self.step}; expected 1 to {self.window}, its window"
            )


def _count(
    given: dict[str, str], key: str, least: int, where: str, default: int | None = None
) -> int:
    if default is not None and key not in given:
        return default
    try:
        value = int(given[key])
    except ValueError:
        value = least - 1
    if value < least:
        raise ModelError(
            f"{where}: {PREFIX}{key} is '{given[key]:.80}'; expected a whole number >= {least}"
        )
    return value


def _require(value: str, known: tuple[str, ...], key: str, where: str) -> None:
    if value not in known:
        raise ModelError(
            f"{where}: {PREFIX}{key} is '{value:.80}'; this stemzoo knows {', '.join(known)}; "
            "a newer stemzoo may know more"
        )
