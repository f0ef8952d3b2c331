"""Which files of a long run are done, so that a run that was interrupted goes on from there.

One line of JSON for each finished file, added when its result is whole on disk. A file counts as
done while it, its result and the settings are what they were.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from stemzoo.common.errors import FileError

HEAD = "stemzoo journal 1"


class Journal:
    """The file at `path`, which is made by the first entry; `settings` are those of this run."""

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        text = json.dumps(settings, sort_keys=True, default=str)
        self._settings = hashlib.sha256(text.encode()).hexdigest()
        self._entries = _entries(path) if path.exists() else {}

    def has(self, source: Path, target: Path) -> bool:
        """Whether `target` was made of `source`, both as they are, by these settings."""
        found = self._entries.get(os.path.abspath(source))
        return found is not None and found == self._entry(source, target)

    def add(self, source: Path, target: Path) -> None:
        entry = self._entry(source, target)
        if entry is None:
            return
        new = not self.path.exists()
        with open(self.path, "a", encoding="utf-8") as file:
            # A line that was cut off is left behind, not continued.
            file.write(HEAD if new else "")
            file.write("\n" + json.dumps([os.path.abspath(source), entry]))
            file.flush()
            os.fsync(file.fileno())

    def _entry(self, source: Path, target: Path) -> list[Any] | None:
        try:
            stands = [_state(source), os.path.abspath(target), _state(target)]
        except OSError:
            return None
        return [self._settings, *stands]


def is_journal(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().strip() == HEAD.encode()


def _state(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _entries(path: Path) -> dict[str, Any]:
    """The last entry of each file; a last line that was cut off counts for nothing."""
    if not is_journal(path):
        raise FileError(f"{path} is no journal of stemzoo; name another file")
    found: dict[str, Any] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
        try:
            source, entry = json.loads(line)
        except ValueError:
            continue
        found[source] = entry
    return found
