"""Which suffix is read and written by what: the front door of stemzoo.io."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from stemzoo.common import arrays as _arrays
from stemzoo.common.errors import FileError
from stemzoo.io import (
    dm,
    mrc,
    npy,
    picture,
    picture_write,
    rosetta,
    rosetta_write,
    tiff,
    tiff_write,
)
from stemzoo.io.datasets import Dataset, choose
from stemzoo.io.image import array_problem
from stemzoo.io.integers import HOLDS_SCALE, NEEDS_INTEGERS, VALUES, as_integers
from stemzoo.io.micrograph import Micrograph
from stemzoo.io.plain_file import require_file
from stemzoo.io.warned import nothing_is_only_warned_of

Reader = Callable[[Path], list[Dataset]]
Writer = Callable[[Path, Micrograph, dict[str, Any]], None]

READERS: dict[str, Reader] = {
    ".npy": npy.read,
    **dict.fromkeys([".tif", ".tiff", ".btf", ".tf8"], tiff.read),
    **dict.fromkeys([".dm3", ".dm4"], dm.read),
    **dict.fromkeys([".mrc", ".mrcs", ".ali", ".st"], mrc.read),
    **dict.fromkeys(picture.SUFFIXES, picture.read),
}
# What is taken of a folder. The images of an .emi file are in .ser files beside it.
IMAGES = frozenset({*READERS, *rosetta.COMMON} - {".emi"})
WRITERS: dict[str, Writer] = {
    ".tif": tiff_write.write,
    ".tiff": tiff_write.write,
    ".npy": npy.write,
    ".png": picture_write.write,
    **dict.fromkeys(rosetta_write.SUFFIXES, rosetta_write.write),
}
_WRITTEN = [suffix for suffix in WRITERS if suffix != ".tiff"]


def read(path: str | os.PathLike[str], *, signal: int | str | None = None) -> Micrograph:
    """The image or stack in the file at `path`, with its calibration and metadata.

    Of a file with several images, the one called HAADF is read; `signal`, a name or a number,
    chooses another, and the `FileError` of a wrong one lists them. `Micrograph.chosen` says which
    it was. Whatever cannot be read for certain is a `FileError` too, raised from the original
    reason.
    """
    path = Path(path)
    _check_readable(path)
    reader = reader_for(path)
    try:
        with nothing_is_only_warned_of(path):
            datasets = reader(path)
        return choose(datasets, signal, path)
    except FileError:
        raise
    # On a damaged file, readers raise whatever their code happened to stumble over.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise FileError(
            f"{path} could not be read; it is damaged, or no {path.suffix} file whatever its "
            f"name says ({reason})"
        ) from error


def suffixes() -> list[str]:
    """Of the files that can be read here: more where RosettaSciIO is installed."""
    return list(dict.fromkeys([*READERS, *rosetta.plugins()]))


def reader_for(path: Path) -> Reader:
    """What reads files of this suffix."""
    suffix = path.suffix.lower()
    if suffix in READERS:
        return READERS[suffix]
    if suffix in rosetta.plugins() or suffix in rosetta.COMMON:
        return rosetta.read
    more = "" if rosetta.plugins() else "; more with: pip install 'stemzoo[io]'"
    raise FileError(
        f"{path} has a suffix stemzoo does not know; it reads {', '.join(suffixes())}{more}"
    )


def write(
    path: str | os.PathLike[str],
    micrograph: Micrograph,
    *,
    provenance: dict[str, Any] | None = None,
    dtype: str | None = None,
) -> None:
    """Write `micrograph` whole or not at all, as what the suffix says.

    .tif is for ImageJ, Fiji and HyperSpy, .ome.tif for OME, .npy for NumPy, .png for anybody;
    .hspy, .zspy and .emd need RosettaSciIO. Pixel size, unit and metadata go along. `provenance`
    says how the image was made and comes back as `metadata["provenance"]`; left out, the one in
    `micrograph.metadata` is kept.

    `dtype` "uint8" or "uint16" stores integers, with the scale that makes the values of them
    again, to half a step; `read` applies it, and so does ImageJ to a .tif.
    """
    path = Path(path)
    writer = writer_for(path)
    data = _arrays.native(micrograph.data, "micrograph.data")
    problem = array_problem(data)
    if problem:
        raise ValueError(f"micrograph.data cannot be written as an image: {problem}")
    metadata = {name: value for name, value in micrograph.metadata.items() if name != VALUES}
    if provenance is not None:
        metadata["provenance"] = provenance
    if dtype is not None or path.suffix.lower() in NEEDS_INTEGERS:
        if path.suffix.lower() not in HOLDS_SCALE:
            raise FileError(
                f"{path} has no place for the scale of integers; write {', '.join(HOLDS_SCALE)}, "
                "or leave out the dtype"
            )
        data, scale = as_integers(data, dtype, path)
        metadata |= scale
    writer(path, replace(micrograph, data=data), metadata)


def writer_for(path: Path) -> Writer:
    """What writes files of this suffix."""
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise FileError(
            f"{path} cannot be written: stemzoo writes {', '.join(_WRITTEN)}; "
            f"name it {path.stem or 'result'}.tif"
        )
    return writer


def _check_readable(path: Path) -> None:
    require_file(path)
    if path.is_dir():  # a format that is one
        return
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise FileError(f"{path} cannot be opened: {error.strerror or error}") from error
    if empty:
        raise FileError(f"{path} is empty; copy it again from where it was recorded")
