"""The generated parts of the README: the table of models and the headline benchmarks.

`make table` writes them from zoo/*/metrics.json and benchmarks/results.md; a test holds the README
to what is committed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.timing import table
from stemzoo.model_file.contract import Contract
from stemzoo.zoo.index import newest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results.md"
HEADLINES = ("Denoising", "Normalised cross-correlation", "Tiling")


def update() -> None:
    README.write_text(rendered(README.read_text()))


def rendered(text: str) -> str:
    """The README with its generated parts made anew."""
    for name, content in (("models", _models()), ("benchmarks", _benchmarks())):
        marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{marks[0]}.*?{marks[1]}", re.DOTALL)
        match = pattern.search(text)
        if not match:
            raise SystemExit(f"README.md has no part between {marks[0]} and {marks[1]}")
        replacement = f"{marks[0]}\n{content}{marks[1]}"
        start, end = match.span()
        text = text[:start] + replacement + text[end:]
    return text


def _models() -> str:
    rows = []
    for folder in sorted({path.parent for path in (ROOT / "zoo").glob("*/*.onnx")}):
        path = newest(folder)
        contract = Contract.of(path.read_bytes(), str(path))
        metrics = json.loads((path.parent / "metrics.json").read_text())
        rows.append(
            [
                f"[`{contract.name}`]({path.parent.relative_to(ROOT).as_posix()}/README.md)",
                contract.version,
                contract.summary,
                f"{path.stat().st_size / 1e6:.2g} MB",
                metrics["headline"],
            ]
        )
    return table(["model", "version", "what it is for", "size", "figures"], rows)


def _benchmarks() -> str:
    """The first table of each headline section of results.md."""
    sections = RESULTS.read_text().split("\n## ")[1:]
    parts = []
    for headline in HEADLINES:
        section = next(text for text in sections if text.startswith(headline))
        title, rest = section.split("\n", 1)
        rows = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
        assert rows is not None
        parts.append(f"{title}:\n\n{rows.group()}")
    return "\n".join(parts)


if __name__ == "__main__":
    update()
