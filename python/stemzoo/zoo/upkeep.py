"""Keeping what is on this machine in order: checking it, removing from the cache."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

from stemzoo.common.errors import ModelError
from stemzoo.common.settings import Settings
from stemzoo.zoo import index
from stemzoo.zoo.catalogue import cache_in, find, imported, local_sources
from stemzoo.zoo.index import Entry
from stemzoo.zoo.local import zoo
from stemzoo.zoo.store import put_bytes


def check() -> Iterator[tuple[str, str]]:
    """Every file of every model on this machine, and what is wrong with it or nothing."""
    for source in local_sources(Settings.now()):
        for entry in source.entries():
            network = source.at(entry)
            for file in entry.everything():
                path = network if file == entry.network else network.parent / file
                wrong = ""
                try:
                    source.read(entry, file)
                except ModelError as error:
                    wrong = str(error)
                yield str(path), wrong


def remove(name: str) -> list[Path]:
    """Takes NAME or NAME@VERSION out of the cache; says which networks that were."""
    name, _, version = name.partition("@")
    root = Settings.now().writable()
    cache, brought = cache_in(root), zoo(imported(root))

    def meant(entry: Entry) -> bool:
        return entry.name == name and version in ("", entry.version)

    fetched = [entry for entry in cache.entries() if meant(entry)]
    given = [entry for entry in brought.entries() if meant(entry)]
    if not fetched and not given:
        info = find(name, version or None)
        raise ModelError(
            f"{info.name} {info.version} is at {info.where}, not in the cache ({root}), and only "
            "what is in the cache is removed"
        )
    for entry in fetched:
        cache.remove(entry)
    _remove_imported(imported(root), [e for e in brought.entries() if not meant(e)], given)
    return [*map(cache.at, fetched), *map(brought.at, given)]


def _remove_imported(folder: Path, kept: list[Entry], gone: list[Entry]) -> None:
    listing = folder / index.FILE
    if gone and listing.exists():
        before = index.parse(listing.read_bytes(), str(listing))
        after = dataclasses.replace(before, version=before.version + 1, entries=tuple(kept))
        put_bytes(listing, index.written(after))
    try:
        for entry in gone:
            for file in entry.everything():
                (folder / entry.path(file)).unlink(missing_ok=True)
            if entry.name not in {other.name for other in kept}:
                shutil.rmtree(folder / entry.name, ignore_errors=True)
    except OSError as error:
        raise ModelError(f"{error.filename} could not be removed: {error.strerror}") from error
