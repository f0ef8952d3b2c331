"""TIFF as ImageJ, OME, Gatan and others write it: whole, or refused with the reason."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from stemzoo.common.errors import FileError
from stemzoo.io import read

RNG = np.random.default_rng(11)


def image(shape: tuple[int, ...] = (12, 17), dtype: str = "f4") -> np.ndarray:
    return RNG.integers(0, 120, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "i4", "u4", "f2", "f4", "f8"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_tiff_of_any_kind(tmp_path: Path, dtype: str, order: str, big: bool) -> None:
    data = image((3, 12, 17), dtype)
    options = {"photometric": "minisblack", "byteorder": order, "bigtiff": big}
    tifffile.imwrite(tmp_path / "a.tif", data, **options)
    back = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype == data.dtype
    assert back.data.dtype.isnative


@pytest.mark.parametrize("options", [{"tile": (16, 16)}, {"rowsperstrip": 5}, {"compression": 8}])
def test_tiff_in_tiles_strips_and_compressed(tmp_path: Path, options: dict[str, Any]) -> None:
    data = image((3, 40, 50), "u2")
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="minisblack", **options)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, data)


def test_imagej_calibration(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        image((3, 12, 17)),
        imagej=True,
        resolution=(40.0, 20.0),
        metadata={"unit": "\\u00B5m", "axes": "ZYX", "spacing": 2.0},
    )
    back = read(tmp_path / "a.tif")
    assert back.pixel_size == pytest.approx((0.05, 0.025), rel=1e-6)
    assert back.unit == "µm"
    assert back.metadata["imagej"]["slices"] == 3


def test_imagej_signed_integers(tmp_path: Path) -> None:
    data = image(dtype="i2") - 60
    tifffile.imwrite(
        tmp_path / "a.tif",
        (data.astype(np.int32) + 32768).astype(np.uint16),
        description="ImageJ=1.54f\ncf=0\nc0=-32768.0\nc1=1.0\n",
        metadata=None,
    )
    back = read(tmp_path / "a.tif").data
    np.testing.assert_array_equal(back, data)
    assert back.dtype == np.int16


def test_imagej_stack_of_one_page(tmp_path: Path) -> None:
    """ImageJ writes large stacks as one page with all frames behind it."""
    stack = image((5, 12, 17))
    path = tmp_path / "a.tif"
    description = "ImageJ=1.54f\nimages=5\nslices=5\n"
    tifffile.imwrite(path, stack[0], description=description, metadata=None)
    with tifffile.TiffFile(path) as tif:
        at = tif.pages[0].dataoffsets[0]
    whole = path.read_bytes()[:at] + stack.tobytes()
    path.write_bytes(whole)
    np.testing.assert_array_equal(read(path).data, stack)
    path.write_bytes(whole[:-200])
    with pytest.raises(FileError, match="5 images announced"):
        read(path)


def test_ome_calibration(tmp_path: Path) -> None:
    sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "Å", "PhysicalSizeY": 0.1}
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        image((3, 12, 17)),
        ome=True,
        metadata={"axes": "TYX", **sizes, "PhysicalSizeYUnit": "nm"},
    )
    back = read(tmp_path / "a.ome.tif")
    assert back.pixel_size == pytest.approx((1.0, 0.5))
    assert back.unit == "Å"


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [
        ((72.0, 72.0), "INCH", None),
        ((600.0, 600.0), "INCH", None),
        ((2e8, 1e8), "CENTIMETER", (0.1, 0.05)),
        ((2.54e8, 2.54e8), "INCH", (0.1, 0.1)),
        ((2e8, 1e8), "NONE", None),
    ],
)
def test_plain_resolution_counts_where_no_printer_reaches(
    tmp_path: Path, resolution: Any, unit: Any, expected: tuple[float, float] | None
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", image(), resolution=resolution, resolutionunit=unit)
    back = read(tmp_path / "a.tif")
    assert back.pixel_size == (expected and pytest.approx(expected))
    assert back.unit == (expected and "nm")


def test_gatan_calibration(tmp_path: Path) -> None:
    tags = [(65003, 2, None, "nm", False), (65004, 2, None, "nm", False)]
    scales = [(65009, 12, 1, 0.01, False), (65010, 12, 1, 0.02, False)]
    tifffile.imwrite(tmp_path / "a.tif", image(), extratags=[*tags, *scales])
    back = read(tmp_path / "a.tif")
    assert (back.pixel_size, back.unit) == ((0.02, 0.01), "nm")


def test_appended_pages_are_a_stack(tmp_path: Path) -> None:
    stack = image((5, 12, 17), "u2")
    for frame in stack:
        tifffile.imwrite(tmp_path / "a.tif", frame, append=True)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, stack)


def test_pages_of_several_sizes_are_not_guessed_among(tmp_path: Path) -> None:
    one, other = image((12, 17)), image((8, 9))
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(one)
        tif.write(other)
    with pytest.raises(FileError, match=r"holds 2 images, none .*signal=NAME(.|\n)*1: .*\(8, 9\)"):
        read(tmp_path / "a.tif")
    np.testing.assert_array_equal(read(tmp_path / "a.tif", signal=1).data, other)
    for wrong in (2, -1):
        with pytest.raises(FileError, match=f"has no signal {wrong}; it holds"):
            read(tmp_path / "a.tif", signal=wrong)


def test_thumbnails_are_no_second_image(tmp_path: Path) -> None:
    data = image((32, 32))
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(data)
        tif.write(data[::4, ::4], subfiletype=1)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, data)


def test_tiff_that_is_no_grey_image(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    cases: list[tuple[np.ndarray, dict[str, Any], str]] = [
        (image((12, 17, 3), "u1"), {"photometric": "rgb"}, "colour picture.*greyscale"),
        (
            image((3, 12, 17), "u1"),
            {"photometric": "rgb", "planarconfig": "separate"},
            "colour picture.*greyscale",
        ),
        (image(dtype="u1"), {"photometric": "miniswhite"}, "zero is white"),
        (
            image(dtype="u1"),
            {"photometric": "palette", "colormap": RNG.integers(0, 9, (3, 256)).astype("u2")},
            "palette colours",
        ),
        (image(dtype="c8"), {}, "values are complex"),
        (image((2, 3, 12, 17)), {"imagej": True}, r"shape \(2, 3, 12, 17\) has 4 dimensions"),
    ]
    for data, options, reason in cases:
        tifffile.imwrite(path, data, **options)
        with pytest.raises(FileError, match=reason):
            read(path)


def test_a_grey_palette_is_read(tmp_path: Path) -> None:
    data = image(dtype="u1")
    greys = np.tile(np.arange(256, dtype="u2") * 257, (3, 1))
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="palette", colormap=greys)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, data)


def test_every_cut_through_an_appended_tiff_is_noticed(tmp_path: Path) -> None:
    """Cut in half, five appended pages are one good page to most readers."""
    path = tmp_path / "a.tif"
    for frame in image((5, 12, 17), "u2"):
        tifffile.imwrite(path, frame, append=True)
    whole = path.read_bytes()
    for size in range(0, len(whole) - 1, 37):
        path.write_bytes(whole[:size])
        with pytest.raises(FileError):
            read(path)


@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}, {"bigtiff": True}])
def test_every_cut_through_a_stack_is_noticed(tmp_path: Path, options: dict[str, Any]) -> None:
    path, stack = tmp_path / "a.tif", image((4, 12, 17), "u2")
    tifffile.imwrite(path, stack, photometric="minisblack", **options)
    whole = path.read_bytes()
    for size in range(0, len(whole), 41):
        path.write_bytes(whole[:size])
        try:
            back = read(path)
        except FileError:
            continue
        np.testing.assert_array_equal(back.data, stack)  # only padding was cut off


def test_pages_that_were_announced_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for description in ("ImageJ=1.54f\nimages=4\n", '{"shape": [4, 12, 17]}'):
        tifffile.imwrite(path, image(), description=description, metadata=None)
        with pytest.raises(FileError, match="announced"):
            read(path)


def test_pages_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, image(), byteorder="<")
    raw = bytearray(path.read_bytes())
    first = struct.unpack("<I", raw[4:8])[0]
    entries = struct.unpack("<H", raw[first : first + 2])[0]
    struct.pack_into("<I", raw, first + 2 + 12 * entries, first)
    path.write_bytes(raw)
    with pytest.raises(FileError, match="in a circle"):
        read(path)


FEI, ZEISS = 34682, 34118  # TIFF tags
FEI_SCAN = "[Beam]\r\nHV=300000\r\n[Scan]\r\nPixelWidth=2e-11\r\nPixelHeight=3e-11\r\n"
FEI_FIELD = (
    "[IRBeam]\r\nHFW=1.7e-09\r\nVFW=2.4e-09\r\n[Image]\r\nResolutionX=17\r\nResolutionY=12\r\n"
)
ZEISS_SEM = (
    "\r\n0\r\n0\r\n0\r\n1e-9\r\nDP_SEM\r\nSEM = Ultra\r\n"
    "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 12.33 nm\r\nAP_MANUALKV\r\nEHT Target = 1.80 kV\r\n"
)


@pytest.mark.parametrize(
    ("tag", "text", "size", "energy"),
    [
        (FEI, FEI_SCAN, (0.03, 0.02), 300.0),
        (FEI, FEI_FIELD, (0.2, 0.1), None),
        (ZEISS, ZEISS_SEM, (12.33, 12.33), 1.8),
    ],
)
def test_makers_of_microscopes_say_the_pixel_size_in_tags_of_their_own(
    tmp_path: Path, tag: int, text: str, size: tuple[float, float], energy: float | None
) -> None:
    tags = [(tag, 2, None, text, True)]
    tifffile.imwrite(tmp_path / "a.tif", image(), extratags=tags, metadata=None)
    back = read(tmp_path / "a.tif")
    assert back.pixel_size == pytest.approx(size)
    assert (back.unit, back.beam_energy) == ("nm", energy)


OLYMPUS = 33560  # TIFF tag


def test_olympus_says_the_pixel_size_of_the_image_behind_a_colour_preview(tmp_path: Path) -> None:
    head = struct.pack("<4s6xhhhhh6x32sHhhI", b"SIS0", 42, 19, 15, 10, 118, b"", 1, 1, 1, 0)
    about = struct.pack("<10xhdd8xd2x34s32s", -9, 0.02, 0.03, 6e5, b"", b"")
    tags = [(OLYMPUS, 1, None, head + about, True)]
    path, data = tmp_path / "a.tif", image()
    with tifffile.TiffWriter(path) as file:
        file.write(image((12, 17, 3), "u1"), photometric="rgb", metadata=None)
        file.write(data, extratags=tags, metadata=None)
    raw = bytearray(path.read_bytes())
    start = raw.find(b"SIS0")
    struct.pack_into("<I", raw, start + len(head) - 4, start + len(head))
    path.write_bytes(raw)
    back = read(path)
    np.testing.assert_array_equal(back.data, data)
    assert back.pixel_size == pytest.approx((0.03, 0.02))
    assert back.unit == "nm"
