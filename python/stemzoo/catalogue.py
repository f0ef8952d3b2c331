"""Which models there are and where: discovered in folders, listed nowhere.

A place holds one folder a model; a model folder holds `<name>-<version>.onnx` and what belongs to
it. The places, in order: the models bundled in the wheel, then each folder of STEMZOO_SITE.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stemzoo.contract import Contract
from stemzoo.errors import ModelError
from stemzoo.index import version_order

BUNDLED = Path(__file__).parent / "zoo"


@dataclass(frozen=True)
class ModelInfo:
    """One version of one model, as found."""

    name: str
    version: str
    task: str
    size: int  # bytes
    where: Path
    contract: Contract

    @classmethod
    def at(cls, path: Path) -> ModelInfo:
        contract = Contract.of(_bytes(path), str(path))
        return cls(
            contract.name, contract.version, contract.task, path.stat().st_size, path, contract
        )


def places() -> list[Path]:
    site = os.environ.get("STEMZOO_SITE", "")
    return [BUNDLED, *(Path(folder) for folder in site.split(os.pathsep) if folder)]


def models() -> list[ModelInfo]:
    """Every model at hand, newest version first; where a version is met twice, the first place."""
    found: dict[tuple[str, str], ModelInfo] = {}
    for path in _files():
        info = ModelInfo.at(path)
        found.setdefault((info.name, info.version), info)
    newest_first = sorted(
        found.values(), key=lambda info: version_order(info.version), reverse=True
    )
    return sorted(newest_first, key=lambda info: info.name)


def find(name: str, version: str | None = None) -> ModelInfo:
    """The named model, in the given version or its newest; `name@version` says both."""
    name, _, pinned = name.partition("@")
    version = version or pinned or "latest"
    known = models()
    versions = [info for info in known if info.name == name]
    if not versions:
        names = sorted({info.name for info in known})
        close = difflib.get_close_matches(name, names, n=1)
        hint = (
            f"did you mean '{close[0]}'?" if close else f"there are: {', '.join(names) or 'none'}"
        )
        raise ModelError(f"no model is called '{name}'; {hint} (see stemzoo models list)")
    for info in versions:
        if version in ("latest", info.version):
            return info
    raise ModelError(
        f"{name} has no version '{version}'; there are: {', '.join(i.version for i in versions)}"
    )


def _files() -> Iterator[Path]:
    for place in places():
        yield from sorted(place.glob("*/*.onnx"))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"cannot read the model {path}: {error.strerror}") from error
