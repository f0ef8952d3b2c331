"""No command destroys a file that it reads, that another result needs, or that is not its own."""

import os

import numpy as np
import pytest
from drifting_series import drifting, steps

from stemzoo.cli import paths as command_paths
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, read, write

IMAGE = np.random.default_rng(0).poisson(20, (40, 48)).astype("f4")
SERIES = drifting(steps(3))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of a microscopist, with files of several kinds under every name used here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("a.npy", "b.npy", "sub/a.npy"):
        np.save(name, IMAGE)
    for name in ("a.tif", "sub/c.tif"):
        write(name, Micrograph(IMAGE))
    np.save("s.npy", SERIES)
    (tmp_path / "notes.npy.json").write_text('{"my": "notes"}')
    (tmp_path / "notes.png").write_bytes(b"a drawing")
    os.link("a.npy", "hard.tif")
    os.symlink("a.npy", "soft.tif")
    os.symlink("a.tif", "soft.png")
    return tmp_path


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


ALIGN = "align s.npy --model none"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("denoise a.npy -o o.npy --picture a.npy", "a.npy is input and picture at once"),
        ("drift a.npy b.npy --model none --picture a.npy", "a.npy is reference and picture"),
        ("drift a.npy b.npy --model none --picture b.npy", "b.npy is moving and picture"),
        ("denoise a.npy -o o.png --picture o.png", "o.png is picture and output of a.npy at once"),
        ("denoise a.npy -o a.npy", "would overwrite an input"),
        ("denoise a.npy -o sub/../a.npy", "would overwrite an input"),
        ("denoise a.npy -o hard.tif", "would overwrite an input"),
        ("denoise a.npy -o soft.tif", "would overwrite an input"),
        ("denoise a.npy -o A.npy", "would overwrite an input"),
        ("denoise a.tif -o o.tif --picture soft.png", "soft.png is input and picture at once"),
        ("denoise a.npy sub/a.npy -o .", "two results have one name"),
        (f"{ALIGN} -o av.npy --shifts av.npy.json", "is side-car of output and shifts at once"),
        (f"{ALIGN} -o av.npy --resume av.npy.json", "is side-car of output and resume at once"),
        (f"{ALIGN} -o av.npy --shifts s.npy.json", "would overwrite an input"),
        (f"{ALIGN} -o s.npy", "s.npy is stack and output at once"),
        ("denoise a.tif -o notes.npy", "notes.npy.json (side-car of output of a.tif) is there alr"),
        ("denoise a.npy -o a.tif", "is no result of stemzoo denoise; name another file, or say --"),
        (f"{ALIGN} -o a.tif", "is no result of stemzoo align"),
        (f"{ALIGN} -o av.tif --shifts a.tif", "is no table of shifts"),
        (f"{ALIGN} -o av.tif --resume a.tif", "holds no measured pairs"),
        ("denoise a.npy -o o.tif --picture notes.png", "is no picture drawn by stemzoo"),
        ("drift a.npy b.npy --model none --picture notes.png", "is no picture drawn by stemzoo"),
        ("demo -o notes.png", "is no picture drawn by stemzoo"),
        ("demo -o demo.tif", "pictures are PNG; name it demo.png"),
        (f"{ALIGN} -o none/av.tif", "there is no folder"),
        (f"{ALIGN} -o av.dm4", "stemzoo writes .tif, .npy"),
        ("denoise a.npy -o o.tif --picture none/o.png", "there is no folder"),
        ("denoise a.npy -o " + "n" * 300 + ".tif", "name too long"),
    ],
)
def test_a_command_that_would_destroy_a_file_does_nothing(folder, line, message, capsys):
    before = content(folder)
    assert main(line.split()) == 1
    said = capsys.readouterr().err
    assert message.lower() in said.lower()
    assert said.count("\n") == 1
    assert content(folder) == before


@pytest.mark.parametrize("line", ["-o av.tif --shifts m.onnx", "-o av.tif --resume m.onnx"])
def test_the_network_of_a_command_is_an_input_too(folder, line, capsys):
    (folder / "m.onnx").write_bytes(b"a network")
    before = content(folder)
    words = f"align s.npy --model m.onnx --trust --overwrite {line}"
    assert main(words.split()) == 1
    assert "m.onnx is model and " in capsys.readouterr().err
    assert content(folder) == before


@pytest.mark.parametrize("option", ["-o {}.tif", "-o {}.npy", "-o o.tif --picture {}.png"])
def test_overwrite_replaces_what_is_not_ours(folder, option):
    for name in ("u.tif", "u.npy", "u.npy.json", "u.png"):
        (folder / name).write_bytes(b"not of stemzoo")
    words = ["denoise", "a.tif", *option.format("u").split()]
    assert main(words) == 1
    assert main([*words, "--overwrite"]) == 0
    assert main(words) == 0


@pytest.mark.parametrize(
    "line",
    [
        "denoise a.tif -o o.tif --picture o.png",
        "restore a.tif -o o.npy",
        "drift a.npy b.npy --model none --picture o.png",
        f"{ALIGN} -o o.tif --shifts o.csv --picture o.png --resume o.npz",
    ],
)
def test_an_older_result_of_the_same_command_is_replaced(folder, line):
    assert main(line.split()) == 0
    first = {path.name for path in folder.glob("o.*")}
    assert main(line.split()) == 0
    assert {path.name for path in folder.glob("o.*")} == first


def test_a_result_of_another_command_is_not(folder, capsys):
    assert main([*ALIGN.split(), "-o", "o.tif"]) == 0
    before = content(folder)
    assert main(["denoise", "a.npy", "-o", "o.tif"]) == 1
    assert "is no result of stemzoo denoise" in capsys.readouterr().err
    assert content(folder) == before


def test_a_side_car_of_an_array_that_was_saved_anew_says_nothing_of_it(folder):
    assert main(["denoise", "a.tif", "-o", "o.npy"]) == 0
    np.save("o.npy", np.eye(7))
    assert main(["denoise", "a.tif", "-o", "o.npy"]) == 1
    np.testing.assert_array_equal(np.load("o.npy"), np.eye(7))


def test_a_package_is_replaced_by_one_of_the_same_model(folder, capsys):
    export = ["models", "export", "denoise-live"]
    assert main([*export, "p.zip"]) == main([*export, "p.zip"]) == 0
    before = content(folder)
    assert main(["models", "export", "denoise-atomic", "p.zip"]) == 1
    assert "p.zip (target) is there already, and is no package of den" in capsys.readouterr().err
    assert main([*export, "notes.png"]) == 1
    assert content(folder) == before
    assert main(["models", "export", "denoise-atomic", "p.zip", "--overwrite"]) == 0


def test_pipes_are_neither_read_nor_replaced(folder, capsys):
    for name in ("f.tif", "f.npy", "f.png", "p.npy.json", "b.npy.json", "f.onnx"):
        os.mkfifo(name)
    for line in (
        "denoise f.tif",
        "restore f.npy",
        "denoise f.png",
        "drift a.npy f.tif --model none",
        "align f.npy -o o.tif --model none",
        "replay f.tif",
        "denoise b.npy",
        "denoise a.tif --model f.onnx",
        "replay f.npy --input a.npy",
        "denoise a.tif -o f.tif --overwrite",
        "denoise a.tif -o p.npy --overwrite",
        "denoise a.tif -o p.npy",
    ):
        assert main(line.split()) == 1, line
        said = capsys.readouterr().err
        assert "a pipe or a device" in said or "is there already" in said
        assert said.count("\n") == 1


def test_a_folder_that_may_not_be_written_to_is_told_before_the_work(folder, monkeypatch, capsys):
    """As os.access says; root may write anywhere, so it is asked to say no."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr("stemzoo.load", lambda *_, **__: pytest.fail("the work has begun"))
    assert main(["denoise", "a.tif", "-o", "o.tif"]) == 1
    assert "nothing may be written to" in capsys.readouterr().err


def test_one_name_for_every_spelling(folder):
    places = {command_paths.place(folder / name) for name in ("x.tif", "sub/../x.tif", "X.TIF")}
    assert len(places) == 1


def test_the_result_is_what_it_would_be_elsewhere(folder):
    assert main(["denoise", "a.tif", "-o", "sub/../o.npy"]) == 0
    assert read("o.npy").metadata["provenance"]["input"]["file"] == "a.tif"
