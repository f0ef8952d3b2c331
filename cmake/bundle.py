"""Copies the newest version of the named models, and what describes it, with an index of its own:
bundle.py ZOO TARGET NAME...

The sample vectors stay in the zoo: they test a model, and running it needs none. Run by the build
of a wheel, hence the standard library only.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

SAMPLES = ("sample_input.npy", "sample_output.npy")


def bundle(zoo: Path, target: Path, names: list[str]) -> None:
    index = json.loads((zoo / "index.json").read_text())
    shutil.rmtree(target, ignore_errors=True)
    index["models"] = [newest(index["models"], name) for name in names]
    for entry in index["models"]:
        name = entry["name"]
        files = entry["files"].items()
        entry["files"] = {file: stored for file, stored in files if file not in SAMPLES}
        (target / name).mkdir(parents=True)
        for file in (f"{name}-{entry['version']}.onnx", *entry["files"]):
            shutil.copyfile(zoo / name / file, target / name / file)
    (target / "index.json").write_text(json.dumps(index, indent=1))


def newest(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    versions = [entry for entry in entries if entry["name"] == name]
    if not versions:
        sys.exit(
            f"no model called {name} in the zoo; there are: {sorted(e['name'] for e in entries)}"
        )
    return max(versions, key=lambda entry: tuple(map(int, entry["version"].split("."))))


if __name__ == "__main__":
    bundle(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
