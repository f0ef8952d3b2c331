"""The client under test, and libraries for it to call."""

import os
import subprocess
from pathlib import Path

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
