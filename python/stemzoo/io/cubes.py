"""Spectrum images and 4D-STEM data, in and out, without having all of one in memory.

The axes of the scan come first, those of energy or diffraction last. What `stemzoo.io.read` takes
for images comes from there.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo import _core
from stemzoo.common.atomic import replacing
from stemzoo.common.chunks import is_lazy
from stemzoo.common.errors import FileError
from stemzoo.io import dm, npy, rosetta
from stemzoo.io.formats import read, reader_for
from stemzoo.io.jsonable import dumps
from stemzoo.io.plain_file import require_file
from stemzoo.io.warned import nothing_is_only_warned_of

SUFFIXES = (".npy", ".hspy")  # that are written
Fill = Callable[[Any], Any]  # of an array on disk


@dataclass(frozen=True, eq=False)
class Cube:
    """An array on disk: mapped, or one of Dask. `about` is what its file says of it.

    `axes` are as RosettaSciIO gives them, one dictionary each; none where the file has none.
    """

    data: Any
    axes: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)


def open_cube(path: Path, dataset: int | None = None) -> Cube:
    """What the file holds, of any number of axes; FileError where it says not which of several."""
    require_file(path)
    suffix = path.suffix.lower()
    if suffix == ".npy":
        data = np.load(path, mmap_mode="r", allow_pickle=False)
        if data.offset + data.nbytes != path.stat().st_size:
            raise FileError(f"{path} is cut off, or holds several arrays; save one array")
        return Cube(data, about=npy.known_of(path, data))
    if reader_for(path) in (rosetta.read, dm.read):  # `dm` reads images and stacks only
        return _rosetta(path, dataset)
    image = read(path, signal=dataset)
    about = {"pixel_size": image.pixel_size, "unit": image.unit, "metadata": image.metadata}
    return Cube(image.data, about=about)


def require_writable(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise FileError(
            f"{path} cannot hold it: arrays of more than two axes are written as "
            f"{' and '.join(SUFFIXES)}; name it {path.stem}.npy"
        )


def write_npy(path: Path, shape: Sequence[int], fill: Fill, about: dict[str, Any]) -> None:
    """A float32 array that `fill` puts numbers into, where they stay on disk."""
    known = {"shape": list(shape), "dtype": np.dtype(np.float32).str, **about}
    with replacing(npy.side_car(path)) as text, replacing(path) as file, ExitStack() as stack:
        header = {"descr": known["dtype"], "fortran_order": False, "shape": tuple(shape)}
        np.lib.format.write_array_header_2_0(file, header)
        start = file.tell()
        file.truncate(start + 4 * math.prod(shape))
        array = np.memmap(file, np.float32, "r+", offset=start, shape=tuple(shape))
        stack.callback(array.flush)
        fill(array)
        text.write(dumps(known).encode() + b"\n")


def write_hspy(path: Path, data: Any, like: Cube, border: int, record: dict[str, Any]) -> None:
    """A HyperSpy file with the axes and metadata of the one that was read."""
    try:
        hspy = importlib.import_module("rsciio.hspy")
    except ImportError as error:
        raise FileError(
            f"{path} needs RosettaSciIO to be written: pip install 'stemzoo[io]', or name it "
            f"{path.stem}.npy"
        ) from error
    axes = [_axis(k, size, like, border) for k, size in enumerate(data.shape)]
    original = {**like.about.get("original_metadata", {}), "stemzoo": record}
    signal = {
        "data": data,
        "axes": axes,
        "metadata": like.about.get("metadata", {}),
        "original_metadata": original,
        "attributes": {"_lazy": is_lazy(data)},
        "tmp_parameters": {},
        "learning_results": {},
        "models": {},
        "package_info": {"package": "stemzoo", "package_version": _core.__version__},
    }
    with replacing(path) as file:
        hspy.file_writer(file.name, signal, show_progressbar=False)


def _axis(number: int, size: int, like: Cube, border: int) -> dict[str, Any]:
    """As it was, but for the pixels more on either side of the picture."""
    before = len(like.axes) - len(like.data.shape) if like.axes else 0
    known = like.axes[number + before] if like.axes else {}
    scale, offset = float(known.get("scale", 1)), float(known.get("offset", 0))
    if number < 2:
        offset -= border * scale
    axis = {"name": "", "units": "", "navigate": number < 2, "_type": "UniformDataAxis"}
    return {**axis, **known, "size": size, "scale": scale, "offset": offset}


def _rosetta(path: Path, wanted: int | None) -> Cube:
    plugin = rosetta.plugin_of(path)
    try:
        reader = importlib.import_module(f"rsciio.{plugin}").file_reader
        with nothing_is_only_warned_of(path):
            found = reader(str(path), lazy=True)
    except ImportError as error:
        raise FileError(
            f"{path} needs RosettaSciIO and Dask to be read, and {error.name or 'one'} is not "
            "installed: pip install 'stemzoo[io]' dask"
        ) from error
    except FileError:
        raise
    # On a damaged file, readers raise whatever their code happened to stumble over.
    except Exception as error:
        raise FileError(f"{path} could not be read ({type(error).__name__}: {error})") from error
    usable = [one for one in found if one["data"].ndim >= 2]
    if wanted is not None and not 0 <= wanted < len(found):
        raise FileError(f"{path} has no dataset {wanted}; {_listing(found)}")
    if wanted is None and len(usable) != 1:
        raise FileError(f"{path} holds {len(usable)} arrays; give --dataset N; {_listing(found)}")
    chosen = usable[0] if wanted is None else found[wanted]
    about = {key: chosen.get(key) or {} for key in ("metadata", "original_metadata")}
    return Cube(chosen["data"], list(chosen["axes"]), about)


def _listing(found: list[dict[str, Any]]) -> str:
    lines = [
        f"\n  {number}: {one.get('metadata', {}).get('General', {}).get('title', '')} "
        f"of shape {one['data'].shape}"
        for number, one in enumerate(found)
    ]
    return "it holds these:" + "".join(lines)
