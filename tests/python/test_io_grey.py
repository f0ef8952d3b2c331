"""What is grey is read as grey, however it is stored; true colour and transparency are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from microscope_files import write_mrc
from PIL import Image

from stemzoo.common.errors import FileError
from stemzoo.io import read

RNG = np.random.default_rng(8)
GREY = RNG.integers(0, 256, (24, 32), np.uint8)
OPAQUE = np.full_like(GREY, 255)
PICTURES = [".png", ".bmp", ".jpg"]


def stacked(*channels: np.ndarray) -> np.ndarray:
    return np.stack(channels, -1)


def save(path: Path, picture: Image.Image, **options: Any) -> np.ndarray:
    """What a grey picture holds once it is in the file, which of a JPEG is not what went in."""
    picture.save(path, **options)
    with Image.open(path) as saved:
        return np.asarray(saved.convert("L"))


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [
        *((suffix, mode) for suffix in PICTURES for mode in ("L", "RGB")),
        *((".png", mode) for mode in ("LA", "RGBA", "P")),
        (".bmp", "P"),
    ],
)
def test_grey_pictures(tmp_path: Path, suffix: str, mode: str) -> None:
    path = tmp_path / f"a{suffix}"
    expected = save(path, Image.fromarray(GREY).convert(mode))
    found = read(path).data
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.uint8
    if suffix != ".jpg":
        np.testing.assert_array_equal(found, GREY)


def palette_picture(levels: np.ndarray) -> Image.Image:
    picture = Image.fromarray(GREY, "L").convert("P")
    picture.putdata(GREY.ravel().tolist())
    picture.putpalette(np.repeat(levels.astype(np.uint8), 3).tobytes())
    return picture


@pytest.mark.parametrize(
    "levels", [np.arange(256)[::-1], np.arange(256) // 2, RNG.permutation(256)]
)
@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_a_grey_palette_says_what_its_numbers_mean(
    tmp_path: Path, suffix: str, levels: np.ndarray
) -> None:
    palette_picture(levels).save(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(read(tmp_path / f"a{suffix}").data, levels[GREY])


@pytest.mark.parametrize("channels", [[GREY, OPAQUE], [GREY, GREY, GREY], [GREY] * 3 + [OPAQUE]])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("frames", [0, 3])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_grey_tiffs(
    tmp_path: Path, channels: list[np.ndarray], dtype: str, planes: str, frames: int, compression
) -> None:
    scale = {"u1": 1, "u2": 257, "f4": 1 / 255}[dtype]
    data = (stacked(*channels) * np.float64(scale)).astype(dtype)
    many = np.stack([data] * frames) if frames else data
    alpha = ["unassalpha"] if len(channels) % 2 == 0 else []
    options = {"extrasamples": alpha, "planarconfig": planes, "compression": compression}
    kind = "rgb" if len(channels) > 2 else "minisblack"
    if planes == "separate":
        many = np.moveaxis(many, -1, -3)
    tifffile.imwrite(tmp_path / "a.tif", many, photometric=kind, metadata=None, **options)
    found = read(tmp_path / "a.tif").data
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, np.stack([data[..., 0]] * frames or data[..., 0]))


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("step", [1, 256, 257])
def test_tiffs_of_grey_palettes(tmp_path: Path, dtype: str, step: int) -> None:
    levels = np.zeros(2 ** (8 * np.dtype(dtype).itemsize), np.uint16)
    levels[:256] = RNG.permutation(256) * step
    path, palette = tmp_path / "a.tif", np.tile(levels, (3, 1))
    options = {"photometric": "palette", "metadata": None}
    tifffile.imwrite(path, GREY.astype(dtype), colormap=palette, **options)
    shown = levels[GREY] // (1 if step == 1 else step)
    np.testing.assert_array_equal(read(path).data, shown)
    palette[:, 256:] = RNG.integers(0, 9, palette[:, 256:].shape)  # colours that no pixel has
    tifffile.imwrite(path, GREY.astype(dtype), colormap=palette, **options)
    assert read(path).data.shape == GREY.shape
    palette[1, GREY[0, 0]] += 1
    tifffile.imwrite(path, GREY.astype(dtype), colormap=palette, **options)
    with pytest.raises(FileError, match="numbers of palette colours: it is a colour picture"):
        read(path)


def test_a_palette_of_imagej_is_only_for_show(tmp_path: Path) -> None:
    """Whatever colours it shows them in, the numbers are what was measured."""
    colours = RNG.integers(0, 65536, (3, 256), np.uint16)
    about = {"description": "ImageJ=1.54f\n", "metadata": None}
    tifffile.imwrite(tmp_path / "a.tif", GREY, photometric="palette", colormap=colours, **about)
    np.testing.assert_array_equal(read(tmp_path / "a.tif").data, GREY)


def test_a_tiff_compressed_as_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    smooth = np.repeat(np.repeat(GREY[::8, ::8], 8, 0), 8, 1)
    options = {"photometric": "rgb", "compression": "jpeg", "metadata": None}
    tifffile.imwrite(path, stacked(smooth, smooth, smooth), **options)
    np.testing.assert_allclose(read(path).data.astype(int), smooth, atol=4)
    tifffile.imwrite(path, stacked(smooth, smooth, 255 - smooth), **options)
    with pytest.raises(FileError, match="colour picture"):
        read(path)


@pytest.mark.parametrize("channels", [[GREY, OPAQUE], [GREY, GREY, GREY], [GREY] * 3 + [OPAQUE]])
def test_pngs_of_16_bits_keep_them(
    tmp_path: Path, channels: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = stacked(*channels).astype(np.uint16) * 257
    data[0, 0, : len(channels) - 1 + len(channels) % 2] = 1  # which 8 bits do not show
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(data))
    found = read(tmp_path / "a.png").data
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, data[..., 0])
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    with pytest.raises(FileError, match=r"needs the package imagecodecs.*pip install 'stemzoo\[io"):
        read(tmp_path / "a.png")


def test_records_of_red_green_and_blue(tmp_path: Path) -> None:
    write_mrc(tmp_path / "a.mrc", np.zeros((24, 3 * 32), "u1"), mode=16)
    raw = bytearray((tmp_path / "a.mrc").read_bytes())
    raw[:4] = (32).to_bytes(4, "little")
    raw[1024:] = stacked(GREY, GREY, GREY).tobytes()
    (tmp_path / "a.mrc").write_bytes(raw)
    np.testing.assert_array_equal(read(tmp_path / "a.mrc").data, GREY)
    record = np.zeros(GREY.shape, [("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")])
    for name in "RGB":
        record[name] = GREY
    np.save(tmp_path / "a.npy", record)
    with pytest.raises(FileError, match="transparent"):
        read(tmp_path / "a.npy")
    record["A"] = 255
    np.save(tmp_path / "a.npy", record)
    np.testing.assert_array_equal(read(tmp_path / "a.npy").data, GREY)


@pytest.mark.parametrize("suffix", [*PICTURES, ".tif"])
def test_true_colour_is_refused(tmp_path: Path, suffix: str) -> None:
    path, colour = tmp_path / f"a{suffix}", stacked(GREY, GREY.T.reshape(GREY.shape), OPAQUE)
    if suffix == ".tif":
        tifffile.imwrite(path, colour, photometric="rgb")
    else:
        Image.fromarray(colour).save(path)
    with pytest.raises(FileError, match="it is a colour picture; convert it to greyscale first"):
        read(path)


def test_one_pixel_of_colour_is_colour(tmp_path: Path) -> None:
    for place in (0, 400, GREY.size - 1):
        colour = stacked(GREY, GREY, GREY)
        colour.reshape(-1, 3)[place, 1] ^= 1
        Image.fromarray(colour).save(tmp_path / "a.png")
        tifffile.imwrite(tmp_path / "a.tif", colour, photometric="rgb")
        for name in ("a.png", "a.tif"):
            with pytest.raises(FileError, match="colour picture"):
                read(tmp_path / name)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_transparent_pixel_is_not_guessed(tmp_path: Path, mode: str, suffix: str) -> None:
    alpha = OPAQUE.copy()
    alpha[3, 4] = 254
    data = stacked(*([GREY] * (len(mode) - 1)), alpha)
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        kind = "rgb" if mode == "RGBA" else "minisblack"
        options = {"planarconfig": "contig", "extrasamples": ["unassalpha"]}
        tifffile.imwrite(path, data, photometric=kind, **options)
    else:
        Image.fromarray(data, mode).save(path)
    with pytest.raises(FileError, match="parts of it are transparent"):
        read(path)


def test_a_png_whose_grey_level_is_transparent(tmp_path: Path) -> None:
    odd = GREY | 1
    Image.fromarray(odd).save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read(tmp_path / "a.png").data, odd)
    Image.fromarray(odd).save(tmp_path / "a.png", transparency=int(odd[0, 0]))
    with pytest.raises(FileError, match="parts of it are transparent"):
        read(tmp_path / "a.png")
    picture = palette_picture(np.arange(256))
    picture.save(tmp_path / "a.png", transparency=int(GREY[0, 0]))
    with pytest.raises(FileError, match="parts of it are transparent"):
        read(tmp_path / "a.png")


def test_an_array_of_a_colour_picture(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", stacked(GREY, GREY, OPAQUE))
    with pytest.raises(FileError, match=r"its shape \(24, 32, 3\) is that of a colour picture"):
        read(tmp_path / "a.npy")
