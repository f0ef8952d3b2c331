"""Good files of every format, to be spoilt: several layouts of each, of some kilobytes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from stemzoo.io import Micrograph, write

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))
from microscope_files import write_dm, write_mrc, write_ser

Generator = np.random.Generator


@dataclass(frozen=True)
class Format:
    suffix: str
    made: Callable[[Path, Generator], Iterator[bytes]]
    native: bool = True  # read by stemzoo itself, or gone through before the library reads it
    signal: int | None = None  # of files that hold several


def image(random: Generator, shape: tuple[int, ...] = (24, 20), dtype: str = "u2") -> Any:
    return random.integers(0, 200, shape).astype(dtype)


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    path.unlink()
    for beside in path.parent.glob(path.name + ".json"):
        beside.unlink()
    return content


def _npy(folder: Path, random: Generator) -> Iterator[bytes]:
    for shape, dtype in (((24, 20), "u2"), ((3, 24, 20), "f4"), ((24, 20), ">f8")):
        np.save(folder / "good.npy", image(random, shape, dtype))
        yield _content(folder / "good.npy")


def _tiff(folder: Path, random: Generator) -> Iterator[bytes]:
    path = folder / "good.tif"
    write(path, Micrograph(image(random, (3, 24, 20), "f4"), (0.02, 0.03), "nm", {"title": "a"}))
    yield _content(path)
    write(path, Micrograph(image(random)), dtype="uint8")
    yield _content(path)
    for options in (
        {"compression": "zlib", "rowsperstrip": 5},
        {"tile": (16, 16), "bigtiff": True},
        {"byteorder": ">", "resolution": (2e8, 1e8), "resolutionunit": "CENTIMETER"},
        {"compression": "lzw", "predictor": True},
    ):
        tifffile.imwrite(path, image(random, (2, 24, 20)), photometric="minisblack", **options)
        yield _content(path)


def _ome(folder: Path, random: Generator) -> Iterator[bytes]:
    path = folder / "good.ome.tif"
    write(path, Micrograph(image(random, (3, 24, 20)), (0.02, 0.03), "nm", {"title": "a"}))
    yield _content(path)


def _mrc(folder: Path, random: Generator) -> Iterator[bytes]:
    path = folder / "good.mrc"
    for order in "<>":
        write_mrc(path, image(random, (3, 24, 20), "i2"), order=order)
        yield _content(path)
    write_mrc(path, image(random, (24, 20), "f4"), extended=bytes(200))
    yield _content(path)


def _picture(suffix: str, modes: tuple[str, ...]) -> Callable[[Path, Generator], Iterator[bytes]]:
    def made(folder: Path, random: Generator) -> Iterator[bytes]:
        path = folder / f"good{suffix}"
        for mode in modes:
            grey = Image.fromarray(image(random, dtype="u1"))
            (Image.fromarray(image(random)) if mode == "I;16" else grey.convert(mode)).save(path)
            yield _content(path)

    return made


def _own_png(folder: Path, random: Generator) -> Iterator[bytes]:
    yield from _picture(".png", ("L", "I;16", "P", "RGB", "LA", "1"))(folder, random)
    values = Micrograph(image(random, dtype="f4") / 7, (0.02, 0.02), "nm", {"title": "a"})
    write(folder / "good.png", values)
    yield _content(folder / "good.png")


def _ser(folder: Path, random: Generator) -> Iterator[bytes]:
    for version in (0x0210, 0x0220):
        write_ser(folder / "good.ser", image(random, (2, 24, 20)), metres=1e-10, version=version)
        yield _content(folder / "good.ser")


def _dm(version: int) -> Callable[[Path, Generator], Iterator[bytes]]:
    def made(folder: Path, random: Generator) -> Iterator[bytes]:
        path = folder / "good.dm"
        write_dm(path, [image(random), image(random, (3, 24, 20), "f4")], version=version)
        yield _content(path)

    return made


def _plain_hdf5(folder: Path, random: Generator) -> Iterator[bytes]:
    h5py = importlib.import_module("h5py")
    for options in ({}, {"compression": "gzip", "chunks": (1, 12, 10)}):
        with h5py.File(folder / "good.h5", "w") as file:
            file.create_dataset("data", data=image(random, (2, 24, 20)), **options)
        yield _content(folder / "good.h5")


def _written(suffix: str) -> Callable[[Path, Generator], Iterator[bytes]]:
    def made(folder: Path, random: Generator) -> Iterator[bytes]:
        path = folder / f"good{suffix}"
        write(path, Micrograph(image(random, (2, 24, 20)), (0.02, 0.03), "nm", {"title": "a"}))
        yield _content(path)

    return made


GOOD = {
    "npy": Format(".npy", _npy),
    "tiff": Format(".tif", _tiff),
    "ome": Format(".ome.tif", _ome),
    "mrc": Format(".mrc", _mrc),
    "png": Format(".png", _own_png),
    "bmp": Format(".bmp", _picture(".bmp", ("L", "RGB", "1", "P"))),
    "jpeg": Format(".jpg", _picture(".jpg", ("L", "RGB"))),
    "h5": Format(".h5", _plain_hdf5),
    "ser": Format(".ser", _ser, native=False),
    "dm3": Format(".dm3", _dm(3), signal=0),
    "dm4": Format(".dm4", _dm(4), signal=1),
    "hspy": Format(".hspy", _written(".hspy")),
    "zspy": Format(".zspy", _written(".zspy"), native=False),
    "emd": Format(".emd", _written(".emd")),
}
