"""The client under test, and libraries for it to call."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "python"
HEADER = ROOT / "csrc" / "capi"
COMPILER = os.environ.get("CC", "cc")


def compiled(source, result, *options):
    """A C file, against stemzoo.h, as a program or a library."""
    command = [COMPILER, "-std=c11", "-Wall", "-Werror", f"-I{HEADER}", source, "-o", result]
    subprocess.run([*command, *options], check=True)
    return result


def stub(folder, version):
    """The stand-in of client_stub.c."""
    source = Path(__file__).with_name("client_stub.c")
    options = ["-shared", "-fPIC", f'-DSTUB_VERSION="{version}"', "-Wno-format-truncation"]
    return compiled(source, folder / "libstemzoo.so", *options)


def built():
    """The C library as it is shipped, the newest that was built here, or a skip."""
    places = ("editable", "capi", "release")  # others have sanitizers in them
    found = [path for place in places for path in ROOT.glob(f"build/{place}/libstemzoo.so")]
    if not found:
        pytest.skip("no C library here; `make .venv/dev` builds it")
    return max(found, key=lambda path: path.stat().st_mtime)


def runtime():
    """The library in the ONNX Runtime package of this Python."""
    package = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    return next(Path(package.__file__).parent.glob("capi/libonnxruntime.so*"))


def python(version):
    """The Python of that version: on the PATH, where it runs, or among those of pyenv."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    here = sys.executable if "{}.{}".format(*sys.version_info) == version else None
    found = [here, shutil.which(f"python{version}"), *versions.glob(f"{version}.*/bin/python")]
    for path in filter(None, found):
        if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            return path
    pytest.skip(f"no Python {version} here")
