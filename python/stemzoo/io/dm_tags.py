"""The tree of tags that a DigitalMicrograph file (DM3, DM4) is.

After the public descriptions of the format by G. Jefferis and C. Boothroyd. The tree is big-endian,
values are in the order that the header names. A tag's value is described by numbers: a simple type,
or a struct, a string or an array of what the numbers after it describe.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.common.errors import FileError

Tree = dict[str, Any]

_DEEPEST = 64
_DESCRIBED = 4096  # numbers that describe one value
_GROUP, _VALUE = 20, 21
_STRUCT, _STRING, _ARRAY = 15, 18, 20
# By struct and NumPy alike.
_SIMPLE = {
    2: "h",
    3: "i",
    4: "H",
    5: "I",
    6: "f",
    7: "d",
    8: "?",
    9: "b",
    10: "b",
    11: "q",
    12: "Q",
}
_LETTER = 4  # of texts, which are arrays of 16-bit letters


@dataclass(frozen=True)
class Pixels:
    """Where the array of an image is: it is not read with the tags."""

    offset: int
    size: int  # bytes


def read_tags(path: Path) -> tuple[Tree, str]:
    """All tags, and the byte order of what is not read with them, `<` or `>`.

    Names are as HyperSpy has them: without dots, and TagGroup0 or Data0 for what has none.
    """
    with (
        open(path, "rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        reader = _Reader(path, content)
        return reader.root(), reader.order


class _Reader:
    def __init__(self, path: Path, content: mmap.mmap) -> None:
        self._path, self._content, self._at = path, content, 0
        (version,) = self._unpack(">i")
        if version not in (3, 4):
            raise FileError(
                f"{path} could not be read; it is damaged, or no DM3 or DM4 file whatever its name "
                f"says: its version is {version}"
            )
        self._wide = version == 4
        self._length()
        self.order = "<" if self._unpack(">i") == (1,) else ">"
        self._types = {code: np.dtype(self.order + letter) for code, letter in _SIMPLE.items()}
        self._numbers = {
            code: struct.Struct(self.order + letter) for code, letter in _SIMPLE.items()
        }

    def root(self) -> Tree:
        return self._group("", 0)

    def _group(self, name: str, depth: int) -> Tree:
        if depth > _DEEPEST:
            raise self._damaged(f"its tags are nested more than {_DEEPEST} deep")
        self._take(2)  # sorted, open
        tree: Tree = {}
        unnamed = {_GROUP: 0, _VALUE: 0}
        for _ in range(self._length()):
            kind, letters = self._unpack(">BH")
            if kind not in unnamed:
                raise self._damaged(f"it has a tag of kind {kind}")
            tag = self._text(letters).replace(".", "")
            if not tag:
                tag = f"{'TagGroup' if kind == _GROUP else 'Data'}{unnamed[kind]}"
                unnamed[kind] += 1
            if self._wide:
                self._take(8)  # the bytes of the tag
            if kind == _GROUP:
                tree[tag] = self._group(tag, depth + 1)
            else:
                tree[tag] = self._value(is_image=(name, tag) == ("ImageData", "Data"))
        return tree

    def _value(self, is_image: bool) -> Any:
        if self._bytes(4) != b"%%%%":
            raise self._damaged("the value of a tag does not begin with its mark")
        count = self._length()
        if count > _DESCRIBED:
            raise self._damaged(f"{count} numbers describe the value of a tag")
        described = iter(self._unpack(f">{count}{'q' if self._wide else 'i'}"))
        try:
            code = next(described)
            if code in self._numbers:
                return self._unpack(self._numbers[code])[0]
            if code == _STRING:
                return self._text(next(described))
            if code == _ARRAY:
                return self._array(described, is_image)
            return self._array_of(self._dtype(code, described), 1)[0].tolist()
        except StopIteration:
            raise self._damaged("the description of a value breaks off") from None

    def _array(self, described: Iterator[int], is_image: bool) -> Any:
        element = next(described)
        dtype, length = self._dtype(element, described), next(described)
        if is_image:
            size = dtype.itemsize * length
            return Pixels(self._take(size), size)
        found = self._array_of(dtype, length)
        if element == _LETTER:
            codec = "utf-16-le" if self.order == "<" else "utf-16-be"
            return found.tobytes().decode(codec, "replace")
        return found

    def _array_of(self, dtype: np.dtype[Any], length: int) -> np.ndarray[Any, np.dtype[Any]]:
        """A copy: the file is closed when the tags are used."""
        content = self._bytes(dtype.itemsize * length)
        return np.frombuffer(content, dtype) if content else np.empty(0, dtype)

    def _dtype(self, code: int, described: Iterator[int]) -> np.dtype[Any]:
        if code in self._types:
            return self._types[code]
        if code == _STRUCT:
            next(described)  # the letters of its name
            fields = []
            for number in range(next(described)):
                next(described)  # the letters of the field's name
                fields.append((f"f{number}", self._dtype(next(described), described)))
            dtype = np.dtype(fields)
        elif code == _STRING:
            dtype = np.dtype(("S", self._plausible(next(described))))
        elif code == _ARRAY:
            element = self._dtype(next(described), described)
            dtype = np.dtype((element, (self._plausible(next(described)),)))
        else:
            raise self._damaged(f"it has a value of type {code}")
        if not dtype.itemsize:
            raise self._damaged("it has an array of nothing")
        return dtype

    def _plausible(self, length: int) -> int:
        if not 0 < length <= len(self._content):
            raise self._damaged(f"{length} is the length of an array of arrays")
        return length

    def _text(self, size: int) -> str:
        content = self._bytes(size)
        try:
            return content.decode()
        except UnicodeDecodeError:
            return content.decode("latin-1")

    def _length(self) -> int:
        length = int(self._unpack(">q" if self._wide else ">i")[0])
        if length < 0:
            raise self._damaged(f"{length} is the length of something in it")
        return length

    def _unpack(self, form: str | struct.Struct) -> tuple[Any, ...]:
        form = struct.Struct(form) if isinstance(form, str) else form
        return form.unpack_from(self._content, self._take(form.size))

    def _bytes(self, size: int) -> bytes:
        start = self._take(size)
        return self._content[start : start + size]

    def _take(self, size: int) -> int:
        """Where the next `size` bytes begin."""
        start = self._at
        if not 0 <= size <= len(self._content) - start:
            raise self._damaged("it ends before its tags do")
        self._at = start + size
        return start

    def _damaged(self, reason: str) -> FileError:
        return FileError(
            f"{self._path} could not be read; it is damaged: {reason}; "
            "copy it again from where it was recorded"
        )
