"""What goes out comes back: values, calibration, metadata, provenance; and never half a file."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from stemzoo.common.errors import FileError, StemzooError
from stemzoo.io import Micrograph, read, write
from stemzoo.io.formats import READERS
from stemzoo.io.units import normalise

RNG = np.random.default_rng(7)
SHAPES = [(6, 9), (4, 6, 9), (1, 9), (6, 1), (2, 1, 9)]
DTYPES = [*"BbHhIiQqefd?", ">f4", ">i2", ">u2", ">f8"]
UNITS = ["nm", "Å", "µm", "pm", "m", "mm", "1/nm"]


def image(shape: tuple[int, ...] = (6, 9), dtype: str = "f4") -> np.ndarray:
    return RNG.integers(0, 2 if dtype == "?" else 120, shape).astype(dtype)


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".npy", ".TIF"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_values_come_back(tmp_path: Path, suffix: str, dtype: str, shape: tuple[int, ...]) -> None:
    data = image(shape, dtype)
    write(tmp_path / f"a{suffix}", Micrograph(data))
    back = read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(back.data, data, strict=False)
    assert back.data.shape == shape
    assert back.data.dtype.isnative
    assert back.data.dtype.itemsize >= data.dtype.itemsize
    assert (back.pixel_size, back.unit) == (None, None)
    assert back.source == tmp_path / f"a{suffix}"


def test_views_of_any_stride_are_written_as_they_look(tmp_path: Path) -> None:
    data = image((4, 12, 18))[::2, ::-2, ::3]
    for name in ("a.tif", "a.npy"):
        write(tmp_path / name, Micrograph(data))
        np.testing.assert_array_equal(read(tmp_path / name).data, data)


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("size", [(0.0123456789, 0.0123456789), (0.5, 123.456), (1 / 3, 7.0)])
def test_calibration_comes_back(
    tmp_path: Path, suffix: str, unit: str, size: tuple[float, float]
) -> None:
    write(tmp_path / f"a{suffix}", Micrograph(image(), size, unit))
    back = read(tmp_path / f"a{suffix}")
    assert back.unit == unit
    assert back.pixel_size == pytest.approx(size, rel=1e-9)


def test_a_pixel_size_in_metres_is_held_in_nanometres(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", Micrograph(image(), (2.5e-11, 1.25e-11), "m"))
    back = read(tmp_path / "a.tif")
    assert back.unit == "nm"
    assert back.pixel_size == pytest.approx((0.025, 0.0125), rel=1e-9)


def test_a_pixel_size_beyond_tiff_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot hold a pixel size .* write \.npy"):
        write(tmp_path / "a.tif", Micrograph(image(), (1e-12, 1e-12), "furlong"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("says", "means"),
    [
        ("um", "µm"),
        ("µm", "µm"),
        ("\u03bcm", "µm"),
        ("\\u00B5m", "µm"),
        ("micron", "µm"),
        ("Microns", "µm"),
        ("A", "Å"),
        ("\u212b", "Å"),
        ("A\u030a", "Å"),
        ("Angstroms", "Å"),
        (" nm ", "nm"),
        ("nanometers", "nm"),
        ("1 / nm", "1/nm"),
        ("nm^-1", "1/nm"),
        ("um⁻¹", "1/µm"),
        ("pixel", None),
        ("", None),
        (None, None),
        ("<undefined>", None),
        ("[]", None),
        ("[n_m]", "nm"),
        ("M", "M"),
        ("parsec", "parsec"),
    ],
)
def test_one_spelling_for_a_unit(says: str | None, means: str | None) -> None:
    assert normalise(says) == means


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_metadata_and_provenance_come_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    metadata = {"title": "Größe 1 µm ☃", "dose": np.float32(2.5), "axes": np.arange(3), "at": b"x"}
    provenance = {"model": "denoise-atomic", "version": "1.0.0", "tile": [256, 256], "bad": np.nan}
    write(path, Micrograph(image(), metadata=metadata), provenance=provenance)
    back = read(path)
    assert back.metadata == {
        "title": "Größe 1 µm ☃",
        "dose": 2.5,
        "axes": [0, 1, 2],
        "at": "x",
        "provenance": {**provenance, "bad": "nan"},
    }
    json.dumps(back.metadata, allow_nan=False)
    write(path, back)
    assert read(path).metadata == back.metadata


def test_a_tiff_is_what_imagej_expects(tmp_path: Path) -> None:
    stack = image((4, 6, 9))
    write(tmp_path / "a.tif", Micrograph(stack, (0.5, 0.25), "Å"), provenance={"by": "test"})
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        says = tif.imagej_metadata
        assert (says["images"], says["frames"], says["hyperstack"]) == (4, 4, True)
        assert says["unit"] == "\\u00C5"
        assert json.loads(says["Info"])["stemzoo"]["provenance"] == {"by": "test"}
        assert tif.series[0].dataoffset is not None, "ImageJ reads frames as one block"
        assert tif.pages[0].tags["XResolution"].value == (4, 1)
        assert tif.pages[0].tags["YResolution"].value == (2, 1)


def test_the_title_is_the_name_of_the_file_where_it_has_none(tmp_path: Path) -> None:
    for name in ("grain.tif", "grain.npy"):
        write(tmp_path / name, Micrograph(image()))
        assert read(tmp_path / name).metadata["title"] == "grain"


def test_npy_without_a_side_car_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(image()))
    assert read(tmp_path / "a.npy").pixel_size is None


def test_a_side_car_of_another_array_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.npy", Micrograph(image(), (1, 1), "nm"))
    np.save(tmp_path / "a.npy", image((3, 3)))
    with pytest.raises(FileError, match=r"a\.npy\.json describes another array"):
        read(tmp_path / "a.npy")


@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a{suffix}"
    write(path, Micrograph(image(), (1, 1), "nm"))
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"No space left on device; .*untouched") as caught:
        write(path, Micrograph(image((50, 50)), (2, 2), "nm"))
    assert isinstance(caught.value.__cause__, OSError)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.tif", Micrograph(image()))
    before = (tmp_path / "a.tif").read_bytes()

    def interrupted(file: object, *args: object, **options: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]
        raise KeyboardInterrupt

    monkeypatch.setattr(tifffile, "imwrite", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.tif", Micrograph(image((50, 50))))
    assert (tmp_path / "a.tif").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_the_mode_of_a_file_is_what_umask_says(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write(tmp_path / "a.tif", Micrograph(image()))
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.tif").stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a.tif").symlink_to(tmp_path / "real" / "b.tif")
    write(tmp_path / "a.tif", Micrograph(image()))
    assert (tmp_path / "a.tif").is_symlink()
    assert (tmp_path / "real" / "b.tif").is_file()


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    some = Micrograph(image())
    with pytest.raises(FileError, match=r"stemzoo writes \.tif, \.npy, .*; name it a\.tif"):
        write(tmp_path / "a.dm4", some)
    with pytest.raises(FileError, match=r"there is no folder .*nowhere; make it first"):
        write(tmp_path / "nowhere" / "a.tif", some)
    (tmp_path / "b.tif").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        write(tmp_path / "b.tif", some)


@pytest.mark.parametrize("shape", [(), (5,), (0, 4), (2, 2, 2, 2)])
def test_what_is_no_image_is_not_written(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"micrograph\.data cannot be written as an image: its sh"):
        write(tmp_path / "a.tif", Micrograph(np.zeros(shape)))


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a\.tif cannot be opened: No such file"):
        read(tmp_path / "a.tif")
    with pytest.raises(FileError, match="is a folder; name one file in it"):
        read(tmp_path)
    (tmp_path / "a.xyz").write_bytes(b"1")
    with pytest.raises(FileError, match=r"does not know; it reads .*\.npy, \.tif.*\.dm4"):
        read(tmp_path / "a.xyz")
    assert issubclass(FileError, StemzooError)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_one_may_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"1")
    (tmp_path / "a.tif").chmod(0)
    with pytest.raises(FileError, match="Permission denied"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [*READERS])
@pytest.mark.parametrize("content", ["empty", "text", "random", "zeros", "html"])
def test_what_only_its_name_says(tmp_path: Path, suffix: str, content: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(
        {
            "empty": b"",
            "text": b"Dose: 20 e/A^2\n" * 400,
            "random": np.random.default_rng(3).bytes(6000),
            "zeros": bytes(6000),
            "html": b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n" * 80,
        }[content]
    )
    with pytest.raises(FileError, match="a\\" + suffix):
        read(path)


def test_a_colour_picture_is_refused(tmp_path: Path) -> None:
    Image.fromarray(RNG.integers(0, 256, (5, 7, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(FileError, match="colour picture; convert it to greyscale"):
        read(tmp_path / "a.png")


def test_importing_loads_no_file_library() -> None:
    heavy = ["tifffile", "rsciio", "scipy", "matplotlib", "h5py", "PIL"]
    code = f"import sys, stemzoo.io; sys.exit([m for m in {heavy} if m in sys.modules] or None)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
