"""The live example with a network, under valgrind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIVE = ROOT / "build" / "editable" / "live"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is missing"),
    pytest.mark.skipif(not LIVE.exists(), reason="the C examples are not built"),
]


def test_a_live_view_reads_and_frees_what_is_its_own():
    model = ROOT / "zoo" / "denoise-live" / "denoise-live-0.1.0.onnx"
    command = [
        *["valgrind", "--error-exitcode=9", "--leak-check=full"],
        *["--errors-for-leak-kinds=definite", "--suppressions=tests/capi/valgrind.txt"],
        *[LIVE, model, "3", "64"],
    ]
    environment = {**os.environ, "VIRTUAL_ENV": sys.prefix}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "3 frames of 64 x 64 px" in done.stdout
