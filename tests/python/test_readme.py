"""What the README shows works, and what it says is what is committed."""

import contextlib
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from stemzoo.cli.main import main
from stemzoo.io import Micrograph, write

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "README.md"


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_python_examples_run_one_after_another(capsys):
    names = {}
    for block in _blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert "denoise-live" in capsys.readouterr().out
    drift = names["drift"]  # of the last frame, since the first
    assert (drift.dy, drift.dx) == pytest.approx((4, -4), abs=0.05)
    np.testing.assert_allclose(names["aligned"].shifts[-1], (4, -4), atol=0.05)


COMMANDS = [line for block in _blocks("sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def yesterday(tmp_path_factory):
    """A folder of recordings in which every command was run before."""
    folder = tmp_path_factory.mktemp("yesterday")
    for seed, name in enumerate(("noisy.tif", "later.tif")):
        noisy = np.random.default_rng(seed).poisson(20, (64, 64)).astype("f4")
        write(folder / name, Micrograph(noisy, (0.1, 0.1), "nm", {}, None))
    write(folder / "turned.tif", Micrograph(np.rot90(noisy), (0.1, 0.1), "nm", {}, None))
    frames = np.stack([np.roll(noisy, k, 0) for k in range(4)])
    write(folder / "series.tif", Micrograph(frames, (0.1, 0.1), "nm", {}, None))
    with contextlib.chdir(folder):
        for line in COMMANDS:
            assert run(line) == 0, line
    return folder


def run(line):
    program, *arguments = shlex.split(line)
    assert program == "stemzoo"
    return main(arguments)


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_line_examples_run_on_the_second_day_too(line, yesterday):
    with contextlib.chdir(yesterday):
        before = set(yesterday.iterdir())
        assert run(line) == 0
    assert set(yesterday.iterdir()) == before


def test_the_generated_parts_are_current():
    readme = pytest.importorskip("benchmarks.readme")
    assert readme.rendered(README.read_text()) == README.read_text()
