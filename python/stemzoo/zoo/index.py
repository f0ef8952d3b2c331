"""What a zoo says it holds: `index.json`, read as if its writer meant harm, and written.

An index lists every version of every model, by size and sha256, and the files that belong to it. A
file stands at `<name>/<file>` beside the index, the network at `<name>/<name>-<version>.onnx`.
Nothing else of an index decides where anything is read or written.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stemzoo.common.errors import Corrupt, ModelError
from stemzoo.model_file.contract import MAX_MODEL, Contract

FILE = "index.json"
FORMAT = 1
MAX_BYTES = 4 << 20  # of an index
MAX_FILE = 64 << 20  # bytes of a file that is no network
MAX_ENTRIES, MAX_FILES, MAX_DEPTH = 10_000, 64, 8

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
VERSION = re.compile(r"(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)  # not on Windows


@dataclass(frozen=True)
class Stored:
    """How many bytes a file has, and which."""

    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Stored:
        return cls(len(content), hashlib.sha256(content).hexdigest())

    def require(self, found: Stored, where: Path | str) -> None:
        if found != self:
            raise Corrupt(
                f"{where} is corrupt, or is not the file it is listed as: it has {found.size} "
                f"bytes and the sha256 {found.sha256}; expected {self.size} and {self.sha256}"
            )


@dataclass(frozen=True)
class Entry:
    """One version of one model."""

    name: str
    version: str
    task: str
    licence: str
    minimum_runtime: str
    summary: str
    model: Stored
    files: Mapping[str, Stored] = field(default_factory=dict)  # by name; the network is not in it

    @property
    def network(self) -> str:
        return f"{self.name}-{self.version}.onnx"

    @property
    def order(self) -> tuple[int, ...]:
        return version_order(self.version)

    def path(self, file: str) -> str:
        """Where a file stands, seen from the index."""
        return f"{self.name}/{file}"

    def everything(self) -> dict[str, Stored]:
        """All files by name, the network first."""
        return {self.network: self.model, **self.files}


@dataclass(frozen=True)
class Index:
    """All that a zoo holds. `version` grows whenever that changes."""

    version: int
    entries: tuple[Entry, ...]
    expires: str = ""  # YYYY-MM-DD, or empty: a signed index is not believed after that day

    def versions(self, name: str) -> list[Entry]:
        """Newest first."""
        named = [entry for entry in self.entries if entry.name == name]
        return sorted(named, key=lambda entry: entry.order, reverse=True)


def version_order(version: str) -> tuple[int, ...]:
    """Semantic versions by number, so that 0.10.0 comes after 0.9.0."""
    return tuple(int(part) if part.isdigit() else -1 for part in version.split("."))


def order_of(network: Path) -> tuple[int, ...]:
    """The same, by a network's file name."""
    return version_order(network.stem.rpartition("-")[2])


def networks(folder: Path) -> list[Path]:
    """The networks `<name>-<version>.onnx` of a model folder, the newest last."""
    return sorted(folder.glob("*.onnx"), key=order_of)


def newest(folder: Path) -> Path:
    """The network that the card and the figures of a model folder are about."""
    return networks(folder)[-1]


def build(zoo: Path, version: int, expires: str = "", only: str | None = None) -> Index:
    """The index of the model folders of a zoo, or of one of them, from what is in them."""
    try:
        entries = tuple(_entry(network) for network in sorted(zoo.glob(f"{only or '*'}/*.onnx")))
    except OSError as error:
        raise ModelError(f"cannot read {error.filename}: {error.strerror}") from error
    index = Index(version, entries, expires)
    return parse(written(index), str(zoo))  # what cannot be read is not written


def _entry(network: Path) -> Entry:
    content, folder = network.read_bytes(), network.parent
    files = {name: file.read_bytes() for name, file in companions(network).items()}
    entry = listed(Contract.of(content, str(network)), content, files, str(network))
    if f"{folder.name}/{network.name}" != entry.path(entry.network):
        raise ModelError(
            f"{network} says of itself that it is {entry.name} {entry.version}; in a zoo it stands "
            f"at {entry.path(entry.network)}"
        )
    return entry


def listed(contract: Contract, network: bytes, files: Mapping[str, bytes], where: str) -> Entry:
    """How an index lists a version; ModelError where it could not be read from one."""
    entry = Entry(
        contract.name,
        contract.version,
        contract.task,
        contract.licence,
        contract.minimum_runtime,
        contract.summary,
        Stored.of(network),
        {name: Stored.of(content) for name, content in files.items()},
    )
    try:
        return _Reader().entry(_plain(entry))
    except _Wrong as wrong:
        raise ModelError(f"{where} cannot be in a zoo: {wrong}") from None


def companions(network: Path) -> dict[str, Path]:
    """The files that belong to a network in its folder, by name.

    Files of an older version bear its name (`denoise-live-0.1.0.sample_input.npy`), and so does its
    network; all others are the newest version's.
    """
    *older, last = networks(network.parent)

    def owner(name: str) -> Path:
        return next((other for other in older if name.startswith(f"{other.stem}.")), last)

    files = sorted(file for file in network.parent.iterdir() if file.is_file())
    return {
        file.name: file
        for file in files
        if file.suffix != ".onnx" and file.name[0] != "." and owner(file.name) == network
    }


def written(index: Index) -> bytes:
    """As bytes, the same for the same index."""
    models = [_plain(entry) for entry in sorted(index.entries, key=lambda e: (e.name, e.order))]
    content = {"format": FORMAT, "version": index.version, "expires": index.expires}
    return (json.dumps(content | {"models": models}, indent=1) + "\n").encode()


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "version": entry.version,
        "task": entry.task,
        "licence": entry.licence,
        "minimum_runtime": entry.minimum_runtime,
        "summary": entry.summary,
        **vars(entry.model),
        "files": {name: vars(stored) for name, stored in sorted(entry.files.items())},
    }


def parse(content: bytes, where: str) -> Index:
    """The index in some bytes; ModelError says what is wrong with them."""
    try:
        return _Reader().index(_json(content))
    except _Wrong as wrong:
        raise ModelError(f"the index {where} is not to be used: {wrong}") from None


class _Wrong(Exception):
    pass


def _json(content: bytes) -> Any:
    if len(content) > MAX_BYTES:
        raise _Wrong(f"it has {len(content)} bytes; expected at most {MAX_BYTES}")
    try:
        text = content.decode("utf-8")
        # Python's reader recurses: what is nested without end is refused before it is read.
        _require_shallow(text)
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError as error:
        raise _Wrong(f"it is no JSON: {error}") from None


def _require_shallow(text: str) -> None:
    """Counts brackets inside strings too, as if they nested."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > MAX_DEPTH:
            raise _Wrong(f"it is nested deeper than {MAX_DEPTH} levels")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Wrong("it gives one key twice")
    return found


def _require_one_content(entries: Iterable[Entry]) -> None:
    """Versions of a model share a folder, so a file of theirs is the same for all that list it."""
    listed: dict[str, Stored] = {}
    for entry in entries:
        for file, stored in entry.files.items():
            if listed.setdefault(entry.path(file), stored) != stored:
                raise _Wrong(f"it lists {entry.path(file)} with two contents")


class _Reader:
    """Takes every value of an index by hand, and none that it does not expect."""

    def index(self, given: Any) -> Index:
        found = self._mapping(given, "the index", {"format", "version", "expires", "models"})
        if found["format"] != FORMAT or isinstance(found["format"], bool):
            raise _Wrong(
                f"its format is {found['format']!r}; this stemzoo reads {FORMAT}; "
                "a newer stemzoo may read more"
            )
        expires = self._text(found["expires"], "expires", r"([0-9]{4}-[0-9]{2}-[0-9]{2})?")
        version = self._count(found["version"], "version", 1 << 53)
        if not isinstance(found["models"], list) or len(found["models"]) > MAX_ENTRIES:
            raise _Wrong(f"models is no list of at most {MAX_ENTRIES}")
        entries = tuple(self.entry(model) for model in found["models"])
        if len({(entry.name, entry.version) for entry in entries}) != len(entries):
            raise _Wrong("it lists one version of a model twice")
        _require_one_content(entries)
        return Index(version, entries, expires)

    def entry(self, given: Any) -> Entry:
        words = {"name", "version", "task", "licence", "minimum_runtime", "summary"}
        found = self._mapping(given, "a model", words | {"size", "sha256", "files"})
        name = self._text(found["name"], "name", NAME.pattern)
        if _DEVICE.fullmatch(name):
            raise _Wrong(f"{name!r} cannot be the name of a folder everywhere")
        if not isinstance(found["files"], dict) or len(found["files"]) > MAX_FILES:
            raise _Wrong(f"the files of {name} are no mapping of at most {MAX_FILES}")
        return Entry(
            name,
            self._text(found["version"], "version", VERSION.pattern),
            self._text(found["task"], "task", r"[a-z]+", 32),
            self._text(found["licence"], "licence", r"[ -~]+", 200),
            self._text(found["minimum_runtime"], "minimum_runtime", VERSION.pattern),
            self._printable(found["summary"], "summary", 500),
            self._stored({k: found[k] for k in ("size", "sha256")}, MAX_MODEL),
            {self._file(f): self._stored(s, MAX_FILE) for f, s in found["files"].items()},
        )

    def _file(self, name: str) -> str:
        device = _DEVICE.fullmatch(name.partition(".")[0])
        if not _FILE.fullmatch(name) or len(name) > 100 or device:
            raise _Wrong(f"{name[:120]!r} is no plain file name")
        if name.lower().endswith(".onnx"):
            raise _Wrong(f"{name!r} is a second network; a version has one")
        return name

    def _stored(self, given: Any, most: int) -> Stored:
        found = self._mapping(given, "a file", {"size", "sha256"})
        sha256 = self._text(found["sha256"], "sha256", _SHA256.pattern)
        return Stored(self._count(found["size"], "size", most), sha256)

    @staticmethod
    def _mapping(given: Any, what: str, keys: set[str]) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise _Wrong(f"{what} is {type(given).__name__}; expected a mapping")
        if given.keys() != keys:
            odd = sorted(keys ^ given.keys())
            raise _Wrong(
                f"{what} lacks, or has and should not have: {', '.join(map(repr, odd))[:200]}"
            )
        return given

    @staticmethod
    def _text(given: Any, what: str, pattern: str, most: int = 64) -> str:
        if not isinstance(given, str) or len(given) > most or not re.fullmatch(pattern, given):
            raise _Wrong(f"{what} is {given!r:.120}; expected {pattern}, at most {most} characters")
        return given

    @staticmethod
    def _printable(given: Any, what: str, most: int) -> str:
        # Neither controls, nor half characters, nor what turns the direction of text around.
        if not isinstance(given, str) or len(given) > most or not given.isprintable():
            raise _Wrong(
                f"{what} is {given!r:.120}; expected one line of at most {most} characters"
            )
        return given

    @staticmethod
    def _count(given: Any, what: str, most: int) -> int:
        if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= most:
            raise _Wrong(f"{what} is {given!r:.120}; expected a whole number from 1 to {most}")
        return given
