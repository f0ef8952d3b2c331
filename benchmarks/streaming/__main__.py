"""The tables of benchmarks/streaming.md: python -m benchmarks.streaming"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.streaming import overhead, soak

RESULTS = Path(__file__).parents[1] / "streaming.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000, help="through the live loop")
    given = parser.parse_args()
    parts = [
        "# Live streams and the frame service\n",
        "Written by `python -m benchmarks.streaming`, on 2 cores shared with other work.\n",
        "## The frame service\n",
        overhead.report(),
        "## The live loop\n",
        soak.report(given.frames),
    ]
    RESULTS.write_text("\n".join(parts))
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
