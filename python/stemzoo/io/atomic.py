"""Either the whole new file, or the old one untouched."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stemzoo.errors import FileError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """An open file beside `path` that takes its place when the block ends well.

    Where it does not, the new file is removed and whatever was at `path` stays.
    """
    # A link stays a link: the file it points to is what gets replaced.
    target = Path(os.path.realpath(path))
    _check(target, path)
    # Opened by hand, not by tempfile, whose files nobody but their owner may read.
    temporary = target.with_name(f".stemzoo-{secrets.token_hex(8)}.tmp")
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


def _check(target: Path, path: Path) -> None:
    if target.is_dir():
        raise FileError(f"{path} is a folder; name a file in it, such as {path / 'result.tif'}")
    if not target.parent.is_dir():
        raise FileError(
            f"{path} could not be written: there is no folder {target.parent}; make it first"
        )
