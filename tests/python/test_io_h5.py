"""HDF5 files are told by what is inside, and every suffix of RosettaSciIO has a reader."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_io_formats import image, rosetta, signal

from stemzoo.cli.written import record_of
from stemzoo.common.errors import FileError
from stemzoo.io import Micrograph, formats, read


def test_h5_is_told_by_what_is_inside(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs pip install 'stemzoo[io]'")
    path = tmp_path / "a.h5"
    rosetta("hspy").file_writer(str(tmp_path / "a.hspy"), signal(image()))
    (tmp_path / "a.hspy").rename(path)
    assert (read(path).title, read(path).unit) == ("grain", "nm")
    one, other = image((3, 12, 17)), image((40, 50))
    with h5py.File(path, "w") as file:
        file["scan/HAADF"] = one
        file["scan/table"] = image((5,))
        file["BF"] = other
    back = read(path)
    np.testing.assert_array_equal(back.data, one)
    assert (back.title, back.chosen) == ("scan/HAADF", "signal 1 of 2, scan/HAADF")
    np.testing.assert_array_equal(read(path, signal="BF").data, other)


def test_h5_of_nion_swift_is_calibrated(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="needs pip install 'stemzoo[io]'")
    axes = [{"offset": 0.0, "scale": scale, "units": "nm"} for scale in (0.02, 0.05)]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = image()
        about = {"title": "survey", "dimensional_calibrations": axes}
        file["data"].attrs["properties"] = json.dumps(about)
    back = read(tmp_path / "a.h5")
    assert back.pixel_size == pytest.approx((0.02, 0.05))
    assert (back.unit, back.title) == ("nm", "survey")


@pytest.mark.parametrize("size", [0, 2**64 - 8, 2**63])
@pytest.mark.parametrize("suffix", [".h5", ".emd", ".hspy"])
def test_strings_that_have_no_end(tmp_path: Path, suffix: str, size: int) -> None:
    """The free space after the last string of a heap says how large it is. With these sizes the
    HDF5 library would look at it for ever, or before the heap."""
    h5py = pytest.importorskip("h5py", reason="needs pip install 'stemzoo[io]'")
    path = tmp_path / f"a{suffix}"
    with h5py.File(path, "w") as file:
        file["data"] = image()
        file["data"].attrs["title"] = "grain"
    assert read(path).title
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    string = heap + 16
    assert content[string : string + 2] == b"\x01\0"
    space = string + 16 + 8
    assert content[space : space + 16] == bytes(8) + (4096 - 16 - 24).to_bytes(8, "little")
    content[space + 8 : space + 16] = size.to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(FileError, match=f"damaged: the strings at byte {heap} have no end"):
        read(path)


@pytest.mark.parametrize("suffix", [".h5", ".emd", ".hspy"])
def test_a_string_of_another_length_than_its_heap_says(tmp_path: Path, suffix: str) -> None:
    """HDF5 refuses it where it is asked first, and has no end the next time."""
    h5py = pytest.importorskip("h5py", reason="needs pip install 'stemzoo[io]'")
    path = tmp_path / f"a{suffix}"
    with h5py.File(path, "w") as file:
        file["data"] = image()
        file["data"].attrs["title"] = "grain"
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL").to_bytes(8, "little")
    length = content.index((5).to_bytes(4, "little") + heap)
    content[length + 3] = 0x80
    path.write_bytes(content)
    with pytest.raises(FileError, match="damaged: its attribute title cannot be read"):
        read(path)


def test_a_result_whose_strings_have_no_end_is_none_of_ours(tmp_path: Path) -> None:
    rosetta("hspy")
    path = tmp_path / "a.hspy"
    formats.write(path, Micrograph(image()), provenance={"task": "denoise"})
    assert record_of(path) == {"task": "denoise"}
    content = path.read_bytes()
    heap = content.index(b"GCOL") + 16
    path.write_bytes(content[:heap] + bytes(16) + content[heap + 16 :])
    assert record_of(path) is None


def test_every_suffix_of_rosettasciio_has_a_reader() -> None:
    rosetta("hspy")
    from rsciio import IO_PLUGINS

    for plugin in IO_PLUGINS:
        for suffix in plugin["file_extensions"]:
            assert callable(formats.reader_for(Path(f"a.{suffix}")))
