"""HDF5 files opened so that a damaged heap of strings is an error, not a loop without end.

Strings of HDF5 stand in heaps. The library (HDF5 2.0 and before) goes from one string of a heap to
the next by sizes that the file gives, and stands still for ever where a spoilt one is nothing.
Every heap that it is about to read passes through here, and is gone through before.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stemzoo.common.errors import FileError

_SIGNATURE = b"GCOL\x01"
_HEAD = struct.Struct("<HH4xQ")  # number (0: free space), uses, and size of what follows
_METADATA = 1 << 20  # bytes: HDF5 reads only pixels in larger pieces


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The h5py.File, to be read."""
    import h5py

    with _Watched(path) as content, h5py.File(content, "r") as file:
        yield file


class _Watched(io.FileIO):
    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._path = path
        self._sound: set[int] = set()  # heaps, by their places

    def readinto(self, buffer: Any) -> int | None:
        start = self.tell()
        count = super().readinto(buffer)
        if count and count <= _METADATA:
            self._check_heaps(max(0, start - len(_SIGNATURE) + 1), start + count)
        return count

    def _check_heaps(self, start: int, end: int) -> None:
        content = self._at(start, end - start)
        found = content.find(_SIGNATURE)
        while found >= 0:
            if start + found not in self._sound:
                self._check_heap(start + found)
                self._sound.add(start + found)
            found = content.find(_SIGNATURE, found + 1)

    def _check_heap(self, start: int) -> None:
        end = start + int.from_bytes(self._at(start + 8, 8), "little")
        place = start + _HEAD.size
        while place + _HEAD.size <= end:
            head = self._at(place, _HEAD.size)
            if len(head) < _HEAD.size:
                return  # HDF5 itself says that the file is too short
            number, _, size = _HEAD.unpack(head)
            step = size if number == 0 else _HEAD.size + -(-size // 8) * 8
            if not 0 < step < 1 << 63:
                raise FileError(
                    f"{self._path} is damaged: the strings at byte {start} have no end; copy it "
                    "again from where it was recorded"
                )
            place += step

    def _at(self, place: int, count: int) -> bytes:
        before = self.tell()
        self.seek(place)
        content = self.read(count)
        self.seek(before, os.SEEK_SET)
        return content
