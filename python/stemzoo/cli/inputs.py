"""Which files a command works on, of those that are named, lie in a folder or match a pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from stemzoo.cli.written import is_picture, record_of
from stemzoo.common.errors import FileError
from stemzoo.inference.record import steps
from stemzoo.io.formats import IMAGES

LAST_STEPS = ("denoise", "restore")  # of whose results nothing more is made


def expanded(named: Sequence[Path]) -> list[Path]:
    """The files that are meant, in order: a folder stands for the images in it."""
    found = [path for each in named for path in _files(each)]
    if not found:
        folders = ", ".join(map(str, named))
        raise FileError(
            f"{folders} is without images; of a folder, stemzoo takes {', '.join(sorted(IMAGES))}, "
            f"and those of folders in it by a pattern such as '{named[0]}/**/*.dm4'"
        )
    return found


def without_results(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files to work on, and those left out because an earlier run has made them.

    So `*.tif` means the same on the second day as on the first. Averages of `align` stay in, and
    where there is nothing but results, they are meant.
    """
    kept: list[Path] = []
    made: list[Path] = []
    for path in files:
        (made if is_picture(path) or _is_finished(path) else kept).append(path)
    return (kept, made) if kept else (made, [])


def _files(named: Path) -> list[Path]:
    if os.path.isdir(named):
        return [path for path in sorted(named.iterdir()) if _is_image(path)]
    if glob.has_magic(str(named)) and not os.path.lexists(named):
        return sorted(map(Path, glob.glob(str(named), recursive=True))) or [named]
    return [named]


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")
    return path.suffix.lower() in IMAGES and path.is_file() and not hidden


def _is_finished(path: Path) -> bool:
    record = record_of(path)
    return record is not None and any(step.get("task") in LAST_STEPS for step in steps(record))
