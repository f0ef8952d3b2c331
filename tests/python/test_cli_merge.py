"""stemzoo merge: scans in, one picture and a sheet out."""

import numpy as np
import pytest
from PIL import Image

import stemzoo
from benchmarks.scan_scenes import record
from stemzoo.cli.demo.phantoms import Specimen
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, read, write

SIZE = 128


@pytest.fixture(scope="module")
def scans():
    random = np.random.default_rng(1)
    y, x = random.uniform(-20, SIZE + 20, (2, 200))
    columns = Specimen(y, x, random.uniform(0.3, 1, 200), 3.0, background=0.1)
    return record(columns, SIZE, [0, 90], 100, random, drift=3).scans


@pytest.fixture
def files(scans, tmp_path):
    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path, scan in zip(paths, scans, strict=True):
        write(path, Micrograph(scan, (0.02, 0.02), "nm", {"title": path.stem}, None))
    return paths


def run(files, *more):
    out = files[0].with_name("merged.tif")
    given = ["merge", *map(str, files), "-o", str(out), "--model", "none", *map(str, more)]
    return main(given)


def test_the_picture_keeps_calibration_and_says_how(files, scans, capsys):
    sheet = files[0].with_name("sheet.png")
    assert run(files, "--angles", "0,90", "--picture", sheet) == 0
    said = capsys.readouterr().out
    assert "2 scans, paths over" in said
    assert "unambiguous" in said
    result = read(files[0].with_name("merged.tif"))
    found = stemzoo.merge_scans(scans, model=None)
    np.testing.assert_array_equal(result.data, found.image)
    assert result.pixel_size == pytest.approx((0.02, 0.02), rel=1e-6)
    made = result.metadata["provenance"]
    assert made["task"] == "merge"
    assert [each["file"] for each in made["inputs"]] == ["a.tif", "b.tif"]
    assert made["settings"] == {"angles": [0, 90], "max_shift": None}
    np.testing.assert_allclose(made["paths"][1], found.paths[1], atol=1e-4)
    with Image.open(sheet) as picture:
        assert np.asarray(picture).std() > 20
    assert run(files, "--angles", "0,90") == 0  # replaces its own result
    capsys.readouterr()
    out = files[0].with_name("merged.tif")
    assert main(["replay", str(out)]) == 0
    assert (
        capsys.readouterr().out == f"{out} is identical to what stemzoo merge makes of its input\n"
    )


def test_a_merge_is_replayed_from_a_folder_and_followed(files, tmp_path, capsys):
    assert run(files, "--angles", "0,90") == 0
    (tmp_path / "moved").mkdir()
    for file in files:
        file.rename(tmp_path / "moved" / file.name)
    out = files[0].with_name("merged.tif")
    assert main(["replay", str(out)]) == 1
    assert "a.tif is not there" in capsys.readouterr().err
    assert main(["replay", str(out), "--input", str(tmp_path / "moved")]) == 0
    found = read(out)
    record = found.metadata["provenance"]
    record["settings"]["angles"] = [0, 45]
    write(out, found, provenance=record)
    assert main(["replay", str(out), "--input", str(tmp_path / "moved")]) == 1
    assert "is not what stemzoo merge makes" in capsys.readouterr().err
    record["settings"]["angles"] = [0, "x"]
    write(out, found, provenance=record)
    assert main(["replay", str(out), "--input", str(tmp_path / "moved")]) == 1
    assert "are out of place" in capsys.readouterr().err


def test_what_is_refused(files, scans, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(files, "--angles", "0;90")
    assert "expected degrees between commas" in capsys.readouterr().err
    assert run(files, "--angles", "0,180") == 1
    assert "in one direction" in capsys.readouterr().err
    write(files[1], Micrograph(scans[1], (0.03, 0.03), "nm", {}, None))
    assert run(files, "--angles", "0,90") == 1
    assert "expected scans of one pixel size" in capsys.readouterr().err
    np.save(tmp_path / "stack.npy", np.ones((3, SIZE, SIZE)))
    assert run([files[0], tmp_path / "stack.npy"], "--angles", "0,90") == 1
    assert "expected one scan a file" in capsys.readouterr().err
