"""Where the files of a zoo are read from: a folder, a zip, a web server.

Names are of the form `index.json` or `<model>/<file>`, and come from an index that has been parsed,
so none leads out of a place. A zip is never unpacked.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import urlsplit

from stemzoo.common.errors import Corrupt, ModelError
from stemzoo.common.progress import Progress
from stemzoo.zoo import index
from stemzoo.zoo.index import Stored

if TYPE_CHECKING:
    import zipfile  # only loaded for zips


class Place(Protocol):
    def at(self, name: str) -> Path | str:
        """Where one file is, for people to read."""

    def read(self, name: str, most: int) -> bytes:
        """A whole file; ModelError where it is missing or has more than `most` bytes."""

    def copy(self, name: str, size: int, part: BinaryIO, progress: Progress | None) -> None:
        """Adds to `part`, an open file, what it lacks of one of `size` bytes."""


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


def local_place(path: Path) -> Folder | Zip:
    return Zip(path) if path.is_file() else Folder(path)


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


def verified(source: Place, name: str, stored: Stored) -> bytes:
    """The bytes of a file, exactly those that an index lists."""
    try:
        content = source.read(name, stored.size)
    except ModelError as error:
        raise Corrupt(str(error)) from None
    require(stored, Stored.of(content), source.at(name))
    return content


def require(expected: Stored, found: Stored, where: Path | str) -> None:
    if found != expected:
        raise Corrupt(
            f"{where} is corrupt, or is not the file it is listed as: it has {found.size} bytes "
            f"and the sha256 {found.sha256}; expected {expected.size} and {expected.sha256}"
        )


def rewrite(part: BinaryIO, content: bytes) -> None:
    """Makes `content` all that an open file holds."""
    part.seek(0)
    part.truncate()
    part.write(content)


def _too_long(where: Path | str, size: int, most: int) -> ModelError:
    return ModelError(f"{where} has {size} bytes; expected at most {most}")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe would be waited for
