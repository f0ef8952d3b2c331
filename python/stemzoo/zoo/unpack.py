"""A package from anywhere becomes a model of a zoo folder: read as if its maker meant harm.

A package is a zip of plain files, one of them the network: ours, or bioimage.io's of such a model.
Names in it decide nothing until they are known to be plain, and nothing is written before all of it
has been read and checked.
"""

from __future__ import annotations

import copy
import stat
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from stemzoo.common.errors import FileError, StemzooError
from stemzoo.model_file.contract import MAX_MODEL
from stemzoo.zoo.folder import add, reindex
from stemzoo.zoo.index import MAX_FILES
from stemzoo.zoo.packages import DESCRIPTION, FOR_FIJI

_END = struct.Struct("<4s4H2LH")  # the end record: where the directory is, and how large
_MAX_DIRECTORY = 1 << 20  # bytes: names of a few dozen files are a thousandth of that
_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for gigabytes to unpack
_ENCRYPTED = 1
_AT_ONCE = 1 << 20


def import_package(file: Path, zoo: Path) -> str:
    """Put the model in the zip `file` into the folder `zoo`, and list it there; what to say."""
    files = _unpacked(file)
    if files.get(FOR_FIJI) == files.get(DESCRIPTION):
        files.pop(FOR_FIJI, None)
    network, new = add(zoo, files, str(file))
    reindex(zoo)
    said = "imported into" if new else "was there before, with the same bytes, in"
    return f"{network.stem} {said} {network.parent}"


def _unpacked(path: Path) -> dict[str, bytes]:
    """Every file of a package by its name."""
    if not path.is_file():
        raise FileError(f"{path} is no file; expected a package, such as models export writes")
    try:
        with path.open("rb") as file:
            _check_end(file, path)
            with zipfile.ZipFile(file) as package:
                members = package.infolist()
                _check(members, path)
                return {m.orig_filename: _content(package, m, path) for m in members}
    except StemzooError:
        raise
    # On a damaged file, zipfile raises whatever its code happened to stumble over.
    except Exception as error:
        raise FileError(f"{path} is no zip, or a damaged one ({error}); get it again") from error


def _check_end(file: BinaryIO, path: Path) -> None:
    """zipfile reads the whole directory of a zip before one can ask how large it is."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 42))
    tail = file.read()
    if size < _END.size or not tail[-22:].startswith(b"PK\5\6"):
        raise FileError(f"{path} is no zip, or one cut short, or one with a comment; get it again")
    directory = _END.unpack(tail[-22:])[5]
    if directory > _MAX_DIRECTORY or tail.startswith(b"PK\6\7"):
        raise FileError(
            f"{path} lists more files than a package has; expected at most {MAX_FILES}, "
            "and no 64-bit zip"
        )


def _check(members: list[zipfile.ZipInfo], path: Path) -> None:
    if len(members) > MAX_FILES:
        raise FileError(f"{path} holds {len(members)} files; expected at most {MAX_FILES}")
    for member in members:
        name = member.orig_filename  # as it is written: zipfile mends some names
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise FileError(f"{path} holds {name!r}, which is no plain file but a link or a device")
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _PACKING:
            raise FileError(
                f"{path} holds {name!r} encrypted or packed in an unusual way; expected a zip with "
                "deflate or without compression"
            )
    # Names that differ by case are one file on Windows and macOS.
    if len({member.orig_filename.lower() for member in members}) != len(members):
        raise FileError(f"{path} holds one name twice")
    total = sum(member.file_size for member in members)
    if total > MAX_MODEL:
        raise FileError(f"{path} unpacks to {total} bytes; expected at most {MAX_MODEL}")


def _content(package: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    """A file unpacked piece by piece, no further than it has announced."""
    announced = member.file_size
    asked = copy.copy(member)
    asked.file_size += 1  # there zipfile would cut it off in silence; so, its checksum is wrong
    with package.open(asked) as file:
        content = b"".join(iter(lambda: file.read(_AT_ONCE), b""))
    if len(content) != announced:
        raise FileError(
            f"{path} holds {len(content)} bytes of {member.filename}, where {announced} are "
            "announced; get it again"
        )
    return content
