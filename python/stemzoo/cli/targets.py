"""Where the result of each file goes."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stemzoo.cli.paths import place
from stemzoo.cli.written import record_of
from stemzoo.common.errors import FileError
from stemzoo.io.formats import WRITERS

FORMATS = tuple(suffix[1:] for suffix in WRITERS if suffix != ".tiff")


@dataclass(frozen=True)
class Place:
    """What -o names: a file, or a folder, which need not be there yet."""

    path: Path
    folder: bool


@dataclass(frozen=True)
class Naming:
    """How a result is called after its file."""

    task: str  # as the record of a result says
    done: str  # and as its name does
    signal: str | None = None
    suffix: str = "tif"


def output_place(text: str) -> Place:
    """The argument of -o: a folder ends in a slash, or is one."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a file is empty")
    ends = text.endswith(tuple(each for each in (os.sep, os.altsep, "/") if each))
    return Place(Path(text), ends or os.path.isdir(text))


def targets(sources: Sequence[Path], output: Place | None, naming: Naming) -> list[Path]:
    """Where each file's result goes: a.denoised.tif, or a.png.denoised.tif where that is taken."""
    if output is not None and not _is_folder(output, len(sources)):
        if len(sources) > 1:
            raise FileError(
                f"{len(sources)} files cannot all become {output.path}; give a folder to -o, "
                f"such as {output.path.with_suffix('')}/"
            )
        return [output.path]
    found, made_of = [], dict[str, str]()
    for source in sources:
        folder = output.path if output else source.parent
        short = folder / _name(source.stem, naming)
        taken = made_of.setdefault(place(short), source.name) != source.name
        whole = taken or _is_of_another(short, source, naming.task)
        found.append(folder / _name(source.name, naming) if whole else short)
    return found


@contextlib.contextmanager
def folder_made(output: Place | None, count: int, *, keep: bool) -> Iterator[None]:
    """The folder of the results is there; it goes again if nothing comes of it."""
    if output is None or not _is_folder(output, count) or output.path.exists():
        yield
        return
    try:
        output.path.mkdir(parents=True)
    except OSError as error:
        raise FileError(f"{output.path} cannot be made: {error.strerror or error}") from error
    done = False
    try:
        yield
        done = keep
    finally:
        if not done:
            with contextlib.suppress(OSError):
                output.path.rmdir()


def _is_folder(output: Place, count: int) -> bool:
    """Several files go into a folder, whatever its name, unless that is one of a file."""
    return output.folder or (count > 1 and output.path.suffix.lower() not in WRITERS)


def _name(stem: str, naming: Naming) -> str:
    """a -> a.denoised.tif, a.denoised -> a.denoised-2.tif; the signal asked for is in the name."""
    again = re.fullmatch(rf"(.*\.{naming.done})(?:-(\d+))?", stem)
    if again:
        return f"{again[1]}-{int(again[2] or 1) + 1}.{naming.suffix}"
    signal = "" if naming.signal is None else "." + _plain(naming.signal)
    return f"{stem}{signal}.{naming.done}.{naming.suffix}"


def _plain(signal: str) -> str:
    """A signal's name as part of a file's."""
    return re.sub(r"[^\w-]+", "-", signal).strip("-") or "signal"


def _is_of_another(target: Path, source: Path, task: str) -> bool:
    """Whether an earlier run has left the result of another file there: of a.tif, not of a.png."""
    record = record_of(target) or {}
    given = record.get("input")
    file = given.get("file") if isinstance(given, dict) else None
    return record.get("task") == task and file != source.name
