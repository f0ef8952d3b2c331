"""Writes docs/papers.md: published results beside those measured here, with pictures.

    python -m training.papers

The systems are the zoo models whose module of training.evaluation.models has `published`. Tables
come from each model's metrics.json; the pictures are made by running the model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from stemzoo.inference.model import Model
from stemzoo.model_file.contract import Contract
from stemzoo.plotting.pictures import save_panels
from training.packaging.card import evaluation_of

ROOT = Path(__file__).parents[1]
ZOO = ROOT / "zoo"
PAGE = ROOT / "docs" / "papers.md"
PICTURES = "papers"  # a folder beside the page

HEAD = """# The published systems

Written by `python -m training.papers` from each model's `metrics.json`, which
`python -m training.evaluate NAME --write` measures.
"""


@dataclass(frozen=True)
class System:
    """A zoo model after a publication of others, its metrics, and the module that reports them."""

    file: Path
    contract: Contract
    metrics: dict[str, Any]
    evaluation: ModuleType


def systems(zoo: Path = ZOO) -> list[System]:
    """Every published system in a zoo, in the version of its metrics."""
    found = []
    for file in sorted(zoo.glob("*/*.onnx")):
        contract = Contract.of(file.read_bytes(), str(file))
        metrics = json.loads((file.parent / "metrics.json").read_text())
        evaluation = evaluation_of(contract)
        if hasattr(evaluation, "published") and metrics["version"] == contract.version:
            found.append(System(file, contract, metrics, evaluation))
    return found


def page(known: list[System]) -> str:
    """The text of docs/papers.md."""
    return "\n".join([HEAD, *map(_section, known)])


def draw(system: System, folder: Path) -> None:
    """Draw a picture like the paper's, by running the model."""
    captioned, columns = system.evaluation.panels(Model(system.file))
    save_panels(folder / f"{system.contract.name}.png", captioned, columns)


def _section(system: System) -> str:
    name = system.contract.name
    rows = [" | ".join(row) for row in system.evaluation.published(system.metrics)]
    return "\n".join(
        [
            f"## {name} {system.contract.version}",
            "",
            system.contract.summary,
            f"[Its card](../zoo/{name}/README.md) has all results and the known failures.",
            "",
            "| | published | here |",
            "|---|---|---|",
            *(f"| {row} |" for row in rows),
            "",
            f"![{name}]({PICTURES}/{name}.png)",
            "",
        ]
    )


def main() -> None:
    known = systems()
    folder = PAGE.parent / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    for system in known:
        draw(system, folder)
    PAGE.write_text(page(known))
    print(f"{PAGE}: {', '.join(system.contract.name for system in known)}")


if __name__ == "__main__":
    main()
