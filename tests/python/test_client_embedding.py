"""What docs/embedding.md shows compiles, runs and says what it should."""

import re
import shutil
import subprocess

import client_library
import digitalmicrograph
import numpy as np
import pytest
import stemzoo_client
from moving_specimens import particle

import stemzoo
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import State

PAGE = client_library.ROOT / "docs" / "embedding.md"
ZOO = client_library.ROOT / "zoo"
MODEL = ZOO / "denoise-live" / "denoise-live-1.0.0.onnx"
SHIFTS = [(0.0, 0.0), (2.0, -1.0), (4.0, -3.0)]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with the frames.raw of the page, and the frames."""
    folder = tmp_path_factory.mktemp("embedding")
    specimen, random = particle((512, 512)), np.random.default_rng(2)
    images = [specimen.image((512, 512), shift) for shift in SHIFTS]
    frames = np.stack([random.poisson(60 * image) for image in images]).astype("<u2")
    frames.tofile(folder / "frames.raw")
    return folder, frames


def drifts(text):
    """The (dy, dx) of every line."""
    return [[float(word) for word in line.split()[:2]] for line in text.splitlines()]


def test_the_c_program_denoises_and_follows_the_drift(recorded, monkeypatch):
    (program,) = blocks("c")
    assert program.count("\n") < 40
    folder, _ = recorded
    source = folder / "first.c"
    source.write_text(program)
    library = client_library.built()
    where = [str(library), f"-Wl,-rpath,{library.parent}", "-lm"]
    client_library.compiled(source, folder / "first", *where)
    monkeypatch.setenv("STEMZOO_ORT", str(client_library.runtime()))
    command = [folder / "first", MODEL, folder / "frames.raw"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(drifts(done.stdout), SHIFTS, atol=0.05)
    assert "?" not in done.stdout
    failed = subprocess.run([*command[:1], PAGE, command[2]], capture_output=True, text=True)
    assert failed.returncode == 1
    assert "embedding.md" in failed.stderr


def test_the_commands_build_and_run_it(recorded, tmp_path, monkeypatch):
    """As the page says it, but for the place of the installation."""
    cmake = shutil.which("cmake") or pytest.skip("CMake is not installed")
    if not shutil.which("pkg-config"):
        pytest.skip("pkg-config is not installed")
    folder, _ = recorded
    (tmp_path / "first.c").write_text(blocks("c")[0])
    shutil.copy(MODEL, tmp_path)
    shutil.copy(folder / "frames.raw", tmp_path)
    prefix, build = tmp_path / "installed", client_library.built().parent
    install = [cmake, "--install", build, "--component", "capi", "--prefix", prefix]
    subprocess.run(install, check=True, capture_output=True)
    monkeypatch.setenv("STEMZOO_ORT", str(client_library.runtime()))
    (commands,) = blocks("sh")
    script = "set -e\n" + commands.replace("/opt/stemzoo", str(prefix))
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(drifts(done.stdout), SHIFTS, atol=0.05)


def test_the_python_programs_do_the_same(recorded, monkeypatch, capsys):
    program, served, shown = blocks("python")
    folder, frames = recorded
    library = stemzoo_client.Library(str(client_library.built()))
    monkeypatch.setattr(stemzoo_client, "_opened", library)
    monkeypatch.setenv("STEMZOO_ORT", str(client_library.runtime()))
    monkeypatch.setenv("STEMZOO_SITE", str(ZOO))
    monkeypatch.chdir(folder)
    names = {}
    exec(compile(program, PAGE, "exec"), names)
    np.testing.assert_allclose(drifts(capsys.readouterr().out), SHIFTS[1:], atol=0.05)
    direct = stemzoo.denoise(frames[-1], model="denoise-live")
    np.testing.assert_array_equal(np.asarray(names["clean"]), direct)

    view, result = (digitalmicrograph.CreateImage(frame) for frame in (frames[-1], direct * 0))
    exec(compile(shown, PAGE, "exec"), {**names, "view": view, "result": result})
    np.testing.assert_array_equal(result.GetNumArray(), direct)
    assert result.updates == 1

    with Server("127.0.0.1", 0, State()).running() as server:
        exec(compile(served.replace("7836", str(server.address[1])), PAGE, "exec"), names)
    np.testing.assert_array_equal(np.asarray(names["clean"]), direct)


def test_every_block_of_code_is_tested():
    fences = re.findall(r"^```(\w*)$", PAGE.read_text(), re.MULTILINE)
    assert fences[::2] == ["c", "sh", "python", "python", "python"]


def test_the_links_of_the_page_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE.read_text()):
        assert (PAGE.parent / link).exists(), link
    for path in re.findall(r"`(clients/[\w/.]+)`", PAGE.read_text()):
        assert (client_library.ROOT / path).exists(), path
