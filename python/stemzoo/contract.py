"""What a model file promises about itself; a runtime needs to know nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from stemzoo._onnx import metadata
from stemzoo.errors import ModelError

PREFIX = "stemzoo."
NORMALISATIONS = ("mean-std",)
TASKS = ("denoise", "restore", "drift")


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

    @classmethod
    def of(cls, model: bytes, where: str) -> Contract:
        """The contract inside a serialised model found at `where`."""
        try:
            properties = metadata(model)
        except ModelError as error:
            raise ModelError(f"{where}: {error}") from None
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
            trained_for={
                key.partition(".")[2]: value
                for key, value in given.items()
                if key.startswith("trained_for.")
            },
        )
        _require(contract.task, TASKS, "task", where)
        _require(contract.normalisation, NORMALISATIONS, "normalisation", where)
        return contract

    def metadata(self) -> dict[str, str]:
        """The same as properties to write into an ONNX file."""
        plain = {k: str(v) for k, v in vars(self).items() if k != "trained_for"}
        ranges = {f"trained_for.{k}": v for k, v in self.trained_for.items()}
        return {PREFIX + key: value for key, value in (plain | ranges).items()}


def _count(given: dict[str, str], key: str, least: int, where: str) -> int:
    try:
        value = int(given[key])
    except ValueError:
        value = least - 1
    if value < least:
        raise ModelError(
            f"{where}: {PREFIX}{key} is '{given[key]}'; expected a whole number >= {least}"
        )
    return value


def _require(value: str, known: tuple[str, ...], key: str, where: str) -> None:
    if value not in known:
        raise ModelError(
            f"{where}: {PREFIX}{key} is '{value}'; this stemzoo knows {', '.join(known)}; "
            "a newer stemzoo may know more"
        )
