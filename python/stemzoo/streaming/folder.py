"""A folder that is being written, as a stream of frames.

A file counts as finished once its size and time of change have stayed the same for `settle` and
`stemzoo.read` accepts it, which refuses most that are cut short. Files come in the order in which
they were finished; those finished within the clock of the file system by name, frame_9 before
frame_10.
"""

from __future__ import annotations

import math
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from stemzoo.common.errors import FileError
from stemzoo.io.formats import READERS, read
from stemzoo.io.micrograph import Micrograph

SETTLE = 0.25  # s
PATIENCE = 5.0  # s for which a file may be unreadable before that is reported
INTERVAL = 0.05  # s between looks at the folder


@dataclass
class _File:
    path: Path
    state: tuple[int, int]  # size, time of change in ns
    since: float  # time.monotonic() when it was seen to have this state
    tried: float = -math.inf  # when it was last read, in vain


def watch_folder(
    folder: str | os.PathLike[str],
    *,
    pattern: str = "*",
    settle: float = SETTLE,
    patience: float = PATIENCE,
    idle: float | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Micrograph | Exception]:
    """Every image file that is in the folder or comes into it, once; of a stack frame by frame.

    Hidden files, results of stemzoo and files that do not match `pattern` are left alone. A file
    that stays unreadable for `patience` seconds comes as the `FileError` that says why. The stream
    ends at `stop`, or when nothing new has come for `idle` seconds (None: never).
    """
    root = Path(folder)
    if not root.is_dir():
        raise FileError(f"{root} is no folder; expected one into which frames are written")
    stop = stop or threading.Event()
    return _watched(root, pattern, settle, patience, idle, stop)


def _watched(
    root: Path,
    pattern: str,
    settle: float,
    patience: float,
    idle: float | None,
    stop: threading.Event,
) -> Iterator[Micrograph | Exception]:
    files: dict[Path, _File] = {}
    done: set[Path] = set()
    last = time.monotonic()
    while not stop.is_set():
        present = _present(root, pattern)
        done &= present.keys()  # a name may be used again after its file was removed
        files = {path: files[path] for path in files if path in present}
        now, came = time.monotonic(), False
        for path in present.keys() - done:
            if path not in files or files[path].state != present[path]:
                files[path] = _File(path, present[path], now)
                last = now
        for file in sorted(files.values(), key=_order):
            age = now - file.since
            if age < settle or now - file.tried < settle:
                continue
            found = _read(file.path)
            if isinstance(found, Exception) and age < patience:
                file.tried = now
                continue
            done.add(file.path)
            del files[file.path]
            for frame in [found] if isinstance(found, Exception) else _frames(found):
                yield frame
                if stop.is_set():
                    return
                came, last = True, time.monotonic()
        if idle is not None and not came and not files and time.monotonic() - last > idle:
            return
        stop.wait(INTERVAL)


def _present(root: Path, pattern: str) -> dict[Path, tuple[int, int]]:
    """The image files in the folder and their state."""
    found = {}
    with os.scandir(root) as entries:
        for entry in entries:
            known = os.path.splitext(entry.name)[1].lower() in READERS
            if known and not entry.name.startswith(".") and fnmatch(entry.name, pattern):
                try:
                    about = entry.stat()
                except OSError:  # removed since it was listed
                    continue
                if entry.is_file():
                    found[root / entry.name] = (about.st_size, about.st_mtime_ns)
    return found


def _order(file: _File) -> tuple[int, list[tuple[int, str]]]:
    pieces = re.findall(r"\d+|\D+", file.path.name)
    natural = [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]
    return file.state[1], natural


def _read(path: Path) -> Micrograph | FileError:
    try:
        return read(path)
    except FileError as error:
        return error


def _frames(found: Micrograph) -> list[Micrograph]:
    if "provenance" in found.metadata:
        return []
    if found.data.ndim == 2:
        return [found]
    return [replace(found, data=frame) for frame in found.data]
