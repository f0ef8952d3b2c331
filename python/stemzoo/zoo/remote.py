"""The zoo at STEMZOO_URL: a web server, or a folder or a zip that stands for one."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from stemzoo.common.errors import ModelError
from stemzoo.common.progress import Progress
from stemzoo.zoo import index, signature
from stemzoo.zoo.index import Entry, Index
from stemzoo.zoo.local import local_place
from stemzoo.zoo.store import put_bytes


class Place(Protocol):
    def at(self, name: str) -> Path | str:
        """Where one file is, for people to read."""

    def read(self, name: str, most: int) -> bytes:
        """A whole file; ModelError where it is missing or has more than `most` bytes."""

    def copy(self, name: str, size: int, part: BinaryIO, progress: Progress | None) -> None:
        """Adds to `part`, an open file, what it lacks of one of `size` bytes."""


@dataclass(frozen=True)
class Web:
    url: str

    def at(self, name: str) -> str:
        return f"{self.url}/{name}"

    def read(self, name: str, most: int) -> bytes:
        from stemzoo.zoo.download import fetch

        return fetch(self.at(name), most)

    def copy(self, name: str, size: int, part: BinaryIO, progress: Progress | None) -> None:
        from stemzoo.zoo.download import download

        download(self.at(name), part, size, progress)


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


_NOTHING = Index(0, ())


def shown(url: str) -> str:
    """An address as it may be shown or recorded: without a password, a token or a query."""
    hidden = re.sub(r"(?<=//)[^/]*@", "***@", url)
    return re.sub(r"(?<=[?#]).*", "***", hidden) if "://" in url else hidden


def place(url: str) -> Place:
    """The place that an address means: http or https, or else a folder or a zip."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        if not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ModelError(
                f"STEMZOO_URL is '{shown(url)}'; expected the address of a folder on a web "
                "server, such as https://example.org/zoo, without a password, '?' or '#'"
            )
        return Web(url)
    if "://" in url:
        raise ModelError(
            f"STEMZOO_URL is '{shown(url)}'; expected http or https, or the path of "
            "a folder or a zip"
        )
    return local_place(Path(os.path.abspath(url)))


def _require_fresh(found: Index, where: Path | str) -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    if not found.expires or found.expires < today:
        said = f"expired on {found.expires}" if found.expires else "says no day on which it expires"
        raise ModelError(
            f"the index {where} is signed, but {said} (today is {today}): somebody may be showing "
            "an old zoo; ask its keeper for a new signature"
        )
