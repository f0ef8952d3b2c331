"""The models on this machine: zoos, which are folders or zips, and the user's cache.

A zoo's `index.json` is believed; a folder that has none is indexed as it is found. Names of files
are `index.json` or `<model>/<file>`, and come from an index that has been parsed, so none leads out
of its folder. A zip is never unpacked.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from stemzoo.common.errors import Corrupt, ModelError
from stemzoo.common.progress import Progress
from stemzoo.model_file.contract import MAX_MODEL, Contract
from stemzoo.zoo import index
from stemzoo.zoo.index import Entry, Stored
from stemzoo.zoo.store import put, rewrite

if TYPE_CHECKING:
    import zipfile  # only loaded for zips

    from stemzoo.zoo.remote import Remote


@dataclass(frozen=True)
class Folder:
    path: Path

    def at(self, name: str) -> Path:
        return self.path / name

    def read(self, name: str, most: int) -> bytes:
        path = self.at(name)
        try:
            with open(path, "rb", opener=_without_waiting) as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode):
                    raise ModelError(f"{path} is no file that holds anything")
                if found.st_size > most:
                    raise _too_long(path, found.st_size, most)
                return file.read()
        except OSError as error:
            raise ModelError(f"cannot read {path}: {error.strerror or error}") from error

    def copy(self, name: str, size: int, part: BinaryIO, progress: Progress | None) -> None:
        rewrite(part, self.read(name, size))


@dataclass(frozen=True)
class Zip:
    path: Path

    def at(self, name: str) -> Path:
        return self.path / name

    def read(self, name: str, most: int) -> bytes:
        import zipfile
        import zlib

        try:
            with zipfile.ZipFile(self.path) as archive:
                found = self._member(archive, name)
                if found.file_size > most:
                    raise _too_long(self.at(name), found.file_size, most)
                with archive.open(found) as file:
                    return file.read(most + 1)
        except OSError as error:
            raise ModelError(f"cannot read {self.path}: {error.strerror or error}") from error
        # All the ways in which zipfile says no: encrypted, compressed otherwise, cut short.
        except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, zlib.error) as error:
            raise ModelError(f"{self.path} is no zip that can be read: {error}") from None

    def copy(self, name: str, size: int, part: BinaryIO, progress: Progress | None) -> None:
        rewrite(part, self.read(name, size))

    def _member(self, archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
        """The one member of that name, in the top folder if the zip has one."""
        members = archive.infolist()
        for member in members:
            if re.search(r"^/|\\|^[A-Za-z]:|(^|/)\.\.(/|$)", member.filename):
                raise ModelError(
                    f"{self.path} is not to be used: it holds {member.filename[:120]!r}, "
                    "a name that leads out of it"
                )
        roots = [m.filename for m in members if re.fullmatch(r"([^/]+/)?index\.json", m.filename)]
        if not roots:
            raise ModelError(
                f"{self.path} is no zip of a zoo: it holds no {index.FILE}; make one of what "
                "'stemzoo models mirror DIR' writes"
            )
        root = min(roots, key=len).removesuffix(index.FILE)
        found = [member for member in members if member.filename == root + name]
        if len(found) != 1:
            raise ModelError(f"{self.path} holds {len(found)} files {root + name}; expected one")
        if stat.S_ISLNK(found[0].external_attr >> 16):
            raise ModelError(f"{self.at(name)} is a link; expected a file")
        return found[0]


def local_place(path: Path) -> Folder | Zip:
    return Zip(path) if path.is_file() else Folder(path)


def verified(place: Folder | Zip, name: str, stored: Stored) -> bytes:
    """The bytes of a file, exactly those that an index lists."""
    try:
        content = place.read(name, stored.size)
    except ModelError as error:
        raise Corrupt(str(error)) from None
    stored.require(Stored.of(content), place.at(name))
    return content


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


Local = Zoo | Cache

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


def _too_long(where: Path | str, size: int, most: int) -> ModelError:
    return ModelError(f"{where} has {size} bytes; expected at most {most}")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe would be waited for
