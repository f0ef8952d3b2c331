"""The script for a GPU that is there for minutes: every part within its time, figures at once."""

import json
import os
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "tests" / "gpu" / "run"

# Stands for the program: says what it was called with, and takes too long for the drifts.
PROGRAM = """#!/bin/sh
case "$2" in
    card) echo '{"name": "card", "card": "a card of paper"}'
          echo '{"name": "copy", "seconds": 0.001, "bytes": 2e9}' ;;
    ncc) echo '{"name": "ncc gpu 512", "seconds": 0.002, "bytes": 2e9}'
         echo '{"name": "ncc cpu, two threads 512", "sec'; exit 3 ;;
    drift) sleep 60 ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    def run(task, program=PROGRAM, **variables):
        stem = tmp_path / "stemzoo_gpu"
        stem.write_text(program)
        stem.chmod(0o755)
        environment = {**os.environ, "PYTHON": "true", "STEMZOO_CUFFT": "none", **variables}
        done = subprocess.run(
            [RUN, task, tmp_path, tmp_path / "results"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
            check=False,
        )
        lines = (tmp_path / "results" / "figures.jsonl").read_text().splitlines()
        parts = [json.loads(line) for line in lines if line.startswith('{"name": "part')]
        return done, {part["name"].removeprefix("part "): part["said"] for part in parts}

    return run


def test_without_a_gpu_it_says_so_and_is_content(run):
    for task in ("check", "bench", "all"):
        done, _ = run(task, "#!/bin/sh\nexit 77\n")
        assert done.returncode == 0
        assert "GPU" in done.stdout


def test_a_check_that_fails_fails(run):
    done, parts = run("check", '#!/bin/sh\n[ "$2" = gpu_small ]\n')
    assert done.returncode == 1
    assert parts["small cases"] == "done"
    assert parts["tests"] == "failed with status 1"


def test_what_was_measured_before_the_time_was_up_is_in_the_table(run, tmp_path):
    import sys

    done, parts = run("bench", PYTHON=sys.executable, STEMZOO_GPU_SECONDS="3")
    assert done.returncode == 1
    assert parts["card"] == "done"
    assert parts["ncc"] == "failed with status 3"
    assert parts["drift"].startswith("not finished in")
    assert "tiling was left out: no time is left" in done.stdout
    table = (tmp_path / "results" / "gpu.md").read_text()
    assert "Card: a card of paper." in table
    assert "2.00 ms; 2000 MB, 2.0 x their time |" in table
