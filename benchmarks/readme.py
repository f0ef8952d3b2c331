"""The generated parts of the README: the table of models and the headline benchmarks.

`make table` writes them from zoo/*/metrics.json and benchmarks/results.md; a test checks that they
are current.
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
    """The README with its generated parts updated."""
    for name, content in (("models", _models()), ("benchmarks", _benchmarks())):
        text = with_part(text, name, content)
    return text


def with_part(text: str, name: str, content: str) -> str:
    """A page with another content between the marks of that name."""
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    match = re.search(f"{marks[0]}.*?{marks[1]}", text, re.DOTALL)
    if not match:
        raise SystemExit(f"the page has no part between {marks[0]} and {marks[1]}")
    start, end = match.span()
    return f"{text[:start]}{marks[0]}\n{content}{marks[1]}{text[end:]}"


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
    return table(["model", "version", "purpose", "size", "result"], rows)


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
