"""clients/python/stemzoo_client.py: under every Python at hand, and against the C header."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import client_library
import pytest
import stemzoo_client

import stemzoo

HERE = Path(__file__).parent
STRUCTS = {
    "stemzoo_image": stemzoo_client._Image,
    "stemzoo_provider": stemzoo_client._Provider,
    "stemzoo_model_options": stemzoo_client._ModelOptions,
    "stemzoo_run_options": stemzoo_client._RunOptions,
    "stemzoo_candidate": stemzoo_client._Candidate,
    "stemzoo_drift": stemzoo_client._Drift,
    "stemzoo_drift_options": stemzoo_client._DriftOptions,
    "stemzoo_row": stemzoo_client._Row,
    "stemzoo_rows_options": stemzoo_client._RowsOptions,
}


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    return client_library.stub(tmp_path_factory.mktemp("stub"), stemzoo_client.__version__)


def _environment(**variables):
    return {**os.environ, "PYTHONPATH": str(client_library.CLIENT), **variables}


VERSIONS = pytest.mark.parametrize("version", [f"3.{minor}" for minor in range(7, 15)])


@VERSIONS
def test_it_runs_under_every_python(version, stub):
    python, check = client_library.python(version), HERE / "client_selfcheck.py"
    command = [python, "-W", "error", "-B", check, stub]
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"checked {version}" in done.stdout


@VERSIONS
def test_it_runs_the_c_library_under_every_python(version):
    zoo = client_library.ROOT / "zoo"
    environment = _environment(
        STEMZOO_LIBRARY=str(client_library.built()),
        STEMZOO_ORT=str(client_library.runtime()),
        STEMZOO_SITE=str(zoo),
    )
    python, check = client_library.python(version), HERE / "client_realcheck.py"
    command = [python, "-W", "error", "-B", check, zoo]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"checked {version}" in done.stdout


COMPILERS = [client_library.COMPILER, "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-gcc-posix"]


@pytest.mark.parametrize("compiler", COMPILERS)
def test_its_structures_are_those_of_the_header(compiler, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler} here")
    lines = ['#include "stemzoo.h"']
    for name, kind in STRUCTS.items():
        lines.append(f'_Static_assert(sizeof({name}) == {ctypes.sizeof(kind)}, "size");')
        for field, _ in kind._fields_:
            place = f"offsetof({name}, {field}) == {getattr(kind, field).offset}"
            lines.append(f'_Static_assert({place}, "{name}.{field}");')
    source = tmp_path / "layout.c"
    source.write_text("\n".join(lines))
    command = [compiler, "-std=c11", "-fsyntax-only", f"-I{client_library.HEADER}", source]
    subprocess.run(command, check=True)


def test_it_knows_every_structure_and_function_of_the_header():
    header = (client_library.HEADER / "stemzoo.h").read_text()
    structures = set(re.findall(r"^\} (stemzoo_\w+);", header, re.MULTILINE))
    assert structures == STRUCTS.keys()
    functions = set(re.findall(r"STEMZOO_API .*?stemzoo_(\w+)\(", header))
    # The client runs models on images of any type, and hears how far the search for rows is.
    left_out = {"version", "last_error", "model_run_f32", "rows_find"}
    assert functions - left_out == stemzoo_client._CALLS.keys()
    dtypes = re.search(r"enum stemzoo_dtype \{(.*?)\}", header, re.DOTALL)[1]
    short = [name[0] + re.sub(r"\D", "", name) for name in stemzoo_client._NAMES]
    assert re.findall(r"STEMZOO_(\w+) = (\d)", dtypes) == [
        (name.upper(), str(number)) for number, name in enumerate(short)
    ]
    limit = re.search(r"STEMZOO_MAX_CANDIDATES (\d+)", header)[1]
    assert len(stemzoo_client._Drift().candidates) == int(limit)


def test_its_version_is_that_of_stemzoo():
    assert stemzoo_client.__version__ == stemzoo.__version__


def _said(code, **variables):
    command = [sys.executable, "-c", f"import stemzoo_client as s\n{code}"]
    done = subprocess.run(command, env=_environment(**variables), capture_output=True, text=True)
    return done.stdout + done.stderr


def test_the_library_is_looked_for(stub, tmp_path):
    opened = "print(s.open_library().path)"
    assert _said(opened, STEMZOO_LIBRARY=str(stub)).strip() == str(stub)
    beside = tmp_path / "stemzoo_client.py"
    shutil.copy(client_library.CLIENT / beside.name, beside)
    shutil.copy(stub, tmp_path)
    assert _said(opened, PYTHONPATH=str(tmp_path)).strip() == str(tmp_path / stub.name)
    (tmp_path / "text").write_text("no library")
    error = _said(opened, STEMZOO_LIBRARY=str(tmp_path / "text"))
    assert re.search("text cannot be used as the C library of stemzoo .*text: .*beside", error)


def test_a_library_of_another_version_is_refused(tmp_path):
    other = client_library.stub(tmp_path, "9.1.0")
    said = _said("s.open_library()", STEMZOO_LIBRARY=str(other))
    assert "is stemzoo 9.1.0, and this client is written for" in said


def test_a_model_is_found_by_its_name(tmp_path, monkeypatch):
    for name in ("denoise-live-1.9.0", "denoise-live-1.10.0", "denoise-live-fast-9.0.0"):
        (tmp_path / f"{name}.onnx").touch()
    folder = tmp_path / "drift-lattice"
    folder.mkdir()
    (folder / "drift-lattice-0.3.0.onnx").touch()
    monkeypatch.setenv("STEMZOO_SITE", str(tmp_path))
    assert stemzoo_client.find_model("denoise-live").endswith("denoise-live-1.10.0.onnx")
    assert stemzoo_client.find_model("denoise-live@1.9.0").endswith("denoise-live-1.9.0.onnx")
    assert stemzoo_client.find_model("drift-lattice") == str(folder / "drift-lattice-0.3.0.onnx")
    assert stemzoo_client.find_model(Path("a.onnx")) == "a.onnx"
    with pytest.raises(stemzoo_client.StemzooError, match=r"no model 'denoise-live@2.0.0' in .*"):
        stemzoo_client.find_model("denoise-live@2.0.0")
