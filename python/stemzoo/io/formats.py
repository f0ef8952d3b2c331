"""Which suffix is read and written by what: the front door of stemzoo.io."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from stemzoo.common import arrays as _arrays
from stemzoo.common.errors import FileError
from stemzoo.io import mrc, npy, picture, rosetta, tiff, tiff_write
from stemzoo.io.datasets import Dataset, choose
from stemzoo.io.image import array_problem
from stemzoo.io.micrograph import Micrograph
from stemzoo.io.plain_file import require_file
from stemzoo.io.warned import nothing_is_only_warned_of

READERS: dict[str, Callable[[Path], list[Dataset]]] = {
    ".npy": npy.read,
    **dict.fromkeys([".tif", ".tiff", ".btf", ".tf8"], tiff.read),
    **dict.fromkeys([".mrc", ".mrcs", ".ali", ".st"], mrc.read),
    **dict.fromkeys(picture.SUFFIXES, picture.read),
    **dict.fromkeys(rosetta.SUFFIXES, rosetta.read),
}
WRITERS: dict[str, Callable[[Path, Micrograph, dict[str, Any]], None]] = {
    ".npy": npy.write,
    ".tif": tiff_write.write,
    ".tiff": tiff_write.write,
}


def read(path: str | os.PathLike[str], *, dataset: int | None = None) -> Micrograph:
    """The image or stack in the file at `path`, with its calibration and metadata.

    A file with several images needs `dataset`, the number of the one that is meant; the
    `FileError` one gets without it lists them. Whatever cannot be read for certain is a
    `FileError` too, raised from the original reason.
    """
    path = Path(path)
    reader = READERS.get(path.suffix.lower())
    _check_readable(path)
    if reader is None:
        raise FileError(f"{path} has a suffix stemzoo does not know; it reads {', '.join(READERS)}")
    try:
        with nothing_is_only_warned_of(path):
            datasets = reader(path)
        return choose(datasets, dataset, path)
    except FileError:
        raise
    # On a damaged file, readers raise whatever their code happened to stumble over.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise FileError(
            f"{path} could not be read; it is damaged, or no {path.suffix} file whatever its "
            f"name says ({reason})"
        ) from error


def write(
    path: str | os.PathLike[str],
    micrograph: Micrograph,
    *,
    provenance: dict[str, Any] | None = None,
) -> None:
    """Write `micrograph` as .tif (for ImageJ, Fiji and others) or .npy, whole or not at all.

    Pixel size, unit and metadata go along. `provenance` says how the image was made and comes
    back as `metadata["provenance"]`; left out, the one in `micrograph.metadata` is kept.
    """
    path = Path(path)
    writer = writer_for(path)
    data = _arrays.native(micrograph.data, "micrograph.data")
    problem = array_problem(data)
    if problem:
        raise ValueError(f"micrograph.data cannot be written as an image: {problem}")
    metadata = dict(micrograph.metadata)
    if provenance is not None:
        metadata["provenance"] = provenance
    writer(path, replace(micrograph, data=data), metadata)


def writer_for(path: Path) -> Callable[[Path, Micrograph, dict[str, Any]], None]:
    """What writes files of this suffix."""
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise FileError(
            f"{path} cannot be written: stemzoo writes .tif and .npy; "
            f"name it {path.stem or 'result'}.tif"
        )
    return writer


def _check_readable(path: Path) -> None:
    require_file(path)
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise FileError(f"{path} cannot be opened: {error.strerror or error}") from error
    if empty:
        raise FileError(f"{path} is empty; copy it again from where it was recorded")
