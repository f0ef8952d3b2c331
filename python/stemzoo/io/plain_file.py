"""What a file is read from: plain files, which are there and do not keep their reader waiting."""

from __future__ import annotations

import stat
from pathlib import Path

from stemzoo.common.errors import FileError
from stemzoo.io.npy import side_car


def is_folder_format(path: Path) -> bool:
    """Whether a folder of this name is one image: zarr keeps each chunk in a file."""
    return path.suffix.lower() == ".zspy"


def parts(path: Path) -> list[Path]:
    """All files that are read with one."""
    return [path, side_car(path)] if path.suffix.lower() == ".npy" else [path]


def require_file(path: Path) -> None:
    """Raise a `FileError` unless `path` and its side-car are plain files."""
    for each in parts(path):
        if each == path or each.exists():
            _require_plain(each)


def _require_plain(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise FileError(f"{path} cannot be opened: {error.strerror}") from error
    if stat.S_ISDIR(mode) and is_folder_format(path):
        return
    if stat.S_ISDIR(mode):
        raise FileError(f"{path} is a folder; name one file in it")
    if not stat.S_ISREG(mode):
        raise FileError(f"{path} is a pipe or a device; expected a file: save what it gives in one")
