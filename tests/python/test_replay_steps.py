"""Averages are replayed as images are, and results of results from the first file of all."""

import dataclasses
import json

import numpy as np
import pytest
from drifting_series import drifting, steps
from small_models import same

import stemzoo
from stemzoo.cli.main import main
from stemzoo.common.errors import FileError, ModelError
from stemzoo.inference.record import sha256
from stemzoo.inference.record import steps as steps_of
from stemzoo.io import Micrograph, read, write
from stemzoo.trust import replay as module
from stemzoo.trust.replay import replay

pytestmark = pytest.mark.slow

SERIES = drifting(steps(4))
MODEL = f"denoise-atomic {stemzoo.load('denoise-atomic').contract.version}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A series and its average, and that denoised."""
    monkeypatch.chdir(tmp_path)
    write("series.tif", Micrograph(SERIES, (0.02, 0.03), "nm"))
    return tmp_path


def done(*lines):
    for line in lines:
        assert main(line.split()) == 0, line


ALIGN = "align series.tif -o average.tif --model none"
DENOISE = "denoise average.tif -o clean.tif"


def said(path):
    return read(path).metadata["provenance"]


def changed(path, change=lambda record: None, pixels=lambda data: data):
    found = read(path)
    record = found.metadata["provenance"]
    change(record)
    write(path, dataclasses.replace(found, data=pixels(found.data)), provenance=record)


@pytest.mark.parametrize(
    "options", ["", "--max-shift 12 --band 2 --scan-drift", "--resume pairs.npz --threads 1"]
)
@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_an_average_is_identical_again(folder, options, suffix, capsys):
    done(f"align series.tif -o average{suffix} --model none {options}")
    capsys.readouterr()
    done(f"replay average{suffix}")
    words = f"average{suffix} is identical to what stemzoo align makes of its input\n"
    assert capsys.readouterr().out == words


def test_an_average_by_a_network_is_too(folder, capsys):
    done("align series.tif -o average.tif", "replay average.tif")
    assert "identical to what drift-lattice 0.3.0 makes of its input" in capsys.readouterr().out


def test_pixels_that_no_frame_shows_are_alike(folder):
    holed = SERIES.copy()
    holed[:, 40:60, 30:50] = np.nan
    write("series.tif", Micrograph(holed))
    done(ALIGN)
    assert np.isnan(read("average.tif").data).any()
    assert replay(folder / "average.tif").identical
    changed("average.tif", pixels=lambda data: np.where(data == np.nanmax(data), np.nan, data))
    assert not replay(folder / "average.tif").agrees


def test_a_changed_average_is_told(folder, capsys):
    done(ALIGN)
    changed("average.tif", pixels=lambda data: data + np.eye(*data.shape, dtype="f4"))
    assert main(["replay", "average.tif"]) == 1
    assert "average.tif is not what stemzoo align makes of its input" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda r: r.pop("settings"), "it lacks 'settings'"),
        (lambda r: r["settings"].update(band="all"), "'all' is out of place"),
        (lambda r: r["settings"].update(scan_drift=1), "1 is out of place"),
        (lambda r: r.update(model="none"), "indices must be"),
    ],
)
def test_a_record_of_an_average_that_cannot_be_followed_is_refused(folder, change, match):
    done(ALIGN)
    changed("average.tif", change)
    with pytest.raises(FileError, match=f"that this stemzoo does not follow: .*{match}"):
        replay(folder / "average.tif")


def test_a_record_holds_those_of_the_steps_before(folder):
    done(ALIGN)
    first = said("average.tif")
    done("denoise average.tif -o clean.npy", "restore clean.npy -o straight.tif")
    chain = steps_of(said("straight.tif"))
    assert [step["task"] for step in chain] == ["align", "denoise", "restore"]
    assert chain[0] == first
    assert len(chain[0]["shifts"]) == len(SERIES)
    assert [step["input"]["file"] for step in chain] == ["series.tif", "average.tif", "clean.npy"]
    assert chain[1]["input"]["sha256"] == sha256(folder / "average.tif")
    assert json.dumps(said("straight.tif"))


def test_a_series_denoised_and_then_aligned_holds_both(folder):
    done("denoise series.tif -o frames.tif", "align frames.tif -o average.tif --model none")
    assert [step["task"] for step in steps_of(said("average.tif"))] == ["denoise", "align"]
    assert replay(folder / "average.tif").identical


def test_a_result_is_followed_from_the_first_file(folder, capsys):
    done(ALIGN, DENOISE)
    (folder / "average.tif").unlink()
    capsys.readouterr()
    done("replay clean.tif")
    assert capsys.readouterr().out == (
        f"clean.tif is identical to what stemzoo align and {MODEL} make of series.tif\n"
    )


def test_or_from_the_first_that_is_there_or_given(folder):
    done(ALIGN, DENOISE)
    (folder / "elsewhere").mkdir()
    (folder / "series.tif").rename(folder / "elsewhere" / "series.tif")
    last = f"identical to what {MODEL} makes of average.tif"
    assert last in replay(folder / "clean.tif").text
    whole = replay(folder / "clean.tif", folder / "elsewhere" / "series.tif")
    assert f"and {MODEL} make of series.tif" in whole.text
    (folder / "average.tif").rename(folder / "elsewhere" / "a.tif")
    assert replay(folder / "clean.tif", folder / "elsewhere" / "a.tif").identical
    with pytest.raises(FileError, match=r"series\.tif is not there, from which .*--input"):
        replay(folder / "clean.tif")
    with pytest.raises(FileError, match=r"clean\.tif is not the file that .* was made from"):
        replay(folder / "clean.tif", folder / "clean.tif")


def test_an_average_changed_by_hand_is_not_what_align_makes(folder):
    """And what comes after it can still be replayed, from it."""
    done(ALIGN)
    changed("average.tif", pixels=lambda data: data[::-1].copy())
    done(DENOISE)
    assert not replay(folder / "clean.tif").agrees
    assert replay(folder / "clean.tif", folder / "average.tif").identical


def test_what_cannot_be_followed_does_not_stand_in_the_way_of_what_comes_after(folder):
    done(ALIGN)
    changed("average.tif", lambda record: record.pop("settings"))
    done(DENOISE)
    with pytest.raises(FileError, match="it lacks 'settings'"):
        replay(folder / "clean.tif")
    assert replay(folder / "clean.tif", folder / "average.tif").identical


def test_a_model_is_given_to_the_step_that_it_has_made(folder):
    for name in ("same", "other"):
        (folder / f"{name}.onnx").write_bytes(same("denoise", size=8 if name == "other" else 0))
    done(ALIGN, f"{DENOISE} --model same.onnx --trust", "restore clean.tif -o straight.tif")
    with pytest.raises(ModelError, match=r"denoise-test@0\.0\.1 is not at hand"):
        replay(folder / "straight.tif")
    done("replay straight.tif --model same.onnx --trust")
    with pytest.raises(ModelError, match=r"other\.onnx is not the restore-scan@1\.\d\.\d that was"):
        replay(folder / "straight.tif", model="other.onnx", trust=True)


def test_records_of_before_are_followed(folder):
    """They hold one step, and no provider of an average."""
    done("align series.tif -o average.tif")
    changed("average.tif", lambda record: record.pop("provider"))
    assert replay(folder / "average.tif").identical
    done(DENOISE)
    changed("clean.tif", lambda record: record["input"].pop("provenance"))
    assert replay(folder / "clean.tif").identical
    assert len(steps_of(said("clean.tif"))) == 1


def test_a_strange_record_of_an_input_stays_in_that_of_its_result(folder):
    for strange in ("by hand", {"software": "another"}, []):
        write("image.tif", Micrograph(SERIES[0]), provenance=strange)
        done("denoise image.tif -o clean.tif")
        assert said("clean.tif")["input"]["provenance"] == strange
        assert replay(folder / "clean.tif").identical


def test_a_stack_of_one_frame_is_identical_again(folder):
    np.save("one.npy", SERIES[:1])
    done("denoise one.npy -o clean.tif", "restore clean.tif -o straight.tif")
    assert replay(folder / "clean.tif").identical
    assert replay(folder / "straight.tif").identical


def test_what_computed_then_is_said_of_every_step(folder, monkeypatch):
    done(ALIGN, DENOISE)
    now = module.software()
    monkeypatch.setattr(module, "software", lambda: now | {"numpy": "9.9"})
    text = replay(folder / "clean.tif").text
    assert text.count("numpy was") == 1
    assert "and is 9.9" in text
