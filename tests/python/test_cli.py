"""The command line as people call it: files, messages, exit codes."""

import json

import numpy as np
import pytest
from PIL import Image

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, read, write


@pytest.fixture
def noisy(tmp_path):
    clean = perovskite((96, 80), seed=2).image((96, 80))
    counts = expose(clean, 20, np.random.default_rng(2))
    path = tmp_path / "noisy.tif"
    write(path, Micrograph(counts, (0.02, 0.02), "nm", {"title": "a test"}, None))
    return path


def test_denoise_keeps_calibration_and_says_how(noisy, tmp_path, capsys):
    out, picture = tmp_path / "clean.tif", tmp_path / "clean.png"
    assert main(["denoise", str(noisy), "-o", str(out), "--picture", str(picture)]) == 0
    assert "clean.tif" in capsys.readouterr().out
    result = read(out)
    np.testing.assert_array_equal(result.data, stemzoo.denoise(read(noisy).data))
    assert result.pixel_size == pytest.approx((0.02, 0.02), rel=1e-6)
    assert result.unit == "nm"
    record = result.metadata["provenance"]
    model = stemzoo.load("denoise-atomic")
    assert record["model"]["name"] == "denoise-atomic"
    assert record["model"]["sha256"] == model.sha256
    assert record["software"]["stemzoo"] == stemzoo.__version__
    assert record["normalisation"]["mean"] == pytest.approx(read(noisy).data.mean())
    assert record["tiling"]["tile"] == list(record["tiling"]["tile"])
    assert record["provider"] == "CPUExecutionProvider"
    with Image.open(picture) as sheet:
        assert sheet.size[0] > 2 * 80


def test_npy_keeps_its_record_beside_it(noisy, tmp_path):
    out = tmp_path / "clean.npy"
    assert main(["denoise", str(noisy), "-o", str(out)]) == 0
    assert np.load(out).shape == (96, 80)
    assert read(out).metadata["provenance"]["input"]["file"] == "noisy.tif"


def test_a_stack_is_denoised_frame_by_frame(tmp_path):
    stack = np.random.default_rng(0).poisson(9, (3, 40, 48)).astype("u2")
    np.save(tmp_path / "stack.npy", stack)
    assert main(["denoise", str(tmp_path / "stack.npy")]) == 0
    result = read(tmp_path / "stack.denoised.tif").data
    np.testing.assert_array_equal(result, stemzoo.denoise(stack))


def test_many_files_go_into_a_folder(noisy, tmp_path):
    other = tmp_path / "other.npy"
    np.save(other, np.eye(32))
    folder = tmp_path / "out"
    folder.mkdir()
    assert main(["denoise", str(noisy), str(other), "-o", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {"noisy.denoised.tif", "other.denoised.tif"}


def test_models_list_and_info(capsys):
    assert main(["models", "list"]) == 0
    assert "denoise-live" in capsys.readouterr().out
    assert main(["models", "info", "denoise-live"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["task"] == "denoise"
    assert info["training"]["recipe"] == "denoise-live"


def test_demo_writes_a_picture_and_says_the_gain(tmp_path, capsys):
    assert main(["demo", "-o", str(tmp_path / "demo.png")]) == 0
    said = capsys.readouterr().out
    assert "gain of one denoised frame" in said
    with Image.open(tmp_path / "demo.png") as sheet:
        assert sheet.size == (1184, 844)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["denoise", "missing.tif"], "missing.tif"),
        (["denoise", "noisy.tif", "-o", "noisy.tif"], "would overwrite an input"),
        (["denoise", "noisy.tif", "-o", "none/clean.tif"], "no folder"),
        (["denoise", "noisy.tif", "--bin", "0"], "bin is 0"),
        (["denoise", "noisy.tif", "--jobs", "0"], "--jobs is 0"),
        (["denoise", "noisy.tif", "-o", "clean.dm4"], ".tif"),
        (["denoise", "noisy.tif", "noisy.tif", "-o", "clean.tif"], "cannot all become"),
        (["denoise", "noisy.tif", "sub/noisy.tif", "-o", "."], "one name"),
        (["denoise", "noisy.tif", "--model", "denoise-lively"], "did you mean 'denoise-live'"),
        (["denoise", "noisy.tif", "--model", "none.onnx"], "none.onnx"),
        (["denoise", "noisy.tif", "--threads", "0"], "threads is 0"),
        (["denoise", "noisy.tif", "--signal", "3"], "has no signal"),
        (["denoise", "text.tif"], "text.tif"),
        (["models", "info", "nothing"], "no model is called 'nothing'"),
        (["demo", "-o", "none/demo.png"], "no folder"),
    ],
)
def test_what_goes_wrong_is_one_line(noisy, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.tif").write_text("not a TIFF")
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("stemzoo: ")
    assert said.count("\n") <= 3


def test_usage_errors_exit_with_two(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["denoise"])
    assert stop.value.code == 2
