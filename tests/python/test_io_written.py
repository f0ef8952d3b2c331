"""What stemzoo writes, read by others and by itself: calibration, units, energy, integers."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from stemzoo.common.errors import FileError
from stemzoo.io import Micrograph, read, write

RNG = np.random.default_rng(3)
NATIVE = (".tif", ".ome.tif", ".npy")
HYPERSPY = (".hspy", ".zspy", ".emd")
METADATA = {
    "title": "a grain",
    "Acquisition_instrument": {"TEM": {"beam_energy": 300.0, "camera_length": 91.0}},
    "original": {"Detectors": {"gain": 2, "list": [1, 2.5]}},
}
PROVENANCE = {"task": "denoise", "tiling": {"tile": [256, 256]}, "rows": [[0.1, None]]}


def image(shape: tuple[int, ...] = (12, 17)) -> np.ndarray:
    return RNG.normal(100, 9, shape).astype("f4")


def needs(suffix: str) -> None:
    if suffix in HYPERSPY:
        plugin = "zspy" if suffix == ".zspy" else "hspy"
        pytest.importorskip(f"rsciio.{plugin}", reason="needs pip install 'stemzoo[io]'")


def plugin_reads(plugin: str, path: Path) -> dict[str, Any]:
    reader = pytest.importorskip(f"rsciio.{plugin}", reason="needs stemzoo[io]").file_reader
    (found,) = reader(str(path))
    return dict(found)


@pytest.mark.parametrize("suffix", [*NATIVE, *HYPERSPY])
@pytest.mark.parametrize("unit", ["nm", "Å", "µm", "pm", "1/nm"])
@pytest.mark.parametrize("shape", [(12, 17), (3, 12, 17)])
def test_every_writer_keeps_values_calibration_and_history(
    tmp_path: Path, suffix: str, unit: str, shape: tuple[int, ...]
) -> None:
    needs(suffix)
    if (suffix, unit) == (".ome.tif", "1/nm"):
        pytest.skip("OME-XML knows no reciprocal lengths")
    data, path = image(shape), tmp_path / f"a{suffix}"
    write(path, Micrograph(data, (0.0123, 0.5), unit, METADATA), provenance=PROVENANCE)
    back = read(path)
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype == np.float32
    assert back.unit == unit
    assert back.pixel_size == pytest.approx((0.0123, 0.5), rel=1e-9)
    assert back.beam_energy == 300
    assert back.metadata == {**METADATA, "provenance": PROVENANCE}
    assert [each.name for each in tmp_path.iterdir() if each.suffix != ".json"] == [path.name]


@pytest.mark.parametrize("suffix", [*NATIVE, *HYPERSPY])
def test_what_is_not_calibrated_stays_so(tmp_path: Path, suffix: str) -> None:
    needs(suffix)
    write(tmp_path / f"a{suffix}", Micrograph(image()))
    back = read(tmp_path / f"a{suffix}")
    assert (back.pixel_size, back.unit, back.beam_energy) == (None, None, None)
    assert "not calibrated" in repr(back)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("suffix", [*NATIVE, *HYPERSPY])
def test_every_writer_keeps_the_dtype(tmp_path: Path, suffix: str, dtype: str) -> None:
    needs(suffix)
    data = RNG.integers(0, 120, (3, 12, 17)).astype(dtype)
    write(tmp_path / f"a{suffix}", Micrograph(data))
    back = read(tmp_path / f"a{suffix}").data
    np.testing.assert_array_equal(back, data)
    assert back.dtype == data.dtype


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("unit", ["nm", "µm", "Å"])
def test_hyperspy_reads_the_unit_of_a_tiff(tmp_path: Path, suffix: str, unit: str) -> None:
    """RosettaSciIO is what hs.load reads with; of ImageJ's units it knows but one."""
    write(tmp_path / f"a{suffix}", Micrograph(image((3, 12, 17)), (0.02, 0.05), unit))
    axes = plugin_reads("tiff", tmp_path / f"a{suffix}")["axes"]
    assert [axis["units"] for axis in axes[-2:]] == [unit, unit]
    if suffix == ".tif":
        assert [axis["scale"] for axis in axes[-2:]] == pytest.approx([0.02, 0.05], rel=1e-6)


def test_gatan_tags_hold_the_pixel_size(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", Micrograph(image(), (0.02, 0.05), "nm"))
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        tags = file.pages[0].tags
        assert [tags[code].value for code in (65003, 65004)] == ["nm", "nm"]
        assert [tags[code].value for code in (65009, 65010)] == pytest.approx([0.05, 0.02])


def test_ome_says_the_size_as_ome_readers_look_for_it(tmp_path: Path) -> None:
    write(tmp_path / "a.ome.tif", Micrograph(image((3, 12, 17)), (0.02, 0.05), "nm", METADATA))
    with tifffile.TiffFile(tmp_path / "a.ome.tif") as file:
        assert file.is_ome
        assert file.series[0].axes == "TYX"
        assert 'PhysicalSizeX="0.05"' in str(file.ome_metadata)
        assert 'PhysicalSizeYUnit="nm"' in str(file.ome_metadata)


@pytest.mark.parametrize("suffix", [".hspy", ".zspy"])
def test_hyperspy_finds_energy_title_and_origin_where_it_looks(tmp_path: Path, suffix: str) -> None:
    needs(suffix)
    write(tmp_path / f"a{suffix}", Micrograph(image((3, 12, 17)), (0.02, 0.05), "nm", METADATA))
    found = plugin_reads(suffix[1:], tmp_path / f"a{suffix}")
    assert found["metadata"]["General"]["title"] == "a grain"
    assert found["metadata"]["Acquisition_instrument"]["TEM"]["beam_energy"] == 300
    assert found["original_metadata"]["Detectors"]["gain"] == 2
    assert [axis["navigate"] for axis in found["axes"]] == [True, False, False]
    assert [axis["units"] for axis in found["axes"][1:]] == ["nm", "nm"]


@pytest.mark.filterwarnings(
    "ignore:.*NestedDirectoryStore:FutureWarning", "ignore::DeprecationWarning"
)
def test_hyperspy_itself_opens_what_is_written(tmp_path: Path) -> None:
    hyperspy = pytest.importorskip("hyperspy.api", reason="needs HyperSpy")
    for suffix in (".hspy", ".zspy", ".emd", ".tif"):
        data = image((3, 12, 17))
        write(tmp_path / f"a{suffix}", Micrograph(data, (0.02, 0.05), "nm", METADATA))
        signal = hyperspy.load(tmp_path / f"a{suffix}")
        np.testing.assert_array_equal(signal.data, data)
        if len(signal.axes_manager.signal_axes) == 3:  # TIFF and EMD say of no axis what it is
            signal = signal.transpose(signal_axes=2)
        assert [axis.units for axis in signal.axes_manager.signal_axes] == ["nm", "nm"]
        assert [axis.scale for axis in signal.axes_manager.signal_axes] == pytest.approx(
            [0.05, 0.02]
        )


@pytest.mark.filterwarnings(
    "ignore:.*NestedDirectoryStore:FutureWarning", "ignore::DeprecationWarning"
)
def test_what_hyperspy_writes_is_read(tmp_path: Path) -> None:
    hyperspy = pytest.importorskip("hyperspy.api", reason="needs HyperSpy")
    signal = hyperspy.signals.Signal2D(image((3, 12, 17)))
    for axis, scale in zip(signal.axes_manager.signal_axes, (0.05, 0.02), strict=True):
        axis.scale, axis.units = scale, "nm"
    signal.metadata.set_item("Acquisition_instrument.TEM.beam_energy", 200.0)
    for suffix in (".hspy", ".zspy", ".emd", ".tif"):
        signal.save(tmp_path / f"a{suffix}")
        back = read(tmp_path / f"a{suffix}")
        np.testing.assert_array_equal(back.data, signal.data)
        assert back.pixel_size == pytest.approx((0.02, 0.05), rel=1e-6)
        assert back.unit == "nm"
        assert back.beam_energy == (200 if suffix in (".hspy", ".zspy") else None)


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".png"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_integers_come_back_to_half_a_step(tmp_path: Path, suffix: str, dtype: str) -> None:
    data, path = image(), tmp_path / f"a{suffix}"
    write(path, Micrograph(data, (0.02, 0.05), "nm", METADATA), dtype=dtype)
    back = read(path)
    step = float(np.ptp(data)) / np.iinfo(dtype).max
    rounding = np.spacing(np.float32(np.abs(data).max()))  # of the values themselves
    assert np.abs(back.data - data).max() <= step / 2 + rounding
    assert back.data.dtype == np.float32
    assert back.pixel_size == pytest.approx((0.02, 0.05))
    assert back.metadata == METADATA
    write(path, back, dtype=dtype)  # the scale of before is not taken for that of now
    np.testing.assert_allclose(read(path).data, back.data, atol=1e-3 * step)


def test_imagej_knows_the_scale_of_integers(tmp_path: Path) -> None:
    data = image()
    write(tmp_path / "a.tif", Micrograph(data), dtype="uint16")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        says, raw = file.imagej_metadata or {}, file.asarray()
    assert (raw.dtype, says["cf"]) == (np.uint16, 0)
    np.testing.assert_allclose(says["c0"] + says["c1"] * raw.astype(float), data, atol=1e-3)


def test_values_that_imagej_scales_are_read_as_imagej_shows_them(tmp_path: Path) -> None:
    says = "ImageJ=1.54f\ncf=0\nc0=10.0\nc1=0.5\nvunit=e\n"
    raw = RNG.integers(0, 99, (12, 17)).astype("u2")
    tifffile.imwrite(tmp_path / "a.tif", raw, description=says, metadata=None)
    np.testing.assert_allclose(read(tmp_path / "a.tif").data, 10 + raw / 2)


@pytest.mark.parametrize("suffix", [".tif", ".npy", ".png"])
def test_whole_numbers_need_no_scale(tmp_path: Path, suffix: str) -> None:
    data = RNG.integers(0, 250, (12, 17)).astype("f4")
    write(tmp_path / f"a{suffix}", Micrograph(data), dtype="uint8")
    back = read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype == np.uint8


def test_integers_that_would_lie_are_refused(tmp_path: Path) -> None:
    lost = image()
    lost[0, 0] = np.nan
    with pytest.raises(FileError, match="pixels that are not known"):
        write(tmp_path / "a.tif", Micrograph(lost), dtype="uint16")
    with pytest.raises(FileError, match="pixels that are not known"):
        write(tmp_path / "a.png", Micrograph(lost))
    with pytest.raises(FileError, match="no place for the scale"):
        write(tmp_path / "a.hspy", Micrograph(image()), dtype="uint16")
    with pytest.raises(ValueError, match="dtype is 'int3'; expected one of uint8, uint16"):
        write(tmp_path / "a.tif", Micrograph(image()), dtype="int3")
    with pytest.raises(FileError, match=r"cannot hold a stack of shape \(3, 12, 17\)"):
        write(tmp_path / "a.png", Micrograph(image((3, 12, 17))))
    assert list(tmp_path.iterdir()) == []


def test_a_png_opens_anywhere(tmp_path: Path) -> None:
    write(tmp_path / "a.png", Micrograph(image(), (0.1, 0.1), "nm", METADATA))
    with Image.open(tmp_path / "a.png") as picture:
        assert (picture.mode, picture.size) == ("I;16", (17, 12))
        assert json.loads(picture.text["stemzoo"])["unit"] == "nm"


@pytest.mark.filterwarnings("ignore:.*NestedDirectoryStore:FutureWarning")
def test_a_zspy_without_a_chunk_is_refused(tmp_path: Path) -> None:
    plugin = pytest.importorskip("rsciio.zspy", reason="needs pip install 'stemzoo[io]'")
    write(tmp_path / "a.zspy", Micrograph(image((3, 12, 17))))
    signal = plugin.file_reader(str(tmp_path / "a.zspy"))[0]
    signal |= {"learning_results": {}, "models": {}, "tmp_parameters": {}}
    signal |= {"package_info": {"package": "", "package_version": ""}}
    folder = tmp_path / "b.zspy"
    plugin.file_writer(str(folder), signal, chunks=(1, 12, 17), show_progressbar=False)
    assert folder.is_dir()
    np.testing.assert_array_equal(read(folder).data, signal["data"])
    (chunk,) = folder.rglob("data/1/0/0")
    chunk.unlink()
    with pytest.raises(FileError, match="1 of 3 chunks of its image are not there"):
        read(folder)


@pytest.mark.parametrize("name", ["stemzoo.io.rosetta_write", "stemzoo.io.hdf5", "stemzoo.io.zspy"])
def test_no_optional_library_is_imported_before_it_is_needed(name: str) -> None:
    module = importlib.import_module(name)
    assert not {"h5py", "rsciio", "zarr"} & set(vars(module))
