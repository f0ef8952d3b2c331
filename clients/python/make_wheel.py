"""Makes a wheel of the client, a C library, models and examples: make_wheel.py LIBRARY [-o FOLDER]

The wheel holds no compiled Python code, so one serves every Python from 3.7 on: py3-none-PLATFORM.
A host without pip unzips it and adds the folder to sys.path.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
import stemzoo_client  # noqa: E402

MODELS = ("denoise-live", "denoise-atomic", "drift-lattice")
FILES = Path(stemzoo_client._FILES).name
EXAMPLES = ("digitalmicrograph/live_denoise.py", "temscript/drift_correct.py")
LICENCES = {"LICENSE": "LICENSE", "ducc0-LICENSE.txt": "cmake/ducc0-LICENSE.txt"}
EARLIEST = (1980, 1, 1, 0, 0, 0)  # so that equal content makes an equal file

METADATA = """\
Metadata-Version: 2.4
Name: stemzoo-client
Version: {version}
Summary: {summary}
License-Expression: MIT AND BSD-3-Clause
{licences}Requires-Python: >=3.7
Provides-Extra: cpu
Requires-Dist: onnxruntime>=1.19; extra == "cpu"
Description-Content-Type: text/plain

{description}
"""

WHEEL = """\
Wheel-Version: 1.0
Generator: stemzoo
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""


def platform_of(library: bytes, name: str) -> str:
    """The platform tag: on Linux the oldest C library whose symbols are enough."""
    if library[:2] == b"MZ":
        return "win_amd64"
    if library[:4] == b"\x7fELF" and library[18:20] == b"\x3e\0":  # x86-64
        needed = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", library)]
        return f"manylinux_2_{max([17, *needed])}_x86_64"
    raise ValueError(f"{name} is a shared library of no platform that wheels are made for here")


def contents(library: Path, models: tuple[str, ...]) -> dict[str, bytes]:
    """What goes beside the metadata, by its name in the wheel."""
    client = Path(stemzoo_client.__file__)
    name = "stemzoo.dll" if library.suffix == ".dll" else "libstemzoo.so"
    found = {client.name: client.read_bytes(), f"{FILES}/{name}": library.read_bytes()}
    for model in models:
        path = Path(stemzoo_client.newest_model(model, [str(ROOT / "zoo" / model)]))
        found[f"{FILES}/{path.name}"] = path.read_bytes()
    for example in EXAMPLES:
        path = HERE.parent / example
        found[f"{FILES}/{path.name}"] = path.read_bytes()
    return found


def metadata(platform: str) -> dict[str, bytes]:
    summary, _, description = (stemzoo_client.__doc__ or "").partition("\n\n")
    filled = METADATA.format(
        version=stemzoo_client.__version__,
        summary=summary,
        licences="".join(f"License-File: {name}\n" for name in LICENCES),
        description=description.strip(),
    )
    wheel = WHEEL.format(platform=platform)
    found = {"METADATA": filled.encode(), "WHEEL": wheel.encode()}
    for name, path in LICENCES.items():
        found[f"licenses/{name}"] = (ROOT / path).read_bytes()
    return found


def write_wheel(library: Path, folder: Path, models: tuple[str, ...] = MODELS) -> Path:
    files = contents(library, models)
    platform = platform_of(library.read_bytes(), library.name)
    stem = f"stemzoo_client-{stemzoo_client.__version__}"
    about = f"{stem}.dist-info"
    files.update({f"{about}/{name}": data for name, data in metadata(platform).items()})
    record = "".join(f"{name},{_digest(data)},{len(data)}\n" for name, data in files.items())
    files[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n".encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-{platform}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return path


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return "sha256=" + digest.decode().rstrip("=")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("library", type=Path, help="libstemzoo.so or stemzoo.dll")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", metavar="FOLDER")
    options = parser.parse_args()
    library = options.library.resolve()
    print(write_wheel(library, options.output))
    print(f"with {options.library.name} of {library.stat().st_size} bytes")


if __name__ == "__main__":
    main()
