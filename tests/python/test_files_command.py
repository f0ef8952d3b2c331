"""Many files, many signals, many runs: what the commands take, write, skip and go on with."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drifting_series import drifting, steps
from microscope_files import write_dm
from PIL import Image

import stemzoo
from stemzoo.cli import work
from stemzoo.cli.journal import Journal
from stemzoo.cli.main import build_parser, main
from stemzoo.cli.targets import Naming, output_place, targets
from stemzoo.io import Micrograph, read, write
from stemzoo.plotting.scale_bar import round_length, scale_bar

pytestmark = pytest.mark.slow

SERIES = drifting(steps(4))


def frame(seed=0, shape=(40, 48)):
    return np.random.default_rng(seed).poisson(60, shape).astype("u2")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("abc"):
        write(f"{name}.tif", Micrograph(frame(seed), (0.02, 0.03), "nm"))
    return tmp_path


def run(*words):
    return main([str(word) for word in words])


def there(pattern="**/*"):
    return sorted(path.as_posix() for path in Path().glob(pattern) if path.is_file())


# Where results go


def test_a_folder_that_is_not_there_is_made(folder):
    assert run("denoise", "a.tif", "-o", "new/deep/") == 0
    assert run("denoise", "a.tif", "b.tif", "-o", "other") == 0
    assert there("new/deep/*") == ["new/deep/a.denoised.tif"]
    assert there("other/*") == ["other/a.denoised.tif", "other/b.denoised.tif"]


def test_a_folder_of_a_microscope_holds_its_formats(folder):
    """Those that RosettaSciIO reads, too; folders in it by a pattern."""
    deep = folder / "session" / "day"
    deep.mkdir(parents=True)
    for number in range(2):
        write_dm(deep / f"{number}.dm4", [frame(number).astype("f4")], version=4)
    write(deep / "2.hspy", Micrograph(frame(2)))
    (deep / "notes.txt").write_text("no image")
    assert run("denoise", "session/day", "-o", "out/") == 0
    assert there("out/*") == [f"out/{number}.denoised.tif" for number in range(3)]
    assert run("denoise", "session/**/*.dm4", "-o", "other/") == 0
    assert there("other/*") == ["other/0.denoised.tif", "other/1.denoised.tif"]


def test_a_folder_is_not_left_behind_by_what_is_refused(folder):
    assert run("denoise", "a.tif", "-o", "new/", "--picture", "none/p.png") == 1
    assert run("denoise", "a.tif", "-o", "new/", "--dry-run") == 0
    assert not Path("new").exists()


@pytest.mark.parametrize(
    ("source", "naming", "name"),
    [
        ("a.dm4", Naming("denoise", "denoised"), "a.denoised.tif"),
        ("a.dm4", Naming("denoise", "denoised", "BF"), "a.BF.denoised.tif"),
        ("a.dm4", Naming("denoise", "denoised", "DF 4/2"), "a.DF-4-2.denoised.tif"),
        ("a.denoised.tif", Naming("denoise", "denoised"), "a.denoised-2.tif"),
        ("a.denoised-2.tif", Naming("denoise", "denoised"), "a.denoised-3.tif"),
        ("a.denoised.tif", Naming("restore", "restored"), "a.denoised.restored.tif"),
        ("a.emd", Naming("denoise", "denoised", None, "hspy"), "a.denoised.hspy"),
    ],
)
def test_names_say_what_was_done_once(tmp_path, source, naming, name):
    assert targets([tmp_path / source], None, naming) == [tmp_path / name]
    there = output_place(f"{tmp_path}/new/")
    assert targets([Path(source)], there, naming) == [tmp_path / "new" / name]


@pytest.mark.parametrize("suffix", ["ome.tif", "npy", "png", "hspy", "zspy", "emd"])
def test_any_format_holds_its_record_and_is_replayed(folder, suffix, capsys):
    if suffix in ("hspy", "zspy", "emd"):
        pytest.importorskip("rsciio.zspy", reason="needs pip install 'stemzoo[io]'")
    out = f"r.{suffix}"
    assert run("denoise", "a.tif", "-o", out) == 0
    assert run("denoise", "a.tif", "-o", out) == 0  # it is known as an older result
    back = read(out)
    assert back.pixel_size == pytest.approx((0.02, 0.03))
    assert back.metadata["provenance"]["task"] == "denoise"
    assert run("replay", out) == 0
    assert ("identical" in capsys.readouterr().out) == (suffix != "png")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_integers_are_smaller_and_replayed_to_half_a_step(folder, dtype, capsys):
    assert run("denoise", "a.tif", "-o", "r.npy", "--dtype", dtype) == 0
    assert np.load("r.npy").dtype == dtype
    assert run("replay", "r.npy") == 0
    assert "but for rounding" in capsys.readouterr().out


# Signals


@pytest.fixture
def several(folder):
    pytest.importorskip("rsciio.digitalmicrograph", reason="needs pip install 'stemzoo[io]'")
    for name, seed in (("x.dm4", 1), ("y.dm4", 2)):
        images = [frame(seed), frame(seed + 5).astype("f4")]
        write_dm(Path(name), images, version=4, titles=("BF", "HAADF"))
    write_dm(Path("s.dm4"), [SERIES, SERIES[:, ::-1]], version=4, titles=("BF", "HAADF"))


def test_the_haadf_is_taken_and_said_by_every_command(several, capsys):
    assert run("denoise", "x.dm4") == 0
    assert "x.dm4 (signal 1 of 2, HAADF) -> x.denoised.tif" in capsys.readouterr().out
    assert run("denoise", "x.dm4", "--signal", "BF") == 0
    assert run("denoise", "x.dm4", "--signal", "0", "-o", "zero.tif") == 0
    np.testing.assert_array_equal(read("x.BF.denoised.tif").data, read("zero.tif").data)
    np.testing.assert_array_equal(read("x.denoised.tif").data, stemzoo.denoise(frame(6)))
    for result in ("x.denoised.tif", "x.BF.denoised.tif"):
        assert run("replay", result) == 0
    capsys.readouterr()
    assert run("drift", "x.dm4", "y.dm4", "--model", "none", "--signal", "BF", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["signals"] == ["BF", "BF"]
    expected = stemzoo.drift(frame(1), frame(2), None)
    assert found["score"] == pytest.approx(expected.score)
    assert run("align", "s.dm4", "--model", "none", "--signal", "BF") == 0
    assert read("s.BF.aligned.tif").metadata["provenance"]["input"]["dataset"] == 0
    assert run("denoise", "x.dm4", "--signal", "DF") == 1
    assert "has no signal called 'DF'" in capsys.readouterr().err


# Many files


def test_files_side_by_side_give_what_they_give_alone(folder):
    assert run("denoise", "a.tif", "b.tif", "c.tif", "-o", "one/", "--threads", 1) == 0
    words = ["-o", "two/", "--jobs", 2, "--threads", 2, "--picture", "p.png"]
    assert run("denoise", *["a.tif", "b.tif", "c.tif"], *words) == 0
    for name in "abc":
        one, two = (read(f"{place}/{name}.denoised.tif").data for place in ("one", "two"))
        np.testing.assert_array_equal(one, two)
    assert Path("p.png").exists()


def test_a_file_that_fails_beside_others_stops_none(folder, capsys):
    Path("bad.tif").write_text("no TIFF")
    words = ["denoise", "a.tif", "bad.tif", "b.tif", "--jobs", 2, "--json"]
    assert run(*words) == 1
    said = capsys.readouterr()
    records = [json.loads(line) for line in said.out.splitlines()]
    assert {record["input"] for record in records if "output" in record} == {"a.tif", "b.tif"}
    assert "not a TIFF file" in next(r["error"] for r in records if r.get("input") == "bad.tif")
    assert records[-1]["error"].startswith("1 of 3 files failed")
    assert "1 of 3 files failed" in said.err


def test_an_interrupted_run_goes_on_from_its_journal(folder, monkeypatch, capsys):
    real, done = work.finished, []

    def interrupted(order, model, job, progress=None):
        if job.source.name == "b.tif" and not done:
            done.append(job)
            raise KeyboardInterrupt
        done.append(job)
        return real(order, model, job, progress)

    monkeypatch.setattr(work, "finished", interrupted)
    words = ["denoise", "a.tif", "b.tif", "c.tif", "-o", "out/", "--journal", "run.journal"]
    monkeypatch.setattr(work, "finished", real)
    assert run(*words[:2], *words[4:]) == 0  # a alone, as if it had ended there
    monkeypatch.setattr(work, "finished", interrupted)
    assert run(*words) == 130
    assert there("out/*") == ["out/a.denoised.tif"]
    done.clear()
    done.append(None)
    assert run(*words) == 0
    assert "1 of 3 files are done" in capsys.readouterr().err
    assert [job.source.name for job in done[1:]] == ["b.tif", "c.tif"]
    done[1:] = []
    assert run(*words) == 0
    assert done == [None]


def test_a_journal_believes_only_what_is_as_it_was(folder):
    source, target = Path("a.tif"), Path("b.tif")
    Journal(Path("j"), {"bin": 1}).add(source, target)
    assert Journal(Path("j"), {"bin": 1}).has(source, target)
    assert not Journal(Path("j"), {"bin": 2}).has(source, target)
    assert not Journal(Path("j"), {"bin": 1}).has(source, Path("c.tif"))
    whole = Path("j").read_bytes()
    Path("j").write_bytes(whole[:-9])  # the power failed
    cut = Journal(Path("j"), {"bin": 1})
    assert not cut.has(source, target)
    cut.add(source, target)
    assert Journal(Path("j"), {"bin": 1}).has(source, target)
    target.write_bytes(b"changed since")
    assert not Journal(Path("j"), {"bin": 1}).has(source, target)


def test_what_is_no_journal_is_left_alone(folder, capsys):
    Path("notes.txt").write_text("mine")
    assert run("denoise", "a.tif", "--journal", "notes.txt") == 1
    assert "is no journal of stemzoo" in capsys.readouterr().err
    assert Path("notes.txt").read_text() == "mine"


def test_results_that_are_there_are_skipped(folder, capsys):
    Path("a.denoised.tif").write_text("whatever it is")
    assert run("denoise", "a.tif", "b.tif", "--skip-existing") == 0
    assert "skipped, since their results are there: a.tif" in capsys.readouterr().err
    assert Path("a.denoised.tif").read_text() == "whatever it is"
    assert read("b.denoised.tif").data.shape == (40, 48)


def test_a_dry_run_says_all_and_does_nothing(folder, monkeypatch, capsys):
    monkeypatch.setattr("stemzoo.load", lambda *_, **__: pytest.fail("a model was opened"))
    before = there()
    assert run("denoise", "*.tif", "-o", "out/", "--journal", "j", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" -> ")[1] for line in lines] == [
        f"{Path('out') / name}.denoised.tif" for name in "abc"
    ]
    assert there() == before
    Path("a.denoised.tif").write_text("not of stemzoo")
    assert run("denoise", "a.tif", "--dry-run") == 1


# Binning


def test_binned_counts_are_sums_and_the_pixel_grows(folder, capsys):
    assert run("denoise", "a.tif", "--bin", 2, "-o", "r.tif") == 0
    back = read("r.tif")
    sums = frame(0).reshape(20, 2, 24, 2).sum((1, 3))
    np.testing.assert_array_equal(back.data, stemzoo.denoise(sums.astype("f4")))
    assert back.pixel_size == pytest.approx((0.04, 0.06))
    assert back.metadata["provenance"]["input"]["bin"] == 2
    assert run("replay", "r.tif") == 0
    assert "identical" in capsys.readouterr().out
    assert run("denoise", "a.tif", "--bin", 41) == 1
    assert "bin is 41, more than" in capsys.readouterr().err


# Series


def test_single_images_are_the_frames_of_a_series(folder, capsys):
    for number, image in enumerate(SERIES):
        write(f"f{number}.tif", Micrograph(image, (0.02, 0.02), "nm"))
    words = ["--model", "none", "--frames", "all.tif", "--coverage", "c.npy", "--json"]
    assert run("align", "f*.tif", *words) == 0
    said = json.loads(capsys.readouterr().out)
    found = stemzoo.align(SERIES, None)
    np.testing.assert_allclose(said["shifts"], found.shifts)
    assert said["output"] == "f0.aligned.tif"
    np.testing.assert_array_equal(read("f0.aligned.tif").data, found.average)
    np.testing.assert_array_equal(read("all.tif").data, np.asarray(found.images))
    np.testing.assert_array_equal(read("c.npy").data, found.coverage)
    assert read("all.tif").pixel_size == pytest.approx((0.02, 0.02))
    assert run("replay", "f0.aligned.tif") == 0
    write("f3.tif", Micrograph(SERIES[0]))
    assert run("replay", "f0.aligned.tif") == 1
    assert "f3.tif is not there as it was" in capsys.readouterr().err


def test_frames_of_several_sizes_are_refused(folder, capsys):
    write("d.tif", Micrograph(frame(3, (40, 40))))
    assert run("align", "a.tif", "d.tif", "--model", "none") == 1
    assert "d.tif has shape (40, 40) and a.tif has (40, 48)" in capsys.readouterr().err
    write("d.tif", Micrograph(frame(3), (0.02, 0.04), "nm"))
    assert run("align", "a.tif", "d.tif", "--model", "none") == 1
    assert "expected frames of one pixel size" in capsys.readouterr().err


# Pictures


def test_a_scale_bar_is_as_long_as_it_says():
    picture = np.full((200, 400), 128, np.uint8)
    drawn = scale_bar(picture, (0.02, 0.02), "nm")
    (rows,) = np.nonzero((drawn == 255).sum(1) > 90)
    assert (drawn[rows] == 255).sum(1).tolist() == [100] * len(rows)  # 2 nm
    np.testing.assert_array_equal(scale_bar(picture, None, None), picture)
    assert [round_length(most) for most in (0.99, 1.0, 2.4, 7, 0.05)] == [0.5, 1, 2, 5, 0.05]


def test_the_picture_shows_what_was_taken_away(folder):
    write("big.tif", Micrograph(frame(1, (384, 400)), (0.02, 0.02), "nm"))
    assert run("denoise", "big.tif", "--picture", "p.png") == 0
    with Image.open("p.png") as sheet:
        assert sheet.size[0] > 3 * 400
        assert np.asarray(sheet)[8:392, 824:1216].std() > 40  # noise, spread over all grey levels


# The command line itself


def every_command():
    def walk(parser, name):
        yield name, parser
        for action in parser._actions:
            if isinstance(action.choices, dict):
                for word, each in action.choices.items():
                    yield from walk(each, f"{name} {word}")

    return dict(walk(build_parser(), "stemzoo"))


@pytest.mark.parametrize("name", every_command())
def test_help_fits_a_screen_and_shows_an_example(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = every_command()[name].format_help()
    lines = text.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    if name.count(" ") == 1:
        assert f"  {name}" in text.split("examples:")[1]
        assert "exit codes: 0 done, 1 refused or failed" in text


@pytest.mark.parametrize("name", every_command())
def test_every_command_that_answers_does_so_in_json(name):
    options = {text for action in every_command()[name]._actions for text in action.option_strings}
    # What prints a script, and what only leads to other commands.
    silent = {"stemzoo", "stemzoo models", "stemzoo completion"}
    assert ("--json" in options) != (name in silent)


def test_what_fails_is_json_too(capsys):
    assert run("denoise", "none.tif", "--json") == 1
    assert "none.tif" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "tcsh"])
def test_completion_knows_every_command(shell, capsys):
    assert run("completion", shell) == 0
    script = capsys.readouterr().out
    for word in ("denoise", "align", "doctor", "skip-existing", "journal"):
        assert word in script


def test_bash_takes_the_script(tmp_path, capsys):
    run("completion", "bash")
    script = capsys.readouterr().out + "\nCOMP_WORDS=(stemzoo ali); COMP_CWORD=1\n"
    script += '_shtab_stemzoo; echo "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["align"], done.stderr


def test_the_doctor_says_what_works(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path))
    assert run("doctor") == 0
    said = capsys.readouterr().out
    for text in ("onnxruntime", "CPUExecutionProvider: works", "cache ", "denoised in", "cores"):
        assert text in said
    assert run("doctor", "--json") == 0
    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"software", "ONNX Runtime", "models", "speed"} <= {each["topic"] for each in findings}


def test_the_doctor_says_what_does_not(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("STEMZOO_URL", str(tmp_path / "no zoo"))
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path / "no site"))
    assert run("doctor") == 1
    said = capsys.readouterr()
    assert "FAIL STEMZOO_SITE" in said.out
    assert "FAIL STEMZOO_URL" in said.out
    assert said.out.count("to do: ") >= 2
    assert "2 of these do not work" in said.err


def test_the_doctor_goes_on_without_onnx_runtime():
    """In a process of its own, where it cannot be imported."""
    code = "import sys; sys.modules['onnxruntime'] = None\n"
    code += "from stemzoo.cli.main import main; sys.exit(main(['doctor']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "models on this machine" in done.stdout
    assert "Traceback" not in done.stderr
