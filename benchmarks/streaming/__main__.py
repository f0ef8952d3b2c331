"""The tables of benchmarks/streaming.md: python -m benchmarks.streaming [service] [loop]"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.streaming import overhead, soak

RESULTS = Path(__file__).parents[1] / "streaming.md"
HEAD = """\
# Live streams and the frame service

Written by `python -m benchmarks.streaming`, on 2 cores shared with other work.
"""
TITLES = {"service": "The frame service", "loop": "The live loop"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=[*TITLES], help="service, loop; default both")
    parser.add_argument("--frames", type=int, default=100_000, help="through the live loop")
    given = parser.parse_args()
    measures = {"service": overhead.report, "loop": lambda: soak.report(given.frames)}
    if unknown := set(given.parts) - measures.keys():
        parser.error(f"there is no part {', '.join(unknown)}; there are: {', '.join(measures)}")
    RESULTS.write_text(rewritten(RESULTS.read_text(), given.parts, measures))
    print(RESULTS.read_text())


def rewritten(text: str, parts: list[str], measures: dict[str, Callable[[], str]]) -> str:
    """The page with these parts measured anew, and the others as they were."""
    before = dict(section.split("\n\n", 1) for section in text.split("\n## ")[1:])
    sections = [
        f"## {title}\n\n" + (measures[part]() if part in parts else before[title])
        for part, title in TITLES.items()
    ]
    return "\n".join([HEAD, *(section.rstrip("\n") + "\n" for section in sections)])


if __name__ == "__main__":
    main()
