"""Puts the page together: python web/build.py CORE OUTPUT

CORE is the folder in which Emscripten has built the core; OUTPUT becomes a folder that any web
server, or `stemzoo serve --page`, can show. Prints how much of it a browser loads at first.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from stemzoo.zoo import index

HERE = Path(__file__).parent
ZOO = HERE.parent / "zoo"
PACKAGES = HERE / "node_modules"
RUNTIME = PACKAGES / "onnxruntime-web" / "dist"
# Modules of ONNX Runtime Web and the wasm each loads: without a GPU, and with one.
VARIANTS = {
    "wasm": ("ort.wasm.min.mjs", "ort-wasm-simd-threaded"),
    "WebGPU": ("ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi"),
    "WebGPU without JSPI": ("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify"),
}
ENTRIES = ("main", "reader", "engine")
DUCC0_LICENCE = HERE.parent / "cmake" / "ducc0-LICENSE.txt"
LICENCES = ("@noble/hashes", "fast-png", "fflate", "iobuffer", "onnxruntime-common")


def main(core: Path, output: Path) -> None:
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(HERE / "public", output)
    bundle(output)
    shutil.copy(core / "core.mjs", output)
    pack(core / "core.wasm", output)
    for module, wasm in VARIANTS.values():
        (output / "ort").mkdir(exist_ok=True)
        shutil.copy(RUNTIME / module, output / "ort")
        shutil.copy(RUNTIME / f"{wasm}.mjs", output / "ort")
        pack(RUNTIME / f"{wasm}.wasm", output / "ort")
    (output / "licences.txt").write_text(licences(), encoding="utf-8")
    (output / "site.json").write_text(json.dumps({"zoo": "zoo/"}) + "\n")
    write_service_worker(output)
    report(output)
    copy_zoo(output / "zoo")


def bundle(output: Path) -> None:
    """The modules in src as a file an entry, with the packages that they import."""
    command = [PACKAGES / ".bin" / "esbuild", *(HERE / "src" / f"{name}.js" for name in ENTRIES)]
    options = ["--bundle", "--format=esm", "--minify", "--target=es2022", "--log-level=warning"]
    subprocess.run([*command, *options, f"--outdir={output}"], check=True)


def pack(file: Path, folder: Path) -> None:
    """As gzip, which the page unpacks: small whatever a web server does."""
    content = gzip.compress(file.read_bytes(), 9, mtime=0)
    (folder / f"{file.name}.gz").write_bytes(content)


def write_service_worker(output: Path) -> None:
    """With the files of the page and a name that changes with any of them."""
    files = sorted(path for path in output.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    first = [path.relative_to(output).as_posix() for path in files if path.parent == output]
    told = f"globalThis.PAGE_VERSION = {json.dumps(digest.hexdigest()[:16])};\n"
    told += f"globalThis.PAGE_FILES = {json.dumps(['./', *first])};\n"
    source = (HERE / "src" / "sw.js").read_text(encoding="utf-8")
    (output / "sw.js").write_text(told + source, encoding="utf-8")


def report(output: Path) -> None:
    page = sum(path.stat().st_size for path in output.iterdir() if path.is_file())
    print(f"{output}: the page and the core, {page / 1e6:.2f} MB")
    for name, (module, wasm) in VARIANTS.items():
        files = (module, f"{wasm}.mjs", f"{wasm}.wasm.gz")
        runtime = sum((output / "ort" / file).stat().st_size for file in files)
        print(f"  with ONNX Runtime for {name}: {(page + runtime) / 1e6:.2f} MB")


def copy_zoo(output: Path) -> None:
    """The index, and what the page fetches of what it lists: networks and sample pictures."""
    content = (ZOO / index.FILE).read_bytes()
    for entry in index.parse(content, str(ZOO)).entries:
        (output / entry.name).mkdir(parents=True, exist_ok=True)
        for file in entry.everything():
            if file == entry.network or file == "sample_input.npy":
                shutil.copy(ZOO / entry.path(file), output / entry.path(file))
    (output / index.FILE).write_bytes(content)


def licences() -> str:
    """Of the packages that are part of the page."""
    parts = [
        "ONNX Runtime Web\n\nMIT License\n\nCopyright (c) Microsoft Corporation\n",
        f"ducc0\n\n{DUCC0_LICENCE.read_text(encoding='utf-8')}",
    ]
    for name in LICENCES:
        files = sorted(PACKAGES.joinpath(name).glob("LICENSE*"))
        parts += [f"{name}\n\n{file.read_text(encoding='utf-8')}" for file in files[:1]]
    return ("\n" + "-" * 72 + "\n\n").join(parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
