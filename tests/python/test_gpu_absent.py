"""Without a GPU, a driver or the module, everything else works, and what does not says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stemzoo import _core


def run(code, **variables):
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    return done.stdout + done.stderr


ASK = "import stemzoo, numpy as np; a = np.eye(9); stemzoo.ncc(a, a, 2, device='cuda')"


def test_without_the_module_the_reason_says_how_to_get_it(tmp_path):
    told = run(ASK, STEMZOO_CUDA_MODULE=str(tmp_path / "none.so"))
    assert "ValueError: device cuda:0 cannot be used" in told
    assert "make cuda" in told


def test_a_file_that_is_no_module_is_told_of(tmp_path):
    file = tmp_path / "libstemzoo_cuda.so"
    file.write_bytes(b"no library")
    assert "cannot be opened" in run(ASK, STEMZOO_CUDA_MODULE=str(file))


def test_a_library_that_is_something_else_is_told_of():
    assert "is not of this stemzoo" in run(ASK, STEMZOO_CUDA_MODULE=_core.__file__)


def test_the_cpu_needs_none_of_it(tmp_path):
    code = (
        "import stemzoo, numpy as np; a = np.eye(9);"
        "print(stemzoo.ncc(a, a, 2)[2, 2], stemzoo.Tiling((9, 9), 4, 2).split(a).shape)"
    )
    assert run(code, STEMZOO_CUDA_MODULE=str(tmp_path / "none.so")).startswith("1.0 (16, 4, 4)")


def test_the_module_that_was_built_opens_without_a_driver():
    module = Path(_core.__file__).parent / "cuda" / "libstemzoo_cuda.so"
    if not module.exists():
        pytest.skip("the CUDA module was not built: there was no nvcc (STEMZOO_CUDA=AUTO)")
    told = run(
        "from stemzoo import _core; print(_core.cuda_devices())", STEMZOO_CUDA_MODULE=str(module)
    )
    assert "emulated" not in told
    assert "cannot be opened" not in told
    assert "is not of this stemzoo" not in told
    assert told.startswith("([")
