"""Either the whole new file, or the old one untouched."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from stemzoo.common.errors import FileError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """An open file beside `path` that takes its place when the block ends well.

    Where it does not, the new file is removed and whatever was at `path` stays.
    """
    target = check_place(path)
    # Opened by hand, not by tempfile, whose files nobody but their owner may read.
    temporary = target.with_name(f".stemzoo-{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise FileError(
            f"{path} could not be written: {error.strerror or error}; "
            "what was there before is untouched"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def check_place(path: Path) -> Path:
    """The file that writing to `path` replaces; a `FileError` where none can be written."""
    # A link stays a link: the file it points to is what gets replaced.
    target = Path(os.path.realpath(path))
    if _is_kind(target, stat.S_ISDIR, path):
        raise FileError(f"{path} is a folder; name a file in it, such as {path / 'result.tif'}")
    if not _is_kind(target.parent, stat.S_ISDIR, path):
        raise FileError(
            f"{path} could not be written: there is no folder {target.parent}; make it first"
        )
    if not os.access(target.parent, os.W_OK):
        raise FileError(
            f"{path} could not be written: nothing may be written to {target.parent}; name a file "
            "in another folder"
        )
    if target.exists() and not _is_kind(target, stat.S_ISREG, path):
        raise FileError(f"{path} is a pipe or a device, which is not replaced; name a file")
    return target


def _is_kind(target: Path, kind: Callable[[int], bool], path: Path) -> bool:
    try:
        return kind(target.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise FileError(f"{path} could not be written: {error.strerror}") from error
