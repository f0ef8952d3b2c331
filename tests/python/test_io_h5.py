"""HDF5 files are told by what is inside, and every suffix of RosettaSciIO has a reader."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_io_formats import image, rosetta, signal

from stemzoo.io import formats, read


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


def test_every_suffix_of_rosettasciio_has_a_reader() -> None:
    rosetta("hspy")
    from rsciio import IO_PLUGINS

    for plugin in IO_PLUGINS:
        for suffix in plugin["file_extensions"]:
            assert callable(formats.reader_for(Path(f"a.{suffix}")))
