"""Picture files that claim more than they hold, and readers that only warn: all are refused."""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
from microscope_files import write_ser
from PIL import Image

from stemzoo.common.errors import FileError
from stemzoo.io import bounds, formats, picture_structure, read

RNG = np.random.default_rng(5)
LENGTH, ROWS_PER_STRIP, WIDTH = 257, 278, 256  # TIFF tags


def image(shape: tuple[int, ...] = (48, 40), dtype: str = "u2") -> np.ndarray:
    return RNG.integers(0, 200, shape).astype(dtype)


def patch(path: Path, **tags: int) -> None:
    """Overwrites values of tags in every directory of a TIFF."""
    numbers = {"length": LENGTH, "rows": ROWS_PER_STRIP, "width": WIDTH}
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        for page in tif.pages:
            for name, value in tags.items():
                tag = page.tags[numbers[name]]
                raw[tag.valueoffset : tag.valueoffset + 4] = struct.pack("<I", value)
                raw[tag.offset + 2 : tag.offset + 4] = struct.pack("<H", 4)  # a LONG
    path.write_bytes(raw)


def tiff(path: Path, data: np.ndarray, **options: Any) -> None:
    tifffile.imwrite(path, data, photometric="minisblack", byteorder="<", **options)


@pytest.mark.parametrize("compression", ["zlib", "lzw", "zstd", None])
@pytest.mark.parametrize("pages", [1, 3])
@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_of_more_rows_than_it_has_strips(
    tmp_path: Path, compression: str | None, pages: int, big: bool
) -> None:
    path = tmp_path / "a.tif"
    data = image((pages, 48, 40))
    tiff(path, data, compression=compression, rowsperstrip=24, metadata=None, bigtiff=big)
    np.testing.assert_array_equal(read(path).data, data.squeeze())
    patch(path, length=96)
    with pytest.raises(FileError, match=r"page 0 has 2 strips of pixels, and its size .* takes 4"):
        read(path)
    patch(path, rows=48)  # the number fits, but what is in them does not
    with pytest.raises(FileError):
        read(path)
    patch(path, length=24, rows=24)
    with pytest.raises(FileError, match=r"incorrect StripByteCounts count"):
        read(path)


@pytest.mark.parametrize("compression", ["zlib", "jpeg", None])
@pytest.mark.parametrize("tag", ["length", "width"])
def test_a_tiff_of_more_pixels_than_its_tiles_hold(
    tmp_path: Path, compression: str | None, tag: str
) -> None:
    path = tmp_path / "a.tif"
    tiff(path, image((48, 48), "u1"), compression=compression, tile=(16, 16), metadata=None)
    patch(path, **{tag: 96})
    with pytest.raises(FileError, match=r"page 0 has 9 tiles of pixels, and its size .* takes 18"):
        read(path)


@pytest.mark.parametrize("side", [17_000, 60_000])
@pytest.mark.parametrize("options", [{"rowsperstrip": 24}, {"tile": (16, 16)}])
def test_a_small_tiff_that_claims_gigabytes(
    tmp_path: Path, side: int, options: dict[str, Any]
) -> None:
    path = tmp_path / "a.tif"
    tiff(path, image(), compression="zlib", metadata=None, **options)
    patch(path, length=side, width=side)
    with pytest.raises(FileError):
        read(path)


def test_zeros_that_unfold_a_thousandfold(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tiff(path, np.zeros((9000, 9000), "u1"), compression="zlib")
    with pytest.raises(FileError, match=r"announces 77 MiB of pixels, \d+ times its own \d+ bytes"):
        read(path)
    Image.fromarray(np.zeros((9000, 9000), "u1")).save(tmp_path / "a.png")
    with pytest.raises(FileError, match=r"announces 77 MiB of pixels; *|77 MiB of pixels, \d+ tim"):
        read(tmp_path / "a.png")


def test_a_blank_frame_is_no_bomb(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", np.zeros((4096, 4096), "f4"), compression="zlib")
    assert not read(tmp_path / "a.tif").data.any()


def test_what_a_larger_file_may_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts of electrons at low dose compress well, and are read."""
    monkeypatch.setattr(bounds, "ALWAYS", 0)
    counts = RNG.poisson(0.05, (400, 400)).astype("u2")
    tiff(tmp_path / "a.tif", counts, compression="zlib")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, counts)


def test_a_series_whose_frames_are_one_and_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rsciio.tia", reason="needs pip install 'stemzoo[io]'")
    monkeypatch.setattr(bounds, "ALWAYS", 0)
    path, count = tmp_path / "a.ser", 400
    write_ser(path, image((count, 2, 2)), metres=1e-10)
    raw = bytearray(path.read_bytes())
    first = struct.unpack("<I", raw[22:26])[0]
    at = struct.unpack("<I", raw[first : first + 4])[0]
    raw += bytes(40_000)
    raw[at + 42 : at + 50] = struct.pack("<II", 150, 160)
    for index in range(count):
        struct.pack_into("<I", raw, first + 4 * index, at)
    path.write_bytes(raw)
    with pytest.raises(FileError, match=r"MiB of pixels, \d+ times its own"):
        read(path)


@pytest.mark.parametrize("suffix", [".emd", ".hspy"])
def test_a_small_hdf5_file_that_claims_gigabytes(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("rsciio.emd", reason="needs pip install 'stemzoo[io]'")
    with h5py.File(tmp_path / f"a{suffix}", "w") as file:
        group = file.create_group("data/image")
        group.create_dataset("data", (60_000, 60_000), "f4", chunks=(1000, 1000), compression=9)
    with pytest.raises(FileError, match=r"announces 13733 MiB of pixels"):
        read(tmp_path / f"a{suffix}")


def png(path: Path, data: np.ndarray, height: int) -> None:
    """A PNG whose header says another height than it has rows."""
    Image.fromarray(data).save(path)
    raw = bytearray(path.read_bytes())
    raw[20:24] = struct.pack(">I", height)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    path.write_bytes(raw)


def test_a_png_of_more_rows_than_it_holds(tmp_path: Path) -> None:
    png(tmp_path / "a.png", image(dtype="u1"), 96)
    with pytest.raises(FileError, match=r"a\.png"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("shape", [(48, 40), (1, 1), (5, 3), (9, 17)])
def test_a_png_of_any_kind_is_whole(tmp_path: Path, mode: str, shape: tuple[int, int]) -> None:
    data = image(shape, "u1")
    Image.fromarray(data).convert(mode).save(tmp_path / "a.png", optimize=True)
    assert read(tmp_path / "a.png").data.shape == shape


def test_an_interlaced_png(tmp_path: Path) -> None:
    """Written by hand, for Pillow writes none: seven passes, their rows not filtered."""
    for rows, columns in ((48, 40), (1, 1), (3, 5), (9, 17)):
        data = image((rows, columns), "u1")
        passes = b""
        for column, row, across, down in picture_structure._ADAM7:
            part = data[row::down, column::across]
            passes += b"".join(b"\0" + line.tobytes() for line in part if line.size)
        header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 1)
        parts = [(b"IHDR", header), (b"IDAT", zlib.compress(passes)), (b"IEND", b"")]
        raw = b"\x89PNG\r\n\x1a\n"
        for kind, content in parts:
            raw += struct.pack(">I", len(content)) + kind + content
            raw += struct.pack(">I", zlib.crc32(kind + content))
        (tmp_path / "a.png").write_bytes(raw)
        np.testing.assert_array_equal(read(tmp_path / "a.png").data, data)


def test_a_bmp_of_more_rows_than_it_holds(tmp_path: Path) -> None:
    Image.fromarray(image(dtype="u1")).save(tmp_path / "a.bmp")
    raw = bytearray((tmp_path / "a.bmp").read_bytes())
    raw[22:26] = struct.pack("<i", 96)
    (tmp_path / "a.bmp").write_bytes(raw)
    with pytest.raises(FileError, match=r"a\.bmp"):
        read(tmp_path / "a.bmp")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_of_more_rows_than_it_holds(tmp_path: Path, progressive: bool) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(image(dtype="u1")).save(path, progressive=progressive)
    assert read(path).data.shape == (48, 40)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    raw[at + 5 : at + 7] = struct.pack(">H", 96)
    path.write_bytes(raw)
    with pytest.raises(FileError, match=r"a\.jpg"):
        read(path)


def test_a_picture_of_more_pixels_than_pillow_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, data = tmp_path / "a.png", image(dtype="u1")
    Image.fromarray(data).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", data.size - 1)  # Pillow warns
    np.testing.assert_array_equal(read(path).data, data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", data.size // 3)  # and refuses
    with pytest.raises(FileError, match=r"more pixels than Pillow opens.*; save it as TIFF"):
        read(path)


@pytest.mark.parametrize("logger", ["tifffile", "rsciio.tia._api", "PIL.TiffImagePlugin"])
def test_what_a_reader_only_logs(
    tmp_path: Path, logger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.tif").write_bytes(b"1")

    def reader(path: Path) -> list[Any]:
        logging.getLogger(logger).warning("missing data are %s", "zeroed")
        return []

    monkeypatch.setitem(formats.READERS, ".tif", reader)
    with pytest.raises(FileError, match=r"a\.tif is damaged, or .* missing data are zeroed; copy"):
        read(tmp_path / "a.tif")
    assert not logging.getLogger("tifffile").handlers


def test_what_a_reader_only_warns_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "a.npy", image())
    good = formats.READERS[".npy"]

    def warning_of(*said: Any) -> None:
        def reader(path: Path) -> list[Any]:
            warnings.warn(*said, stacklevel=1)
            return good(path)

        monkeypatch.setitem(formats.READERS, ".npy", reader)

    for said in (("half of it is missing",), ("rows were lost", RuntimeWarning)):
        warning_of(*said)
        with pytest.raises(FileError, match=said[0]):
            read(tmp_path / "a.npy")
    for said in (("use another function", DeprecationWarning), ("numba is not installed",)):
        warning_of(*said)
        assert read(tmp_path / "a.npy").data.shape == (48, 40)


def test_an_ome_tiff_of_which_a_file_is_missing(tmp_path: Path) -> None:
    """tifffile logs that, and reads zeros."""
    path = tmp_path / "a.ome.tif"
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image((2, 12, 17)), ome=True, photometric="minisblack")
    raw = buffer.getvalue()
    assert raw.count(b'SizeT="1"') == 1
    assert raw.count(b'SizeZ="2"') + raw.count(b'SizeC="2"') == 1
    for axis in (b"Z", b"C"):
        raw = raw.replace(b'Size%s="2"' % axis, b'Size%s="4"' % axis)
    path.write_bytes(raw)
    with pytest.raises(FileError):
        read(path)
