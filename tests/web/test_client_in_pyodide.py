"""The client under CPython 3.14, which Pyodide brings for Node: a Python without threads."""

import shutil
import subprocess
from pathlib import Path

import pytest
import stemzoo_client

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON_TESTS = ROOT / "tests" / "python"


def test_it_runs_under_python_3_14(tmp_path):
    if not (ROOT / "web" / "node_modules" / "pyodide").exists() or not shutil.which("emcc"):
        pytest.skip("Pyodide or Emscripten is missing; `make test-web` says what to install")
    stub, check = tmp_path / "stub.so", PYTHON_TESTS / "client_selfcheck.py"
    version = f'-DSTUB_VERSION="{stemzoo_client.__version__}"'
    source = PYTHON_TESTS / "client_stub.c"
    emcc = ["emcc", "-O1", "-sSIDE_MODULE=1", f"-I{ROOT / 'csrc' / 'capi'}", version]
    subprocess.run([*emcc, source, "-o", stub], check=True)
    script = HERE / "client_in_pyodide.mjs"
    command = ["node", script, stemzoo_client.__file__, check, stub]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "checked 3.14." in done.stdout
