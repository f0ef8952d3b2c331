"""Is a .zspy whole? zarr gives zeros for a chunk that is not there.

A .zspy is a folder, or a zip of one, with a file for every chunk of an array.
"""

from __future__ import annotations

import itertools
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.common.errors import FileError
from stemzoo.io.bounds import require_plausible

_ARRAY, _IMAGE = ".zarray", "data/.zarray"


def check(path: Path) -> None:
    """FileError unless every chunk of every image is there, and the whole is plausible."""
    if path.is_dir():
        names = {each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file()}
        return _check(path, names, lambda name: (path / name).read_bytes())
    if not zipfile.is_zipfile(path):
        raise FileError(f"{path} is neither a folder nor a zip, so no .zspy")
    with zipfile.ZipFile(path) as archive:
        if broken := archive.testzip():
            raise FileError(f"{path} is damaged: {broken} in it is; copy it again")
        _check(path, set(archive.namelist()), archive.read)


def _check(path: Path, names: set[str], read: Callable[[str], bytes]) -> None:
    arrays = {name: json.loads(read(name)) for name in names if name.endswith(_ARRAY)}
    require_plausible(sum(map(_bytes, arrays.values())), path)
    for name, array in arrays.items():
        if not name.endswith(_IMAGE):
            continue
        counts = [-(-n // chunk) for n, chunk in zip(array["shape"], array["chunks"], strict=True)]
        apart = array.get("dimension_separator", ".")
        folder = name.removesuffix(_ARRAY)
        places = itertools.product(*map(range, counts))
        missing = sum(folder + apart.join(map(str, place)) not in names for place in places)
        if missing:
            raise FileError(
                f"{path} is incomplete: {missing} of {math.prod(counts)} chunks of its image are "
                "not there; copy it again from where it was recorded"
            )


def _bytes(array: dict[str, Any]) -> int:
    kinds = array["dtype"]  # one, or name and dtype of each field
    names = [kinds] if isinstance(kinds, str) else [field[1] for field in kinds]
    each = sum(8 if "O" in name else np.dtype(name).itemsize for name in names)
    return int(math.prod(array["shape"])) * each
