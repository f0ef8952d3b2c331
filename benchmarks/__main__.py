"""make bench: every comparison in one run, written to benchmarks/results.md."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from benchmarks import correlation, denoising, drift, loading, windows
from benchmarks.readme import update

RESULTS = Path(__file__).parent / "results.md"
PACKAGES = (
    "stemzoo",
    "onnxruntime",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
    "scipy",
    "ducc0",
    "bm3d",
    "torch",
    "pystackreg",
    "niondata",
)


def main() -> None:
    parts = [
        "# Benchmarks\n",
        "Written by `make bench`: one run, candidates taking turns, medians. Machines differ; "
        "read the ratios.\n",
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}; "
        + ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        + ".\n",
    ]
    for topic in (correlation, drift, windows, denoising, loading):
        part = topic.report()
        print(part, flush=True)
        parts.append(part)
    RESULTS.write_text("\n".join(parts))
    update()


if __name__ == "__main__":
    main()
