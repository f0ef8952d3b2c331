"""Many files in one go: what fails stops no other, what is done already is not done over."""

import os

import numpy as np
import pytest
from PIL import Image

import stemzoo
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, read, write

pytestmark = pytest.mark.slow

RANDOM = np.random.default_rng(0)


def picture(seed):
    return np.random.default_rng(seed).poisson(60, (40, 48)).astype("u1")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two images, with the working directory among them."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("a.tif", "b.tif")):
        write(name, Micrograph(picture(seed)))
    return tmp_path


def names(pattern="*.denoised.tif"):
    from pathlib import Path

    return sorted(path.name for path in Path().glob(pattern))


def everything():
    """What the shell makes of *.tif."""
    return names("*.tif")


def test_a_second_day_is_like_the_first(folder, capsys):
    assert main(["denoise", *everything()]) == 0
    first = names()
    assert first == ["a.denoised.tif", "b.denoised.tif"]
    write("a.tif", Micrograph(picture(7)))
    write("c.tif", Micrograph(picture(8)))
    capsys.readouterr()
    assert main(["denoise", *everything()]) == 0
    said = capsys.readouterr().err
    assert "left out, being results or pictures of stemzoo: a.denoised.tif, b.denoised.tif" in said
    assert names() == [*first, "c.denoised.tif"]
    np.testing.assert_array_equal(read("a.denoised.tif").data, stemzoo.denoise(picture(7)))


@pytest.mark.parametrize("named", [".", "*.tif", "../{}/*"])
def test_folders_and_patterns_are_the_images_in_them(folder, named, capsys):
    """A shell of Windows hands patterns on as they are."""
    (folder / "notes.txt").write_text("no image")
    (folder / "._a.tif").write_text("what macOS leaves on memory sticks")
    main(["denoise", "a.tif", "--picture", "a.picture.png"])
    words = ["denoise", named.format(folder.name)]
    capsys.readouterr()
    status = main(words)
    said = capsys.readouterr()
    assert names() == ["a.denoised.tif", "b.denoised.tif"]
    assert "left out" in said.err
    if "tif" in named or named == ".":
        assert status == 0, said.err
    else:
        assert "1 of 3 files failed" in said.err  # the pattern matches the notes, too


def test_a_folder_without_images_says_so(folder, capsys):
    (folder / "empty").mkdir()
    assert main(["denoise", "empty"]) == 1
    said = capsys.readouterr().err
    assert "empty is without images; of a folder, stemzoo takes" in said
    assert "'empty/**/*.dm4'" in said
    assert main(["denoise", "*.dm4"]) == 1
    assert "*.dm4 cannot be opened: No such file" in capsys.readouterr().err
    assert main(["denoise", "*.dm4", "empty", "a.tif"]) == 1
    assert names() == ["a.denoised.tif"]


def test_an_empty_name_is_no_folder(folder, capsys):
    """It is what a shell makes of a variable that is not set."""
    with pytest.raises(SystemExit):
        main(["denoise", ""])
    assert "the name of a file is empty" in capsys.readouterr().err


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error")])
def test_what_the_machine_cannot_do_stops_no_other_either(folder, monkeypatch, capsys, error):
    real = stemzoo.io.read

    def failing(path, **options):
        if path.name == "a.tif":
            raise error
        return real(path, **options)

    monkeypatch.setattr("stemzoo.cli.work.read", failing)
    assert main(["denoise", "a.tif", "b.tif"]) == 1
    assert names() == ["b.denoised.tif"]
    assert "a.tif failed: " in capsys.readouterr().err
    assert main(["denoise", "a.tif"]) == 1
    assert capsys.readouterr().err.startswith("stemzoo: ")


def test_what_cannot_be_read_stops_no_other(folder, capsys):
    (folder / "0.tif").write_text("not a TIFF")
    os.mkfifo(folder / "1.tif")
    np.save("2.npy", np.full((20, 20), np.nan))
    files = ["0.tif", "1.tif", "2.npy", "3.tif", "a.tif", "b.tif"]
    assert main(["denoise", *files, "--picture", "first.png"]) == 1
    said = capsys.readouterr()
    assert names() == ["a.denoised.tif", "b.denoised.tif"]
    assert "a.tif -> first.png" in said.out
    *each, last = said.err.splitlines()
    for line, name in zip(each, files, strict=False):
        assert line.startswith(f"stemzoo: {name} failed: ")
    assert last == (
        "stemzoo: 4 of 6 files failed, as said above: 0.tif, 1.tif, 2.npy and 1 more; the others "
        "are done"
    )


def test_files_that_differ_in_their_suffix_have_results_of_their_own(folder):
    Image.fromarray(picture(5)).save("a.png")
    assert main(["denoise", "a.tif"]) == 0
    before = read("a.denoised.tif").data
    for _ in range(2):
        assert main(["denoise", "a.png"]) == 0
        np.testing.assert_array_equal(read("a.denoised.tif").data, before)
        np.testing.assert_array_equal(read("a.png.denoised.tif").data, stemzoo.denoise(picture(5)))
        assert main(["denoise", "a.tif"]) == 0
    assert names() == ["a.denoised.tif", "a.png.denoised.tif"]


def test_so_they_have_in_one_go_into_a_folder(folder):
    Image.fromarray(picture(5)).save("a.png")
    (folder / "out").mkdir()
    for _ in range(2):
        assert main(["restore", "a.png", "a.tif", "b.tif", "-o", "out"]) == 0
        assert names("out/*") == ["a.restored.tif", "a.tif.restored.tif", "b.restored.tif"]
        assert read("out/a.tif.restored.tif").metadata["provenance"]["input"]["file"] == "a.tif"


def test_an_average_is_denoised_and_a_result_alone_too(folder, capsys):
    np.save("s.npy", np.stack([np.roll(picture(3), k, 0) for k in range(3)]))
    assert main(["align", "s.npy", "-o", "average.tif", "--model", "none"]) == 0
    assert main(["denoise", "a.tif", "average.tif"]) == 0
    assert names() == ["a.denoised.tif", "average.denoised.tif"]
    assert main(["restore", "a.denoised.tif", "-o", "twice.tif"]) == 0
    assert "left out: " not in capsys.readouterr().out


@pytest.mark.parametrize("record", [{"task": []}, {"task": "denoise", "input": 3}, {}, "by hand"])
def test_a_strange_record_is_nothing_to_stumble_over(folder, record):
    write("a.denoised.tif", Micrograph(picture(4)), provenance=record)
    assert main(["restore", "a.tif", "a.denoised.tif"]) == 0
    assert main(["denoise", "a.tif", "--overwrite"]) == 0
