"""stemzoo apply: saved corrections on images, spectrum images and frames in files."""

import json

import numpy as np
import pytest

import stemzoo
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, read, write
from stemzoo.registration.correction.correction import Correction
from stemzoo.registration.correction.recording import Recording

H, W, E = 48, 40, 12
random = np.random.default_rng(5)


def scan(lines, angle, shape):
    path = np.linspace(0, 1, lines)[:, None] * [2.0, -3.0]
    return Recording(shape, path, angle=angle)


MERGE = Correction("merge", (H, W), (scan(H, 0.0, (H, W)), scan(W, 90.0, (W, H))))


@pytest.fixture
def saved(tmp_path):
    MERGE.save(tmp_path / "correction.json")
    return tmp_path / "correction.json"


@pytest.fixture
def cubes():
    return [random.poisson(0.5, (*shape, E)).astype(np.uint16) for shape in ((H, W), (W, H))]


def test_cubes_in_npy_files(saved, cubes, tmp_path):
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    for file, cube in zip(files, cubes, strict=True):
        np.save(file, cube)
    out = tmp_path / "out.npy"
    call = ["apply", str(saved), *map(str, files), "-o", str(out)]
    assert main([*call, "--rebin"]) == 0
    np.testing.assert_array_equal(np.load(out), MERGE.apply(cubes, method="rebin"))
    said = json.loads((tmp_path / "out.npy.json").read_bytes())
    record = said["metadata"]["provenance"]
    assert record["task"] == "apply"
    assert [each["file"] for each in record["inputs"]] == ["a.npy", "b.npy"]
    assert record["correction"]["kind"] == "merge"
    assert record["settings"] == {"method": "rebin", "border": None}
    assert main(call) == 0  # replaces its own result
    np.testing.assert_array_equal(np.load(out), MERGE.apply(cubes))
    assert main(["apply", str(saved), "-", str(files[1]), "-o", str(out), "--rebin"]) == 0
    np.testing.assert_array_equal(np.load(out), MERGE.apply([None, cubes[1]], method="rebin"))


def test_images_keep_their_calibration(saved, tmp_path):
    images = [random.poisson(9, shape).astype(np.float32) for shape in ((H, W), (W, H))]
    files = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for file, image in zip(files, images, strict=True):
        write(file, Micrograph(image, (0.02, 0.02), "nm"))
    out = tmp_path / "out.tif"
    assert main(["apply", str(saved), *map(str, files), "-o", str(out)]) == 0
    found = read(out)
    np.testing.assert_array_equal(found.data, MERGE.apply(images))
    assert found.pixel_size == pytest.approx((0.02, 0.02))
    assert found.metadata["provenance"]["task"] == "apply"


def test_spectrum_images_in_hspy_files(saved, cubes, tmp_path):
    hspy = pytest.importorskip("rsciio.hspy")
    pytest.importorskip("dask")
    files = [tmp_path / "a.hspy", tmp_path / "b.hspy"]
    for file, cube in zip(files, cubes, strict=True):
        names = ("y", "x", "Energy")
        axes = [
            {
                "_type": "UniformDataAxis",
                "name": name,
                "units": unit,
                "scale": scale,
                "offset": 0.0,
                "size": size,
                "navigate": name != "Energy",
            }
            for name, unit, scale, size in zip(
                names, ("nm", "nm", "keV"), (0.5, 0.5, 0.01), cube.shape, strict=True
            )
        ]
        signal = {
            "data": cube,
            "axes": axes,
            "metadata": {"General": {"title": "EDS"}, "Signal": {"signal_type": "EDS_TEM"}},
            "original_metadata": {},
            "attributes": {"_lazy": False},
            "tmp_parameters": {},
            "learning_results": {},
            "models": {},
            "package_info": {"package": "test", "package_version": "1"},
        }
        hspy.file_writer(str(file), signal, show_progressbar=False)
    wanted = MERGE.apply(cubes, method="rebin")
    for name in ("out.hspy", "out.npy"):
        out = tmp_path / name
        assert main(["apply", str(saved), *map(str, files), "-o", str(out), "--rebin"]) == 0
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), wanted, rtol=1e-6)
    (found,) = hspy.file_reader(str(tmp_path / "out.hspy"))
    np.testing.assert_allclose(found["data"], wanted, rtol=1e-6)
    assert found["metadata"]["Signal"]["signal_type"] == "EDS_TEM"
    border = (wanted.shape[0] - H) // 2
    assert [axis["size"] for axis in found["axes"]] == list(wanted.shape)
    assert found["axes"][0]["offset"] == -0.5 * border
    assert found["axes"][2]["scale"] == 0.01
    assert found["original_metadata"]["stemzoo"]["task"] == "apply"


def test_corrections_come_from_the_commands(tmp_path):
    still = random.poisson(50, (64, 64)).astype(np.float32)
    still[20:40, 20:40] += 200
    frames = np.stack(
        [np.roll(still, k, axis=0) + random.normal(0, 3, still.shape) for k in range(4)]
    )
    np.save(tmp_path / "series.npy", frames.astype(np.float32))
    for k in (0, 1):
        np.save(tmp_path / f"{k}.npy", frames[k].astype(np.float32))
    series, saved = str(tmp_path / "series.npy"), str(tmp_path / "c.json")
    average, out = str(tmp_path / "average.npy"), str(tmp_path / "out.npy")
    more = ["--model", "none", "--save-correction", saved]
    assert main(["align", series, "-o", average, *more]) == 0
    assert main(["apply", saved, series, "-o", out]) == 0
    np.testing.assert_array_equal(np.load(out), np.load(average))
    assert stemzoo.load_correction(saved).about["task"] == "align"
    assert main(["drift", str(tmp_path / "0.npy"), str(tmp_path / "1.npy"), *more]) == 0
    found = stemzoo.load_correction(saved)
    assert found.kind == "drift"
    assert found.recordings[0].path == pytest.approx(np.array([[-1.0, 0.0]]), abs=0.2)


def test_what_is_refused(saved, cubes, tmp_path, capsys):
    np.save(tmp_path / "a.npy", cubes[0])
    call = ["apply", str(saved), str(tmp_path / "a.npy")]
    out = str(tmp_path / "out.npy")
    assert main([*call, "-o", out]) == 1
    assert "got 1 images; expected 2, one for each scan" in capsys.readouterr().err
    assert main([*call, "-", "-o", str(tmp_path / "out.tif")]) == 1
    assert "name it out.npy" in capsys.readouterr().err
    assert main(["apply", str(tmp_path / "a.npy"), out, "-o", out]) == 1
    assert main(["apply", str(saved), "-", "-", "-o", out]) == 1
    assert "every file is -" in capsys.readouterr().err
    np.save(out, cubes[0])
    assert main([*call, "-", "-o", out]) == 1
    assert "is no result of stemzoo apply" in capsys.readouterr().err
