"""make bench: runs all comparisons and writes benchmarks/results.md.

`python -m benchmarks TOPIC` runs one topic and replaces its part.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Callable, Sequence
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


HEAD = (
    "# Benchmarks\n",
    "Written by `make bench`: each topic in one run, candidates taking turns, medians. Machines "
    "differ; read the ratios.\n",
    f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}; "
    + ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    + ".\n",
)
BENCHMARKS: dict[str, Callable[[], str]] = {
    "correlation": correlation.report,
    "drift": drift.report,
    "windows": windows.report,
    "denoising": denoising.report,
    "loading": loading.report,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "topics", nargs="*", metavar="TOPIC", help=f"{', '.join(BENCHMARKS)}; or all"
    )
    chosen = parser.parse_args(arguments).topics or list(BENCHMARKS)
    if unknown := set(chosen) - set(BENCHMARKS):
        parser.error(f"there is no topic {', '.join(unknown)}; expected {', '.join(BENCHMARKS)}")
    parts = written(RESULTS.read_text())
    for name in chosen:
        parts[name] = BENCHMARKS[name]()
        print(parts[name], flush=True)
    RESULTS.write_text("\n".join([*HEAD, *(marked(name, parts[name]) for name in BENCHMARKS)]))
    update()


def marked(name: str, part: str) -> str:
    return f"<!-- {name} -->\n\n{part}"


def written(text: str) -> dict[str, str]:
    """The parts of a results.md by topic."""
    pieces = re.split(r"<!-- (\w+) -->\n\n", text)[1:]
    return {
        name: part.rstrip("\n") + "\n" for name, part in zip(pieces[::2], pieces[1::2], strict=True)
    }


if __name__ == "__main__":
    main()
