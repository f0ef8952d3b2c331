"""A copy of a zoo, for any web server, shared folder or memory stick to serve."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from stemzoo.common.errors import ModelError
from stemzoo.common.progress import Progress
from stemzoo.common.settings import Settings
from stemzoo.zoo import index, signature
from stemzoo.zoo.catalogue import ModelInfo, at_hand, remote
from stemzoo.zoo.index import Entry, Index, Stored
from stemzoo.zoo.local import Folder, verified
from stemzoo.zoo.remote import Remote
from stemzoo.zoo.store import put, put_bytes


def mirror(folder: Path, progress: Callable[[str], Progress | None] = lambda _: None) -> Index:
    """Makes `folder` hold what STEMZOO_URL holds, as signed there; without one, all at hand.

    What is there and right already is not fetched again. The index comes last, so whoever reads the
    folder meanwhile finds what it lists. `progress` is asked for a bar for each file by its name.
    """
    before = _listed(folder)
    settings = Settings.now()
    far = None if settings.offline else remote(settings)
    if far is None:
        infos = at_hand(settings)
        found = _successor(before, _without_overwritten(info.entry for info in infos))
        _copy_near(folder, found, infos)
        content, signed = index.written(found), b""
    else:
        found, content, signed = far.signed()
        _copy_far(folder, found, far, progress)
    if signed:
        put_bytes(folder / signature.FILE, signed)
    put_bytes(folder / index.FILE, content)
    return found


def _copy_far(
    folder: Path, found: Index, far: Remote, progress: Callable[[str], Progress | None]
) -> None:
    for entry in found.entries:
        for file, stored in entry.everything().items():

            def fill(part: BinaryIO, entry: Entry = entry, file: str = file) -> None:
                far.copy(entry, file, part, progress(file))

            if not _holds(folder, entry.path(file), stored):
                put(folder / entry.path(file), stored, fill, far.place.at(entry.path(file)))


def _copy_near(folder: Path, found: Index, infos: Sequence[ModelInfo]) -> None:
    sources = {(info.name, info.version): info.source for info in infos}
    for entry in found.entries:
        source = sources[entry.name, entry.version]
        assert not isinstance(source, Remote)
        for file, stored in entry.everything().items():
            if not _holds(folder, entry.path(file), stored):
                put_bytes(folder / entry.path(file), source.read(entry, file))


def _without_overwritten(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Versions of one model share a folder: what a newer one has otherwise is the newer's."""
    taken: dict[str, Stored] = {}
    kept = []
    for entry in sorted(entries, key=lambda entry: entry.order, reverse=True):
        files = {
            file: stored
            for file, stored in entry.files.items()
            if taken.setdefault(entry.path(file), stored) == stored
        }
        kept.append(dataclasses.replace(entry, files=files))
    return tuple(sorted(kept, key=lambda entry: (entry.name, entry.order)))


def _listed(folder: Path) -> Index:
    """What the folder holds of a zoo; an index of anything else is not replaced."""
    if not (folder / index.FILE).exists():
        return Index(0, ())
    content = Folder(folder).read(index.FILE, index.MAX_BYTES)
    return index.parse(content, str(folder / index.FILE))


def _successor(before: Index, entries: tuple[Entry, ...]) -> Index:
    """The index of these, of a higher version than the one before if it says otherwise."""
    return before if before.entries == entries else Index(before.version + 1, entries)


def _holds(folder: Path, name: str, stored: Stored) -> bool:
    try:
        verified(Folder(folder), name, stored)
    except ModelError:
        return False
    return not (folder / name).is_symlink()
