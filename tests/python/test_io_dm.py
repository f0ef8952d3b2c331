"""DigitalMicrograph's files: as RosettaSciIO reads them, in a hundredth of the time."""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from microscope_files import write_dm

from stemzoo.common.errors import FileError
from stemzoo.io import dm, read, rosetta
from stemzoo.io.dm_metadata import hyperspy_tree
from stemzoo.io.jsonable import jsonable

RNG = np.random.default_rng(11)
TAGS: dict[str, Any] = {
    "Microscope Info": {
        "Voltage": 200000.0,
        "Illumination Mode": "STEM NANOPROBE",
        "Indicated Magnification": 2e6,
        "Stage Position": {"Stage X": 12.5, "Stage Alpha": 0.5},
    },
    "DataBar": {"Acquisition Date": "7/11/2015", "Acquisition Time": "4:26:37 PM"},
    "DigiScan": {"Sample Time": 8.0},
}


def image(shape: tuple[int, ...] = (12, 17), dtype: str = "f4") -> np.ndarray:
    return RNG.integers(0, 120, shape).astype(dtype)


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(12, 17), (3, 12, 17)])
def test_dm(tmp_path: Path, version: int, order: str, dtype: str, shape: tuple[int, ...]) -> None:
    data = image(shape, dtype)
    path = tmp_path / f"a.dm{version}"
    write_dm(path, [data], version=version, order=order)
    back = read(path)
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype == data.dtype
    assert back.pixel_size == pytest.approx((0.02, 0.01), rel=1e-6)
    assert (back.unit, back.metadata["title"]) == ("nm", "HAADF")


def test_of_several_signals_the_haadf_is_read_and_named(tmp_path: Path) -> None:
    one, other = image((12, 17)), image((40, 50))
    path = tmp_path / "a.dm4"
    write_dm(path, [other, one], version=4, titles=("BF", "HAADF"))
    back = read(path)
    np.testing.assert_array_equal(back.data, one)
    assert back.chosen == "signal 1 of 2, HAADF"
    assert "signal 1 of 2, HAADF" in repr(back)
    for wanted in (0, "0", "BF", "bf"):
        back = read(path, signal=wanted)
        np.testing.assert_array_equal(back.data, other)
        assert (back.title, back.signal) == ("BF", 0)
    with pytest.raises(FileError, match=r"has no signal called 'DF'.*\n  0: BF, shape \(40, 50"):
        read(path, signal="DF")
    with pytest.raises(FileError, match="has no signal 2"):
        read(path, signal=2)


@pytest.mark.parametrize("titles", [("HAADF", "HAADF"), ("DF4", "BF"), ("my haadfs", "BF")])
def test_no_other_signal_is_guessed(tmp_path: Path, titles: tuple[str, ...]) -> None:
    write_dm(tmp_path / "a.dm4", [image(), image((40, 50))], version=4, titles=titles)
    with pytest.raises(FileError, match=r"holds 2 images.*signal=NAME or NUMBER(.|\n)*  1: "):
        read(tmp_path / "a.dm4")
    with pytest.raises(FileError, match=r"has no signal|holds 2 signals called 'HAADF'"):
        read(tmp_path / "a.dm4", signal="HAADF")


def test_a_name_may_be_a_word_of_the_title(tmp_path: Path) -> None:
    one, other = image((12, 17)), image((40, 50))
    titles = ("STEM ABF 200 kV", "STEM HAADF 200 kV")
    write_dm(tmp_path / "a.dm4", [one, other], version=4, titles=titles)
    np.testing.assert_array_equal(read(tmp_path / "a.dm4", signal="ABF").data, one)
    np.testing.assert_array_equal(read(tmp_path / "a.dm4").data, other)
    with pytest.raises(FileError, match="has no signal called 'BF'"):
        read(tmp_path / "a.dm4", signal="BF")


def test_dm_with_one_image_beside_a_spectrum(tmp_path: Path) -> None:
    data = image()
    write_dm(tmp_path / "a.dm4", [image((30,)), data], version=4)
    np.testing.assert_array_equal(read(tmp_path / "a.dm4").data, data)
    with pytest.raises(FileError, match=r"signal 0 of .* cannot be used: its shape"):
        read(tmp_path / "a.dm4", signal=0)


def test_dm_that_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "a.dm3"
    cases: list[tuple[np.ndarray, dict[str, Any], str]] = [
        (image((30,)), {}, "1 dimension,"),
        (image((2, 3, 12, 17)), {}, r"\(2, 3, 12, 17\) has 4 dimensions"),
        (image((9, 12, 17)), {"unit": "eV"}, "a map of spectra"),
        (image((12, 17), "u4"), {"colour": True}, "colour picture.*greyscale"),
    ]
    for data, options, reason in cases:
        write_dm(path, [data], **options)
        with pytest.raises(FileError, match=reason):
            read(path)


def test_dm_needs_no_rosettasciio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "rsciio"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rsciio", None)
    data = image()
    write_dm(tmp_path / "a.dm4", [data], version=4, tags=TAGS)
    back = read(tmp_path / "a.dm4")
    np.testing.assert_array_equal(back.data, data)
    assert back.beam_energy == pytest.approx(200)


@pytest.mark.parametrize("version", [3, 4])
def test_dm_as_rosettasciio_has_it(tmp_path: Path, version: int) -> None:
    path = tmp_path / f"a.dm{version}"
    write_dm(path, [image(), image((3, 12, 17), "u2")], version=version, tags=TAGS)
    require_same(path)


@pytest.mark.slow
def test_files_of_microscopes_as_rosettasciio_has_them(real_files: Path) -> None:
    files = sorted(path for path in real_files.iterdir() if path.suffix in (".dm3", ".dm4"))
    assert len(files) > 80
    for path in files:
        require_same(path)


def require_same(path: Path) -> None:
    """Pixels, calibrations, names, refusals, tags, and the metadata that HyperSpy shows."""
    pytest.importorskip("rsciio.digitalmicrograph", reason="needs pip install 'stemzoo[io]'")
    plugin = importlib.import_module("rsciio.digitalmicrograph")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw, theirs = plugin.file_reader(os.fspath(path)), rosetta.read(path)
    ours = dm.read(path)
    assert len(ours) == len(theirs)
    for one, other, found in zip(ours, theirs, raw, strict=True):
        np.testing.assert_array_equal(one.data, other.data)
        assert one.data.dtype == other.data.dtype
        for name in ("title", "pixel_size", "unit", "problem"):
            assert getattr(one, name) == getattr(other, name), f"{name} of {path.name}"
        original = other.metadata["original"]
        del original["root"], original["ImageList"]["TagGroup0"]["ImageData"]["Data"]
        assert list(unlike(jsonable(one.metadata["original"]), jsonable(original))) == []
        voltage = found["original_metadata"]["ImageList"]["TagGroup0"]
        for key in ("ImageTags", "Microscope Info", "Voltage"):
            voltage = voltage.get(key, {})
        instrument = one.metadata.get("Acquisition_instrument", {})
        told = next(iter(instrument.values()), {}).get("beam_energy")
        place = "ImageList.TagGroup0.ImageTags.Microscope Info.Voltage"
        if voltage and place in found["mapping"]:
            assert told == pytest.approx(found["mapping"][place][1](voltage))


def unlike(one: Any, other: Any, where: str = "") -> Any:
    """Where two trees differ. Long arrays are not kept, and an empty text is no empty list."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from unlike(one.get(name), other.get(name), f"{where}/{name}")
    elif one != other and not (one == "" and other == []) and "left out>" not in str(one):
        yield where, one, other


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (("7/11/2015", "4:26:37 PM"), ("2015-07-11", "16:26:37")),
        (("20/08/2013", "12:06:16 AM"), ("2013-08-20", "00:06:16")),
        (("2016-08-27", "20:52:30"), ("2016-08-27", "20:52:30")),
        (("27.08.2016", "8:52:30 p. m."), ("2016-08-27", "20:52:30")),
        (("yesterday", "noon"), (None, None)),
        (("31/31/2015", "25:00:00"), (None, None)),
    ],
)
def test_when_it_was_recorded(told: tuple[str, str], expected: tuple[str | None, ...]) -> None:
    names = ("Acquisition Date", "Acquisition Time")
    general = hyperspy_tree("", {"DataBar": dict(zip(names, told, strict=True))})["General"]
    assert (general.get("date"), general.get("time")) == expected


def test_pixels_that_do_not_fill_the_image_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dm3"
    write_dm(path, [image((12, 17), "u2")])
    content = path.read_bytes()
    end = content.rindex(b"Dimensions")
    at = content.index((17).to_bytes(4, "little"), end)
    path.write_bytes(content[:at] + (16).to_bytes(4, "little") + content[at + 4 :])
    with pytest.raises(FileError, match=r"holds 408 bytes of pixels, .* \[16, 12\] ask for 384"):
        read(path)


def test_what_is_no_dm_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.dm3").write_bytes(b"nonsense" * 40)
    with pytest.raises(FileError, match=r"a\.dm3 could not be read; .* its version is"):
        read(tmp_path / "a.dm3")
