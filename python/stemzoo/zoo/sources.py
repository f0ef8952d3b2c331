"""Who has models: zoos to read from, the user's cache, and the zoo at an URL.

A source says which versions it has and gives the verified bytes of their networks. A zoo's
`index.json` is believed; a folder that has none is indexed as it is found.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from stemzoo.common.errors import ModelError
from stemzoo.common.progress import Progress
from stemzoo.model_file.contract import MAX_MODEL, Contract
from stemzoo.zoo import index, signature
from stemzoo.zoo.index import Entry, Index, Stored
from stemzoo.zoo.places import Folder, Place, Zip, local_place, verified
from stemzoo.zoo.store import put, put_bytes


@dataclass(frozen=True)
class Zoo:
    """A folder or a zip on this machine, only read."""

    place: Folder | Zip

    def __str__(self) -> str:
        return str(self.place.path)

    def entries(self, name: str | None = None) -> list[Entry]:
        """All versions of all models, or of one."""
        place = self.place
        if isinstance(place, Zip) or place.at(index.FILE).is_file():
            content = place.read(index.FILE, index.MAX_BYTES)
            found = index.parse(content, str(place.at(index.FILE)))
        else:
            found = index.build(place.path, 1, only=name)
        return [entry for entry in found.entries if name in (None, entry.name)]

    def at(self, entry: Entry) -> Path:
        return self.place.at(entry.path(entry.network))

    def read(self, entry: Entry, file: str | None = None) -> bytes:
        """The network of an entry, or another of its files."""
        name = file or entry.network
        return verified(self.place, entry.path(name), entry.everything()[name])


@dataclass(frozen=True)
class Cache:
    """Networks fetched before, a file each, whose name says the sha256 it must have."""

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    def entries(self, name: str | None = None) -> list[Entry]:
        found = []
        for path in sorted(self.folder.glob(f"{name or '*'}-*.onnx")):
            parts = _CACHED.fullmatch(path.name)
            if parts and name in (None, parts[1]):
                found.append(_described(path, *parts.groups()))
        return found

    def at(self, entry: Entry) -> Path:
        return self.folder / f"{entry.name}-{entry.version}-{entry.model.sha256}.onnx"

    def read(self, entry: Entry, file: str | None = None) -> bytes:
        path = self.at(entry)
        return verified(_LinksAreCorrupt(self.folder), path.name, entry.model)

    def add(self, entry: Entry, far: Remote, progress: Progress | None) -> None:
        def fill(part: BinaryIO) -> None:
            far.copy(entry, entry.network, part, progress)

        put(self.at(entry), entry.model, fill, far.at(entry))

    def set_aside(self, entry: Entry) -> None:
        """A corrupt file gives way, and stays to be looked at."""
        path = self.at(entry)
        try:
            os.replace(path, path.with_name(path.name + ".corrupt"))
        except FileNotFoundError:
            pass  # another process has done so
        except OSError as error:
            raise ModelError(
                f"{path} is corrupt and could not be moved aside: {error.strerror}"
            ) from error

    def remove(self, entry: Entry) -> None:
        path = self.at(entry)
        try:
            for file in (path, path.with_name(path.name + ".corrupt")):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise ModelError(f"{path} could not be removed: {error.strerror}") from error


@dataclass(frozen=True)
class Remote:
    """The zoo at STEMZOO_URL. What it says is remembered in the cache."""

    url: str
    place: Place
    memory: Path
    public_key: str

    def __str__(self) -> str:
        return self.url

    def at(self, entry: Entry) -> Path | str:
        return self.place.at(entry.path(entry.network))

    def entries(self, name: str | None = None) -> list[Entry]:
        return [entry for entry in self.index().entries if name in (None, entry.name)]

    def copy(
        self, entry: Entry, file: str, part: BinaryIO, progress: Progress | None = None
    ) -> None:
        self.place.copy(entry.path(file), entry.everything()[file].size, part, progress)

    def index(self) -> Index:
        """What the zoo holds now."""
        return self.signed()[0]

    def signed(self) -> tuple[Index, bytes, bytes]:
        """The index as it is now, its bytes, and their signature if one is asked for."""
        where = self.place.at(index.FILE)
        content, signed = self.place.read(index.FILE, index.MAX_BYTES), b""
        if self.public_key:
            signed = self.place.read(signature.FILE, signature.MAX_BYTES)
            signature.check(content, signed, self.public_key)
        found = index.parse(content, str(where))
        if self.public_key:
            _require_fresh(found, where)
        self._remember(found, content)
        return found, content, signed

    def remembered(self) -> Index:
        """What the zoo held when it was last asked."""
        seen = self._seen()
        with contextlib.suppress(ModelError, OSError):
            return index.parse(seen[-1][1].read_bytes(), str(seen[-1][1])) if seen else _NOTHING
        return _NOTHING

    def _remember(self, found: Index, content: bytes) -> None:
        """An index once seen is never followed by an older one, nor by another of its version."""
        seen = self._seen()
        highest = seen[-1][0] if seen else 0
        last = self.remembered()
        if found.version < highest or (
            found.version == last.version and found.entries != last.entries
        ):
            raise ModelError(
                f"the index {self.place.at(index.FILE)} has version {found.version}, but version "
                f"{highest} with other contents was seen there before: somebody shows an old or "
                f"changed zoo; if its keeper says that this is right, remove {self.memory}"
            )
        target = self.memory / f"{self._key()}-{found.version}.json"
        if last.version != found.version:
            put_bytes(target, content)
        for _, path in seen:
            if path != target:
                with contextlib.suppress(OSError):  # it is only in the way
                    path.unlink()

    def _seen(self) -> list[tuple[int, Path]]:
        """The indexes remembered, by version. The version is in the name, so none replaces a later
        one, whoever writes when."""
        named = [(p.stem.rpartition("-")[2], p) for p in self.memory.glob(f"{self._key()}-*.json")]
        return sorted((int(version), path) for version, path in named if version.isdecimal())

    def _key(self) -> str:
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


Local = Zoo | Cache
Source = Local | Remote

_NOTHING = Index(0, ())
_CACHED = re.compile(r"([a-z0-9-]+)-([0-9]+\.[0-9]+\.[0-9]+)-([0-9a-f]{64})\.onnx")


def zoo(path: Path) -> Zoo:
    return Zoo(local_place(path))


class _LinksAreCorrupt(Folder):
    """The cache holds none, so one that is there was put there by somebody else."""

    def read(self, name: str, most: int) -> bytes:
        if self.at(name).is_symlink():
            raise ModelError(f"{self.at(name)} is a link; expected a file")
        return super().read(name, most)


def _described(path: Path, name: str, version: str, sha256: str) -> Entry:
    """What a cached network says of itself; nothing, where it is too broken to say anything."""
    contract, size = None, 1
    with contextlib.suppress(OSError, ModelError):
        size = path.stat().st_size
        contract = Contract.of(Folder(path.parent).read(path.name, MAX_MODEL), str(path))
    return Entry(
        name,
        version,
        contract.task if contract else "unknown",
        contract.licence if contract else "unknown",
        contract.minimum_runtime if contract else "0.0.0",
        contract.summary if contract else "",
        Stored(size, sha256),
    )


def _require_fresh(found: Index, where: Path | str) -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    if not found.expires or found.expires < today:
        said = f"expired on {found.expires}" if found.expires else "says no day on which it expires"
        raise ModelError(
            f"the index {where} is signed, but {said} (today is {today}): somebody may be showing "
            "an old zoo; ask its keeper for a new signature"
        )
