"""docs/papers.md: what was published and what is measured here, side by side, with pictures.

    python -m training.papers

Systems are found, not listed: the models of the zoo whose module of training.figures knows what was
published. The tables come from each model's metrics.json; the pictures are drawn by the model.
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
from training.describe import figures_of

ROOT = Path(__file__).parents[1]
ZOO = ROOT / "zoo"
PAGE = ROOT / "docs" / "papers.md"
PICTURES = "papers"  # a folder beside the page

HEAD = """# The published systems

Written by `python -m training.papers` from the figures in each model's `metrics.json`, which
`python -m training.evaluate NAME` measures anew.
"""


@dataclass(frozen=True)
class System:
    """A model of the zoo that was published by others, its figures, and what tells of them."""

    file: Path
    contract: Contract
    metrics: dict[str, Any]
    figures: ModuleType


def systems(zoo: Path = ZOO) -> list[System]:
    """Every published system in a zoo, in the version that its figures are of."""
    found = []
    for file in sorted(zoo.glob("*/*.onnx")):
        contract = Contract.of(file.read_bytes(), str(file))
        metrics = json.loads((file.parent / "metrics.json").read_text())
        figures = figures_of(contract)
        if hasattr(figures, "published") and metrics["version"] == contract.version:
            found.append(System(file, contract, metrics, figures))
    return found


def page(known: list[System]) -> str:
    """The text of docs/papers.md."""
    return "\n".join([HEAD, *map(_section, known)])


def draw(system: System, folder: Path) -> None:
    """The picture like the paper's own, made by running the model."""
    captioned, columns = system.figures.panels(Model(system.file))
    save_panels(folder / f"{system.contract.name}.png", captioned, columns)


def _section(system: System) -> str:
    name = system.contract.name
    rows = [" | ".join(row) for row in system.figures.published(system.metrics)]
    return "\n".join(
        [
            f"## {name} {system.contract.version}",
            "",
            system.contract.summary,
            f"[Its card](../zoo/{name}/README.md) has all figures, and says where it fails.",
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
