"""How a file gets into a folder: whole and right, or not at all.

It is written beside its place under a name of its own, flushed to disk, hashed from there and
renamed. That is right whoever else does the same at the same time, so there are no locks. A process
that dies leaves its part behind; the next one goes on with it, or removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from stemzoo.common.errors import Interrupted, ModelError
from stemzoo.zoo.index import Stored

ABANDONED = 24 * 3600.0  # s after which a part of another machine belongs to nobody

_PART = re.compile(r"\.([0-9a-f]{16})-(\w*)-(\d+)-[0-9a-f]+\.part")  # which file, machine, process
_NOBODY = 0


def put(
    target: Path, stored: Stored, fill: Callable[[BinaryIO], None], origin: Path | str = ""
) -> None:
    """Makes `target` the file that `stored` describes, of what `fill` adds to an open one.

    `fill` may be given what an earlier attempt has left. Where all of it then is not as it should
    be, `fill` is asked once more, to begin anew. `origin` is where it gets that from.
    """
    try:
        _make(target.parent)
        with _part(target.parent, stored) as (part, file):
            resumed = file.seek(0, os.SEEK_END) > 0
            fill(file)
            if resumed and _described(file) != stored:
                file.seek(0)
                file.truncate()
                fill(file)
            stored.require(_described(file), origin or target)
            file.close()
            os.replace(part, target)
    except OSError as error:
        raise ModelError(
            f"{target} could not be written: {error.strerror or error}; what was there before is "
            "untouched; make room, or name another folder (STEMZOO_CACHE)"
        ) from error


def put_bytes(target: Path, content: bytes) -> None:
    """Makes `target` a file of these bytes."""
    put(target, Stored.of(content), lambda part: rewrite(part, content))


def rewrite(part: BinaryIO, content: bytes) -> None:
    """Makes `content` all that an open file holds."""
    part.seek(0)
    part.truncate()
    part.write(content)


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if folder.is_symlink():
        raise ModelError(f"{folder} is a link to another folder; nothing is written through it")


@contextlib.contextmanager
def _part(folder: Path, stored: Stored) -> Iterator[tuple[Path, io.BufferedRandom]]:
    """A file to write to: new, or what a dead process has left of the same one."""
    path = folder / _name(stored, os.getpid())
    _sweep(folder, stored, path)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags, 0o666), "r+b")
    try:
        with file:
            yield path, file
    except (Interrupted, KeyboardInterrupt):
        with contextlib.suppress(OSError):  # for the next one to go on with
            path.rename(folder / _name(stored, _NOBODY))
        raise
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _sweep(folder: Path, stored: Stored, own: Path) -> None:
    """Takes over a part of this file that nobody works on, and removes all others like it."""
    mine = _PART.fullmatch(own.name)
    for path in folder.glob(".*.part"):
        part = _PART.fullmatch(path.name)
        if part is None or mine is None or not _deserted(path, part[2], int(part[3])):
            continue
        with contextlib.suppress(OSError):  # another process was quicker
            if part[1] == mine[1] and not own.exists() and not path.is_symlink():
                path.rename(own)
            else:
                path.unlink()


def _deserted(path: Path, machine: str, process: int) -> bool:
    if process == _NOBODY:
        return True
    if machine == _machine() and os.name == "posix":
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False
    with contextlib.suppress(OSError):
        return time.time() - path.lstat().st_mtime > ABANDONED
    return False


def _name(stored: Stored, process: int) -> str:
    return f".{stored.sha256[:16]}-{_machine()}-{process}-{os.urandom(8).hex()}.part"


def _machine() -> str:
    return re.sub(r"[^A-Za-z0-9]", "", platform.node())[:20]


def _described(file: io.BufferedRandom) -> Stored:
    """What is in the file by now, as it is on the disk."""
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Stored(file.tell(), sha256)
