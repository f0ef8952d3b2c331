"""Files that others write: each is read for what it is, or refused with the reason."""

from __future__ import annotations

import ast
import importlib.util
import os
import struct
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from microscope_files import write_dm, write_mrc, write_ser
from PIL import Image

from stemzoo.common.errors import FileError
from stemzoo.io import Micrograph, read, write

RNG = np.random.default_rng(11)


def image(shape: tuple[int, ...] = (12, 17), dtype: str = "f4") -> np.ndarray:
    return RNG.integers(0, 120, shape).astype(dtype)


def rosetta(plugin: str) -> Any:
    return pytest.importorskip(f"rsciio.{plugin}", reason="needs pip install 'stemzoo[io]'")


# NumPy


@pytest.mark.parametrize("shape", [(), (7,), (0, 7), (2, 2, 3, 3)])
def test_npy_of_no_image_shape(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape))
    with pytest.raises(FileError, match=r"a\.npy holds no usable image: its shape \("):
        read(tmp_path / "a.npy")


def test_npy_of_no_numbers(tmp_path: Path) -> None:
    for data, reason in [
        (np.zeros((3, 3), complex), "complex"),
        (np.zeros((3, 3), "U4"), "not real numbers"),
        (np.zeros((3, 3), [("R", "u1"), ("G", "u1")]), "colour"),
        (np.array([[None]]), "could not be read"),
    ]:
        np.save(tmp_path / "a.npy", data)
        with pytest.raises(FileError, match=reason):
            read(tmp_path / "a.npy")


def test_npy_with_two_arrays(tmp_path: Path) -> None:
    with open(tmp_path / "a.npy", "wb") as file:
        np.save(file, image())
        np.save(file, image())
    with pytest.raises(FileError, match="several arrays were saved into it"):
        read(tmp_path / "a.npy")


def test_a_damaged_side_car(tmp_path: Path) -> None:
    write(tmp_path / "a.npy", Micrograph(image()))
    for content in ("{", "[]"):
        (tmp_path / "a.npy.json").write_text(content)
        with pytest.raises(FileError, match=r"a\.npy"):
            read(tmp_path / "a.npy")


# MRC


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f4", "f2"])
@pytest.mark.parametrize("shape", [(12, 17), (3, 12, 17)])
def test_mrc(tmp_path: Path, order: str, dtype: str, shape: tuple[int, ...]) -> None:
    data = image(shape, dtype)
    write_mrc(tmp_path / "a.mrc", data, order=order)
    back = read(tmp_path / "a.mrc")
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype == data.dtype
    assert back.pixel_size == pytest.approx((0.2, 0.1), rel=1e-6)
    assert back.unit == "Å"


@pytest.mark.parametrize(
    ("options", "signed"),
    [
        ({}, True),
        ({"version": 0}, False),
        ({"version": 0, "statistics": (-128, 100)}, True),
        ({"version": 20140, "statistics": (0, 255)}, False),
    ],
)
def test_mrc_bytes_with_and_without_sign(
    tmp_path: Path, options: dict[str, Any], signed: bool
) -> None:
    data = np.arange(256, dtype="u1").reshape(16, 16)
    write_mrc(tmp_path / "a.mrc", data, **options)
    np.testing.assert_array_equal(
        read(tmp_path / "a.mrc").data, data.view(np.int8) if signed else data
    )


def test_mrc_with_the_extended_header_of_fei(tmp_path: Path) -> None:
    extended = bytes(44) + struct.pack("<f", 2.5e-10) + bytes(131072 - 48)
    data = image()
    write_mrc(tmp_path / "a.mrc", data, extended=extended)
    back = read(tmp_path / "a.mrc")
    np.testing.assert_array_equal(back.data, data)
    assert back.pixel_size == pytest.approx((0.25, 0.25))
    assert back.unit == "nm"


def test_mrc_that_is_no_grey_image(tmp_path: Path) -> None:
    for options, reason in [({"mode": 4}, "complex"), ({"mode": 101}, "two pixels into a byte")]:
        write_mrc(tmp_path / "a.mrc", image(dtype="c8"), **options)
        with pytest.raises(FileError, match=reason):
            read(tmp_path / "a.mrc")


# TIA, EMD and others, through RosettaSciIO


@pytest.mark.parametrize("version", [0x0210, 0x0220])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
@pytest.mark.parametrize("count", [1, 3])
def test_ser(tmp_path: Path, version: int, dtype: str, count: int) -> None:
    rosetta("tia")
    data = image((count, 12, 17), dtype)
    write_ser(tmp_path / "a.ser", data, metres=2e-11, version=version)
    back = read(tmp_path / "a.ser")
    np.testing.assert_array_equal(back.data, data[0] if count == 1 else data)
    assert back.pixel_size == pytest.approx((0.02, 0.02))
    assert back.unit == "nm"


def test_emi_reads_the_series_beside_it(tmp_path: Path) -> None:
    rosetta("tia")
    (tmp_path / "a.emi").write_bytes(b"\0\0<ObjectInfo><Uuid>1</Uuid></ObjectInfo>\0")
    with pytest.raises(FileError, match=r"into a_1\.ser and so on, and there is no such file"):
        read(tmp_path / "a.emi")
    data = image((1, 12, 17))
    write_ser(tmp_path / "a_1.ser", data, metres=1e-10)
    back = read(tmp_path / "a.emi")
    np.testing.assert_array_equal(back.data, data[0])
    assert back.unit is None, "RosettaSciIO only guesses what this .emi leaves unsaid"
    whole = (tmp_path / "a_1.ser").read_bytes()
    (tmp_path / "a_1.ser").write_bytes(whole[:-20])
    with pytest.raises(FileError, match="elements that it announces lie beyond its end"):
        read(tmp_path / "a.emi")


def signal(data: np.ndarray, *, navigate: int | None = None, unit: str = "nm") -> dict[str, Any]:
    """What RosettaSciIO's writers take; `navigate` is how many leading axes are scanned."""
    count = data.ndim - 2 if navigate is None else navigate
    axes = [
        {
            "name": "zyx"[-data.ndim :][number] if data.ndim <= 3 else f"a{number}",
            "size": size,
            "offset": 0.0,
            "scale": 0.02,
            "units": unit,
            "navigate": number < count,
            "index_in_array": number,
            "is_binned": False,
            "_type": "UniformDataAxis",
        }
        for number, size in enumerate(data.shape)
    ]
    return {
        "data": data,
        "axes": axes,
        "metadata": {"General": {"title": "grain"}, "Signal": {"signal_type": ""}},
        "original_metadata": {},
        "learning_results": {},
        "models": {},
        "tmp_parameters": {},
        "attributes": {"_lazy": False, "ragged": False},
        "package_info": {"package": "", "package_version": ""},
    }


@pytest.mark.parametrize(("plugin", "suffix"), [("emd", ".emd"), ("hspy", ".hspy")])
@pytest.mark.parametrize("shape", [(12, 17), (3, 12, 17)])
@pytest.mark.parametrize("dtype", ["u2", "f4", ">f4"])
def test_hdf5_formats(
    tmp_path: Path, plugin: str, suffix: str, shape: tuple[int, ...], dtype: str
) -> None:
    data = image(shape, dtype)
    rosetta(plugin).file_writer(str(tmp_path / f"a{suffix}"), signal(data))
    back = read(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype.isnative
    assert back.pixel_size == pytest.approx((0.02, 0.02))
    assert (back.unit, back.metadata["title"]) == ("nm", "grain")


def test_a_map_of_spectra_is_no_stack(tmp_path: Path) -> None:
    rosetta("hspy").file_writer(str(tmp_path / "a.hspy"), signal(image((4, 5, 60)), navigate=2))
    with pytest.raises(FileError, match="a spectrum or a map of spectra"):
        read(tmp_path / "a.hspy")
    rosetta("hspy").file_writer(str(tmp_path / "b.hspy"), signal(image((2, 3, 4, 5))))
    with pytest.raises(FileError, match="has 4 dimensions"):
        read(tmp_path / "b.hspy")


def test_without_rosettasciio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "rsciio"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rsciio", None)
    write_ser(tmp_path / "a.ser", image((1, 12, 17)), metres=1e-10)
    with pytest.raises(FileError, match=r"pip install 'stemzoo\[io\]'"):
        read(tmp_path / "a.ser")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tif")
    with pytest.raises(FileError, match=r"a\.tif is a pipe or a device; expected a file"):
        read(tmp_path / "a.tif")


def test_what_a_reader_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reader(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'sparse'", name="sparse")

    plugin = rosetta("emd")
    plugin.file_writer(str(tmp_path / "a.emd"), signal(image()))
    monkeypatch.setattr(plugin, "file_reader", reader)
    with pytest.raises(FileError, match=r"sparse is not installed; .*pip install 'stemzoo\[io\]'"):
        read(tmp_path / "a.emd")


@pytest.mark.parametrize("plugin", ["emd", "hspy", "tia"])
def test_the_io_extra_installs_all_that_a_reader_imports(plugin: str) -> None:
    """Some of it only for a certain file: EMD with spectra needs sparse."""
    folder = Path(str(rosetta(plugin).__file__)).parent
    for path in [path for path in folder.glob("*.py") if path.name != "__init__.py"]:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        tried = {id(inner) for node in nodes if isinstance(node, ast.Try) for inner in node.body}
        for node in [node for node in nodes if id(node) not in tried]:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for name in names:
                assert importlib.util.find_spec(name.split(".")[0]), f"{path.name} needs {name}"


# Cut files, format by format


def _hdf5(plugin: str) -> Callable[[Path, np.ndarray], None]:
    return lambda path, data: rosetta(plugin).file_writer(str(path), signal(data))


WHOLE: dict[str, Callable[[Path, np.ndarray], None]] = {
    ".npy": lambda path, data: np.save(path, data),
    ".tif": lambda path, data: write(path, Micrograph(data, (1, 1), "nm")),
    ".mrc": lambda path, data: write_mrc(path, data),
    ".png": lambda path, data: Image.fromarray(data.astype("u1")).save(path),
    ".dm3": lambda path, data: write_dm(path, [data]),
    ".dm4": lambda path, data: write_dm(path, [data], version=4),
    ".ser": lambda path, data: write_ser(path, data[None], metres=1e-10),
    ".emd": _hdf5("emd"),
    ".hspy": _hdf5("hspy"),
    ".unf": _hdf5("semper"),
}
PLUGINS = {".ser": "tia"}


@pytest.mark.parametrize("suffix", [*WHOLE])
def test_a_cut_file_is_refused_or_right(tmp_path: Path, suffix: str) -> None:
    """At no length does a file give another array than the whole one does."""
    if suffix in PLUGINS:
        rosetta(PLUGINS[suffix])
    path = tmp_path / f"a{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of RosettaSciIO's writers
        WHOLE[suffix](path, image((12, 18)))
    expected, whole = read(path).data, path.read_bytes()
    refused = 0
    for size in np.linspace(0, len(whole) - 1, 61).astype(int):
        path.write_bytes(whole[:size])
        try:
            back = read(path)
        except FileError:
            refused += 1
            continue
        np.testing.assert_array_equal(back.data, expected)
    assert refused >= 50


def test_reasons_are_chained(tmp_path: Path) -> None:
    (tmp_path / "a.bmp").write_bytes(b"nonsense" * 40)
    with pytest.raises(FileError, match=r"a\.bmp could not be read; it is damaged") as caught:
        read(tmp_path / "a.bmp")
    assert caught.value.__cause__ is not None
