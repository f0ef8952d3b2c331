"""Rotations, pairs and series of scans, as far as files tell them."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.scan_scenes import record
from stemzoo.cli.demo.phantoms import Specimen
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, read, write
from stemzoo.io.scan_metadata import ScanMetadata, scan_metadata
from stemzoo.scan.directions import ScanFile, groups, merged_by_rotation
from tests.python.microscope_files import write_dm

SIZE = 128


def velox(degrees, time=None, stage=(1e-4, 2e-4)):
    """As RosettaSciIO gives it: text, radians, metres."""
    found = {"Scan": {"ScanRotation": str(math.radians(degrees))}}
    found["Stage"] = {"Position": {"x": str(stage[0]), "y": str(stage[1])}}
    if time is not None:
        found["Acquisition"] = {"AcquisitionStartDatetime": {"DateTime": str(time)}}
    return {"title": "HAADF", "original": found}


def test_velox_says_radians_and_metres():
    found = scan_metadata(velox(90, 1700000000))
    assert found.rotation == pytest.approx(90)
    assert (found.time, found.stage) == (1700000000, (1e-4, 2e-4))


def test_digital_micrograph_says_degrees_and_micrometres(tmp_path):
    pytest.importorskip("rsciio.digitalmicrograph")
    tags = {
        "DigiScan": {"Rotation": 33.0},
        "Microscope Info": {"Stage Position": {"Stage X": 12.5, "Stage Y": -3.0}},
    }
    write_dm(tmp_path / "a.dm4", [np.ones((8, 8), np.float32)], version=4, tags=tags)
    found = scan_metadata(read(tmp_path / "a.dm4").metadata)
    assert found.rotation == pytest.approx(33)
    assert found.stage == pytest.approx((12.5e-6, -3e-6))


def test_dates_are_compared_in_seconds():
    one, other = (
        scan_metadata({"General": {"date": "2024-03-05", "time": time}})
        for time in ("10:00:01", "10:01:03")
    )
    assert other.time - one.time == 62
    assert scan_metadata({"General": {"date": "spring", "time": "noon"}}).time is None


def test_nion_says_radians():
    stage = {"autostem": {"SShft.x": 1e-6, "SShft.y": 0}}
    said = {"scan": {"rotation": math.pi / 2}, "instrument": stage}
    found = scan_metadata({"original": said})
    assert found.rotation == pytest.approx(90)
    assert found.stage == (1e-6, 0)
    nothing = scan_metadata({"scan": {"rotation": "none"}, "title": "a"})
    assert nothing == ScanMetadata(None, None, None)


def file(name, rotation, time=None, stage=None, size=(0.02, 0.02), shape=(64, 64)):
    return ScanFile(Path(name), shape, size, "nm", ScanMetadata(rotation, time, stage))


def names(found):
    return ["".join(scan.path.name for scan in group) for group in found]


def test_pairs_are_of_one_place_and_time():
    near, far = (0.0, 0.0), (5e-9, 0.0)  # m; the field of view is 1.28 nm
    four = [file("a", 0, 1), file("b", 90, 2), file("c", 0, 3), file("d", 90, 4)]
    assert names(groups(four)) == ["ab", "cd"]
    assert names(groups([file("b", 90, 2), file("a", 0, 1)])) == ["ab"]
    assert names(groups([file("a", 0, 1), file("b", 0, 2), file("c", 90, 3)])) == ["ac"]
    assert names(groups([file("a", 0), file("b", 180)])) == []
    assert names(groups([file("a", 0, 1), file("b", 90, 5000)])) == []
    assert names(groups([file("a", 0, 1), file("b", 90)])) == ["ab"]
    assert names(groups([file("a", 0, 0, near), file("b", 90, 1, far)])) == []
    assert names(groups([file("a", 0, 0, near), file("b", 90, 1, near)])) == ["ab"]
    assert names(groups([file("a", 0), file("b", 90, size=(0.04, 0.04))])) == []
    assert names(groups([file("a", None), file("b", 90)])) == []


def test_a_series_is_all_of_one_place():
    scans = [file(name, 90 * (k % 2), k) for k, name in enumerate("abcd")]
    assert names(groups(scans, series=True)) == ["abcd"]


def columns():
    random = np.random.default_rng(1)
    y, x = random.uniform(-20, SIZE + 20, (2, 200))
    return Specimen(y, x, random.uniform(0.3, 1, 200), 3.0, background=0.1)


@pytest.mark.parametrize(
    ("angles", "said"), [((0, 90), (10, -80)), ((0, 90), (0, 90)), ((0, 37), (0, -37))]
)
def test_the_sense_of_turning_is_that_which_fits(angles, said):
    scans = record(columns(), SIZE, list(angles), 100, np.random.default_rng(2), drift=3).scans
    found = merged_by_rotation(scans, said, None)
    assert found.angles == pytest.approx(angles)
    assert not found.ambiguous


def test_a_picture_without_a_sense_asks_for_the_angles():
    with pytest.raises(ValueError, match="match as well when turned the other way"):
        merged_by_rotation([np.ones((64, 64))] * 2, [0, 90], None)


def test_a_folder_is_merged_pair_by_pair(tmp_path, capsys):
    folder, out = tmp_path / "scans", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for place in range(2):
        random = np.random.default_rng(place)
        scans = record(columns(), SIZE, [0, 90], 100, random, drift=3).scans
        for k, scan in enumerate(scans):
            said = velox(-90 * k, 1000 * place + k)
            path = folder / f"{place}{k}.tif"
            write(path, Micrograph(scan, (0.02, 0.02), "nm", said))
    write(folder / "odd.tif", Micrograph(scans[0], (0.05, 0.05), "nm", velox(0, 5)))
    call = ["merge", str(folder), "--model", "none", "-o"]
    assert main([*call, str(tmp_path / "one.tif")]) == 1
    assert "2 pictures cannot all become" in capsys.readouterr().err
    assert main([*call, str(out)]) == 0
    assert "left out, without a partner: odd.tif" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["00.merged.tif", "10.merged.tif"]
    made = read(out / "10.merged.tif").metadata["provenance"]
    assert made["settings"]["angles"] == pytest.approx([0, 90])
    assert [each["file"] for each in made["inputs"]] == ["10.tif", "11.tif"]
    assert main([*call, str(out), "--angles", "0,90"]) == 1
    assert "give it alone and without --angles" in capsys.readouterr().err
    (folder / "01.tif").unlink()
    (folder / "11.tif").unlink()
    assert main([*call, str(out)]) == 1
    assert "holds no two scans of one place" in capsys.readouterr().err


def test_files_that_do_not_say_need_the_angles(tmp_path, capsys):
    for name in "ab":
        np.save(tmp_path / f"{name}.npy", np.ones((64, 64)))
    files = [str(tmp_path / name) for name in ("a.npy", "b.npy")]
    assert main(["merge", *files, "-o", str(tmp_path / "c.tif"), "--model", "none"]) == 1
    assert "a.npy does not say how its scan was rotated; give --angles" in capsys.readouterr().err
