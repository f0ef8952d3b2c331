"""The tests of the C library with many versions of ONNX Runtime, each really run.

    python tests/capi/runtimes.py build/release 1.19.0 1.22.1 1.31.1

Versions are taken from the package index by name. Below 1.19, the library has to refuse with a
sentence. It needs a network, so `make test` leaves it out.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients" / "python"))
import stemzoo_client  # noqa: E402

ZOO = ROOT / "zoo"
OLDEST = (1, 19)


def fetched(version: str, folder: Path) -> Path:
    """The shared library of that version, unpacked from its wheel, or, where wheels have none yet,
    from the package for Node.js."""
    if too_old(version):
        package = f"onnxruntime-node@{version}"
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True)
        subprocess.run(["tar", "xf", *folder.glob("*.tgz"), "-C", folder], check=True)
        return next(folder.glob("package/bin/*/linux/x64/libonnxruntime.so.*"))
    install = ["pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    package = f"onnxruntime=={version}"
    subprocess.run([sys.executable, "-m", *install, package], check=True)
    return next(folder.glob("onnxruntime/capi/libonnxruntime.so.*"))


def too_old(version: str) -> bool:
    return tuple(map(int, version.split(".")[:2])) < OLDEST


def passes(build: Path, runtime: Path) -> bool:
    """Whether the C tests do with that runtime, by STEMZOO_ORT."""
    tests = [str(build / "stemzoo_capi_tests"), str(ZOO), "runtime"]
    return subprocess.run(tests, env={**os.environ, "STEMZOO_ORT": str(runtime)}).returncode == 0


def refused(build: Path, runtime: Path, version: str) -> bool:
    """Whether that runtime is too old for the library, in words."""
    try:
        stemzoo_client.Library(str(build / "libstemzoo.so")).load_runtime(str(runtime))
    except stemzoo_client.StemzooError as error:
        print(error)
        return f"it is ONNX Runtime {version}; expected 1.19 or later" in str(error)
    return False


def main() -> None:
    build, versions = Path(sys.argv[1]), sys.argv[2:]
    wrong = []
    for version in versions:
        with tempfile.TemporaryDirectory() as folder:
            runtime = fetched(version, Path(folder))
            old = too_old(version)
            good = refused(build, runtime, version) if old else passes(build, runtime)
        print(f"{version}: {'as it should be' if good else 'WRONG'}", flush=True)
        wrong += [] if good else [version]
    sys.exit(f"wrong with {', '.join(wrong)}" if wrong else None)


if __name__ == "__main__":
    main()
