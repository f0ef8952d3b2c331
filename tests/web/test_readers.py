"""The page's readers give what stemzoo.io gives, or refuse what it refuses."""

import json
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from stemzoo.common.errors import StemzooError
from stemzoo.io import Micrograph, read, write

SCRIPT = Path(__file__).with_name("read_files.mjs")


def read_in_javascript(files, folder):
    command = ["node", str(SCRIPT), str(folder), *map(str, files)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = [json.loads(line) for line in said.strip().split("\n")]
    for number, one in enumerate(found):
        if "problem" not in one:
            shape = [one["rows"], one["columns"]]
            shape = shape if one["frames"] == 1 else [one["frames"], *shape]
            one["data"] = np.fromfile(folder / str(number), one["dtype"]).reshape(shape)
    return found


def differences(files, folder):
    """What differs, by file; a refusal here may stand for one there."""
    wrong = {}
    for path, found in zip(files, read_in_javascript(files, folder), strict=True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wanted = read(path, signal=0 if found.get("pictures", 1) > 1 else None)
        except StemzooError as error:
            if "problem" not in found:
                wrong[path.name] = f"read, though {error}"
            continue
        if "problem" in found:
            wrong[path.name] = found["problem"]
        elif not np.array_equal(found["data"], wanted.data):
            wrong[path.name] = "other pixels"
        elif found["unit"] != wanted.unit:
            wrong[path.name] = f"unit {found['unit']}, not {wanted.unit}"
        elif found["pixelSize"] != (
            wanted.pixel_size and pytest.approx(list(wanted.pixel_size), rel=1e-6)
        ):
            wrong[path.name] = f"pixels of {found['pixelSize']}, not {wanted.pixel_size}"
    return wrong


def test_files_of_microscopes(real_files, tmp_path):
    files = sorted(path for path in real_files.iterdir() if path.suffix != ".tif")
    tiffs = sorted(real_files.glob("tiff_files-*.tif"))
    assert len(files) > 80
    assert len(tiffs) > 5
    # JPEG in a TIFF is for optical microscopes: refused, with a sentence.
    assert list(differences(files + tiffs, tmp_path)) == ["tiff_files-olympus_SIS.tif"]


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"])
def test_tiff(tmp_path, random, dtype):
    image = np.clip(random.normal(60, 50, (61, 83)), 0, 120).astype(dtype)
    files = []
    for order in "<>":
        for tile in (None, (16, 32)):
            for packing in (None, "lzw", "zlib", "packbits"):
                for predictor in (False, True):
                    if predictor and (packing in (None, "packbits") or dtype == "f8"):
                        continue
                    files.append(tmp_path / f"{len(files)}.tif")
                    layout = {"tile": tile} if tile else {"rowsperstrip": 7}
                    tifffile.imwrite(
                        files[-1],
                        image,
                        photometric="minisblack",
                        byteorder=order,
                        compression=packing,
                        predictor=predictor,
                        **layout,
                    )
    assert differences(files, tmp_path) == {}


def test_stacks_and_calibrations(tmp_path, random):
    stack = random.integers(0, 60000, (3, 40, 50)).astype("u2")
    ome = {f"PhysicalSize{axis}": size for axis, size in zip("XY", (0.021, 0.022), strict=True)}
    ome |= {f"PhysicalSize{axis}Unit": "Å" for axis in "XY"}
    settings = {
        "imagej": {"imagej": True, "resolution": (5.0, 4.0), "metadata": {"unit": "nm"}},
        "big": {"bigtiff": True},
        "ome.ome": {"metadata": {"axes": "ZYX", **ome}},
        "micrometre": {"resolution": (1e8, 2e8), "resolutionunit": "CENTIMETER"},
        "print": {"resolution": (300, 300), "resolutionunit": "INCH"},
    }
    files = [tmp_path / f"{name}.tif" for name in settings]
    for path, given in zip(files, settings.values(), strict=True):
        tifffile.imwrite(path, stack, photometric="minisblack", **given)
    files.append(tmp_path / "own.tif")
    write(files[-1], Micrograph(stack[0].astype("f4"), (0.02, 0.021), "Å", {"title": "hé"}))
    assert differences(files, tmp_path) == {}


def test_png_and_colours(tmp_path, random):
    grey = random.integers(0, 255, (40, 50)).astype("u1")
    opaque = np.full_like(grey, 255)
    pictures = {
        "grey": Image.fromarray(grey),
        "deep": Image.fromarray(grey.astype("u2") * 250),
        "three": Image.fromarray(np.stack([grey] * 3, -1)),
        "opaque": Image.fromarray(np.stack([grey, grey, grey, opaque], -1)),
        "transparent": Image.fromarray(np.stack([grey] * 4, -1)),
        "colour": Image.fromarray(random.integers(0, 255, (40, 50, 3)).astype("u1")),
        "palette": Image.fromarray(grey).convert("P"),
        "bits": Image.fromarray(grey > 100),
    }
    files = [tmp_path / f"{name}.png" for name in pictures]
    for path, picture in zip(files, pictures.values(), strict=True):
        picture.save(path)
    files += [tmp_path / "rgb.tif", tmp_path / "colour.tif"]
    tifffile.imwrite(files[-2], np.stack([grey] * 3, -1), photometric="rgb")
    tifffile.imwrite(files[-1], np.asarray(pictures["colour"]), photometric="rgb")
    assert differences(files, tmp_path) == {}


def test_cut_and_spoilt_files_are_refused_in_a_sentence(tmp_path, random):
    image = random.integers(0, 60000, (90, 80)).astype("u2")
    tifffile.imwrite(tmp_path / "a.tif", image, compression="zlib", predictor=True)
    tifffile.imwrite(tmp_path / "b.tif", image, compression="lzw")
    Image.fromarray(image).save(tmp_path / "c.png")
    files = []
    for path in sorted(tmp_path.iterdir()):
        content = path.read_bytes()
        files.append(tmp_path / f"cut-{path.name}")
        files[-1].write_bytes(content[: len(content) * 3 // 5])
    files.append(tmp_path / "nothing.dm4")
    files[-1].write_bytes(b"")
    files.append(tmp_path / "text.tif")
    files[-1].write_text("no picture")
    for one in read_in_javascript(files, tmp_path):
        assert " cannot be read: " in one["problem"]
        assert "undefined" not in one["problem"]
