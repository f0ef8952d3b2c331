"""The figures of a model, measured through the runtime its users run.

    python -m training.evaluate NAME          print them, beside what metrics.json says
    python -m training.evaluate NAME --write  write metrics.json, the card and bioimageio.yaml

NAME is a model of the zoo folder, the newest version of it, or NAME@VERSION. What is measured, and
on what, is the business of the recipe's module in training.figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from stemzoo.inference.model import Model
from stemzoo.zoo.index import networks, newest
from training.describe import describe, figures_of

ZOO = Path("zoo")


def evaluate(model: Model, *, smoke: bool = False) -> dict[str, Any]:
    """What metrics.json says of a model; `smoke` measures on a few small images only."""
    contract = model.contract
    figures: dict[str, Any] = figures_of(contract).measure(model, smoke)
    head = {"name": contract.name, "version": contract.version, "sha256": model.sha256}
    comparison = model.path.with_name("comparison.json")  # trainings of their own, made apart
    if comparison.exists():
        figures["comparison"] = json.loads(comparison.read_text())
    return head | figures


def network(zoo: Path, name: str) -> Path:
    """The file of NAME or NAME@VERSION in a zoo folder: not one that is installed elsewhere."""
    name, _, version = name.partition("@")
    there = networks(zoo / name)
    found = [path for path in there if version in ("", path.stem.removeprefix(f"{name}-"))]
    if not found:
        files = ", ".join(path.name for path in there) or "no network"
        raise SystemExit(f"{zoo / name} holds {files}; expected {name} {version}".rstrip())
    return found[-1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="a model, or model@version")
    parser.add_argument("--zoo", type=Path, default=ZOO, help="default: zoo")
    parser.add_argument("--write", action="store_true", help="into the folder of the model")
    given = parser.parse_args()
    model = network(given.zoo, given.name)
    if given.write and model != newest(model.parent):
        raise SystemExit(f"{model.parent} has the figures of a newer version than {model.stem}")
    metrics = evaluate(Model(model))
    text = json.dumps(metrics, indent=1)
    print(text)
    path = model.with_name("metrics.json")
    if given.write:
        path.write_text(text + "\n")
        describe(model)
    elif path.exists() and json.loads(path.read_text()) != metrics:
        print(f"{path} says otherwise; --write replaces it")


if __name__ == "__main__":
    main()
