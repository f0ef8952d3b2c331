"""A result can be made again from its own record, and says so or says why not."""

import dataclasses
import re

import numpy as np
import pytest
import tifffile
from small_models import dense, same

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.cli.main import main
from stemzoo.common.errors import FileError, ModelError
from stemzoo.inference.record import provenance
from stemzoo.io import Micrograph, read, write
from stemzoo.trust.replay import TOLERANCE, replay

pytestmark = pytest.mark.slow

SHAPE = (64, 56)
MODEL = f"denoise-atomic {stemzoo.load('denoise-atomic').contract.version}"


@pytest.fixture
def noisy(tmp_path):
    clean = perovskite(SHAPE, seed=2).image(SHAPE)
    path = tmp_path / "noisy.tif"
    write(path, Micrograph(expose(clean, 20, np.random.default_rng(2)), (0.02, 0.02), "nm"))
    return path


@pytest.fixture
def clean(noisy):
    """Its denoised image, written by the command line."""
    assert main(["denoise", str(noisy)]) == 0
    return noisy.with_name("noisy.denoised.tif")


def changed(path, change, pixels=None):
    """The same file with its record, or its pixels, not as they were."""
    found = read(path)
    record = found.metadata["provenance"]
    change(record)
    data = found.data if pixels is None else pixels(found.data)
    write(path, dataclasses.replace(found, data=data), provenance=record)


def nothing(record):
    pass


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".npy"])
def test_every_format_that_is_written_is_identical_again(noisy, tmp_path, capsys, suffix):
    out = tmp_path / f"clean{suffix}"
    assert main(["denoise", str(noisy), "-o", str(out), "--threads", "1"]) == 0
    capsys.readouterr()
    assert main(["replay", str(out)]) == 0
    said = capsys.readouterr().out
    assert said == f"{out} is identical to what {MODEL} makes of its input\n"


def test_a_stack_and_a_dataset_and_windows_are_identical_again(tmp_path):
    random = np.random.default_rng(3)
    np.save(tmp_path / "stack.npy", random.poisson(9, (2, 40, 48)).astype("u2"))
    assert main(["denoise", str(tmp_path / "stack.npy")]) == 0
    assert replay(tmp_path / "stack.denoised.tif").identical

    with tifffile.TiffWriter(tmp_path / "two.tif") as file:
        for shape in ((40, 48), (56, 64)):
            file.write(random.poisson(9, shape).astype("u2"), metadata=None)
    two = [str(tmp_path / "two.tif"), "--signal", "1", "--model", "buban-autoencoder"]
    assert main(["denoise", *two]) == 0
    result = tmp_path / "two.1.denoised.tif"
    assert read(result).data.shape == (56, 64)
    assert read(result).metadata["provenance"]["input"]["dataset"] == 1
    assert replay(result).identical


def test_how_windows_were_laid_is_in_the_record(tmp_path):
    window = 8
    scramble = np.random.default_rng(4).standard_normal((window**2, window**2))
    (tmp_path / "windows.onnx").write_bytes(dense(window, 4, scramble, np.zeros(window**2)))
    model = stemzoo.load(tmp_path / "windows.onnx", trust=True)
    np.save(tmp_path / "image.npy", np.random.default_rng(5).standard_normal((30, 30)))
    run = model.run(np.load(tmp_path / "image.npy"), step=3)
    record = provenance(run, model, tmp_path / "image.npy")
    write(tmp_path / "out.npy", Micrograph(run.image), provenance=record)
    assert replay(tmp_path / "out.npy", model=str(tmp_path / "windows.onnx"), trust=True).identical
    record["tiling"]["step"] = [4, 4]
    write(tmp_path / "out.npy", Micrograph(run.image), provenance=record)
    assert not replay(tmp_path / "out.npy", model=str(tmp_path / "windows.onnx"), trust=True).agrees


def test_the_record_says_all_that_replay_needs(clean):
    record = read(clean).metadata["provenance"]
    assert record["task"] == "denoise"
    assert record["threads"] == 0
    assert record["input"].keys() == {"file", "sha256", "dataset"}
    assert record["software"].keys() == {"stemzoo", "onnxruntime", "numpy", "python"}


def test_a_changed_pixel_is_told_with_how_much(clean, capsys):
    deviation = read(clean).metadata["provenance"]["normalisation"]["std"]

    def one_pixel(data):
        data = data.copy()
        data[3, 5] += deviation
        return data

    changed(clean, nothing, one_pixel)
    found = replay(clean)
    assert found.largest == pytest.approx(deviation, rel=1e-4)
    assert found.rms == pytest.approx(deviation / np.sqrt(SHAPE[0] * SHAPE[1]), rel=1e-4)
    assert main(["replay", str(clean)]) == 1
    said = capsys.readouterr().err
    assert f"{clean} is not what {MODEL} makes of its input: it differs by" in said
    assert "that is 1 and 0.017 of the input's deviation" in said


@pytest.mark.parametrize(("share", "agrees"), [(0.5, True), (2.0, False)])
def test_rounding_is_let_pass_and_no_more(clean, share, agrees):
    deviation = read(clean).metadata["provenance"]["normalisation"]["std"]
    changed(clean, nothing, lambda data: data + np.float32(share * TOLERANCE * deviation))
    found = replay(clean)
    assert not found.identical
    assert found.agrees == agrees
    assert ("but for rounding" in found.text) == agrees


def test_what_is_no_number_does_not_agree(clean):
    changed(clean, nothing, lambda data: np.where(data == data.max(), np.nan, data))
    assert not replay(clean).agrees


def test_the_last_bit_on_a_large_offset_is_rounding(tmp_path):
    np.save(tmp_path / "image.npy", 1e6 + np.random.default_rng(1).standard_normal(SHAPE))
    assert main(["denoise", str(tmp_path / "image.npy"), "-o", str(tmp_path / "out.npy")]) == 0
    changed(tmp_path / "out.npy", nothing, lambda d: np.nextafter(d, np.float32(np.inf)))
    assert replay(tmp_path / "out.npy").agrees


def test_a_constant_image_is_identical_again(tmp_path):
    np.save(tmp_path / "image.npy", np.full(SHAPE, 7.0))
    assert main(["denoise", str(tmp_path / "image.npy")]) == 0
    assert replay(tmp_path / "image.denoised.tif").identical


def test_what_computed_then_and_now_is_set_side_by_side(clean):
    def older(record):
        record["software"]["onnxruntime"] = "1.0.0"
        record["provider"] = "CUDAExecutionProvider"

    changed(clean, older)
    text = replay(clean).text
    assert re.search(r"onnxruntime was 1\.0\.0 and is 1\.\d", text)
    assert "provider was CUDAExecutionProvider and is CPUExecutionProvider" in text
    assert "numpy" not in text


def test_the_input_is_known_by_its_bytes(noisy, clean, tmp_path):
    moved = tmp_path / "elsewhere.tif"
    noisy.rename(moved)
    with pytest.raises(FileError, match=r"noisy\.tif is not there, .* say where it is with --inpu"):
        replay(clean)
    assert replay(clean, moved).identical
    np.save(tmp_path / "other.npy", np.eye(64))
    with pytest.raises(FileError, match=r"is not the file that .* was made from, or was changed"):
        replay(clean, tmp_path / "other.npy")


def test_a_record_leads_nowhere_but_beside_its_file(clean, tmp_path):
    (tmp_path / "sub").mkdir()
    inside = tmp_path / "sub" / "clean.tif"
    clean.rename(inside)
    changed(inside, lambda record: record["input"].update(file="../noisy.tif"))
    with pytest.raises(FileError, match=r"sub/noisy\.tif is not there"):
        replay(inside)


def test_another_model_is_not_taken_for_the_recorded_one(clean, tmp_path):
    (tmp_path / "same.onnx").write_bytes(same("denoise"))
    with pytest.raises(
        ModelError, match=r"same\.onnx is not the denoise-atomic@1\.\d\.\d that was us"
    ):
        replay(clean, model=str(tmp_path / "same.onnx"), trust=True)
    changed(clean, lambda record: record["model"].update(version="9.0.0"))
    with pytest.raises(ModelError, match=r"denoise-atomic@9\.0\.0 is not at hand: .*'9\.0\.0'"):
        replay(clean)


def test_a_model_from_a_file_can_be_given_again(noisy, tmp_path):
    (tmp_path / "same.onnx").write_bytes(same("denoise"))
    out, model = tmp_path / "out.tif", str(tmp_path / "same.onnx")
    assert main(["denoise", str(noisy), "--model", model, "--trust", "-o", str(out)]) == 0
    with pytest.raises(ModelError, match=r"denoise-test@0\.0\.1 is not at hand"):
        replay(out)
    assert main(["replay", str(out), "--model", str(tmp_path / "same.onnx"), "--trust"]) == 0


def test_a_file_without_a_record_is_refused(noisy, tmp_path, capsys):
    assert main(["replay", str(noisy)]) == 1
    assert "noisy.tif does not say how it was made" in capsys.readouterr().err
    np.save(tmp_path / "bare.npy", np.eye(8))
    with pytest.raises(FileError, match=r"that of an \.npy file is in bare\.npy\.json"):
        replay(tmp_path / "bare.npy")
    with pytest.raises(FileError, match="cannot be opened"):
        replay(tmp_path / "missing.tif")


def test_a_result_cut_to_size_is_told(clean):
    changed(clean, nothing, lambda data: data[:-1])
    with pytest.raises(FileError, match=r"has shape \(63, 56\); .* has shape \(64, 56\)"):
        replay(clean)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda r: r.pop("task"), "it lacks 'task'"),
        (lambda r: r["input"].pop("dataset"), "it lacks 'dataset'"),
        (lambda r: r.update(model="denoise-live"), "string indices|indices must be"),
        (lambda r: r["model"].update(name=7), "7 is out of place"),
        (lambda r: r["model"].update(version="0.onnx"), "it names a file, not a version"),
        (lambda r: r["tiling"].update(step=[]), "it lacks a step"),
        (lambda r: r["tiling"].update(step=["8", 8]), "'8' is out of place"),
        (lambda r: r.update(threads=-1), "-1 is out of place"),
        (lambda r: r.update(threads=True), "True is out of place"),
        (lambda r: r["input"].update(dataset=1.5), "1.5 is out of place"),
        (lambda r: r["input"].update(file=None), "None is out of place"),
        (lambda r: r.update(software=None), "no attribute|NoneType"),
        (dict.clear, "it lacks 'task'"),
    ],
)
def test_a_record_that_cannot_be_followed_is_refused(clean, change, match):
    changed(clean, change)
    with pytest.raises(FileError, match=f"in a way that this stemzoo does not follow: .*({match})"):
        replay(clean)
