"""Is the whole TIFF there? Asked before any pixel is believed.

A TIFF is a chain of directories, each pointing to the next. Readers, tifffile among them, follow
it as far as it goes, so that a file cut in half is a shorter stack to them. Here every directory,
and every strip that one names, must lie inside the file, each page must have as many strips or
tiles as its size takes, and every image that the metadata announces must be found. A strip that
decodes to too few pixels is an error of tifffile; one that is not there is zeros to it.
"""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from stemzoo.common.errors import FileError

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffFrame, TiffPage

_UNCOMPRESSED = 1


class _Layout(NamedTuple):
    first: int  # where the pointer to the first directory is
    entries: str  # how many a directory has
    entry: int  # bytes in an entry
    pointer: str  # to the next directory


_CLASSIC = _Layout(first=4, entries="H", entry=12, pointer="I")
_BIG = _Layout(first=8, entries="Q", entry=20, pointer="Q")


def check_chain(path: Path) -> int:
    """The number of directories, all of which are inside the file."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        order, layout = _layout(file, path)
        offset = _number(file, layout.first, order + layout.pointer, size, path)
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise FileError(f"{path} is damaged: its pages point to each other in a circle")
            seen.add(offset)
            entries = _number(file, offset, order + layout.entries, size, path)
            after = offset + struct.calcsize(order + layout.entries) + entries * layout.entry
            offset = _number(file, after, order + layout.pointer, size, path)
    if not seen:
        raise FileError(f"{path} is a TIFF without any image")
    return len(seen)


def check_pages(tif: TiffFile, directories: int, path: Path) -> None:
    """Every strip of every page is inside the file, and no page went missing."""
    if len(tif.pages) != directories:
        raise _incomplete(path, f"{directories} pages are linked, {len(tif.pages)} can be read")
    size = path.stat().st_size
    for number, page in enumerate(tif.pages):
        if page is None:
            raise _incomplete(path, f"page {number} is missing")
        _check_strips(page, number, size, path)


def check_announced(tif: TiffFile, path: Path) -> None:
    """As many images as the ImageJ, OME or tifffile metadata announce."""
    found = sum(math.prod(series.shape) for series in tif.series)
    page = tif.pages.first
    if tif.imagej_metadata:
        images = tif.imagej_metadata.get("images", 1)
        if isinstance(images, int) and images * page.size > found:
            raise _incomplete(path, f"{images} images announced, {found // page.size} found")
    for announced in tif.shaped_metadata or ():
        if math.prod(announced["shape"]) > found:
            raise _incomplete(path, f"shape {announced['shape']} announced, {found} values found")
    for series in tif.series:
        if any(page is None for page in series.pages):
            raise _incomplete(path, "images that its OME metadata announces are not in it")
        end = (series.dataoffset or 0) + math.prod(series.shape) * series.dtype.itemsize
        if series.dataoffset is not None and end > path.stat().st_size:
            raise _incomplete(path, f"its images end at byte {end}, the file before that")


def _layout(file: BinaryIO, path: Path) -> tuple[str, _Layout]:
    head = file.read(4)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 4:
        raise FileError(f"{path} is not a TIFF file, whatever its name says")
    layout = {42: _CLASSIC, 43: _BIG}.get(struct.unpack(order + "H", head[2:])[0])
    if layout is None:
        raise FileError(f"{path} is not a TIFF file, whatever its name says")
    return order, layout


def _number(file: BinaryIO, offset: int, kind: str, size: int, path: Path) -> int:
    if offset + struct.calcsize(kind) > size:
        raise _incomplete(path, f"a page begins or ends beyond its last byte, {size}")
    file.seek(offset, os.SEEK_SET)
    value: int = struct.unpack(kind, file.read(struct.calcsize(kind)))[0]
    return value


def _check_strips(page: TiffPage | TiffFrame, number: int, size: int, path: Path) -> None:
    strips = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    if not strips or len(page.dataoffsets) != len(page.databytecounts):
        raise _incomplete(path, f"page {number} does not say where its pixels are")
    key = page.keyframe
    expected = math.prod(key.chunked) if key else len(strips)
    if len(strips) != expected:
        kind = "tiles" if key and key.is_tiled else "strips"
        raise _incomplete(
            path,
            f"page {number} has {len(strips)} {kind} of pixels, and its size {page.shape} takes "
            f"{expected}",
        )
    if any(not offset or not count for offset, count in strips):
        raise _incomplete(path, f"page {number} has strips that were never written")
    end = max(offset + count for offset, count in strips)
    if end > size:
        raise _incomplete(path, f"page {number} needs {end} bytes, the file has {size}")
    held = sum(count for _, count in strips)
    if key and key.compression == _UNCOMPRESSED and held < page.size * key.bitspersample // 8:
        raise _incomplete(path, f"page {number} holds fewer pixels than its size {page.shape}")


def _incomplete(path: Path, reason: str) -> FileError:
    return FileError(
        f"{path} is incomplete or damaged: {reason}; copy it again from where it was recorded"
    )
