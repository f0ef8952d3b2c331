"""The figures of a model, measured through the runtime that users run.

    python -m training.evaluate NAME          print them, beside metrics.json and the targets
    python -m training.evaluate NAME --write  write metrics.json, the card and bioimageio.yaml

NAME is a model of the zoo folder, its newest version, or NAME@VERSION. The recipe names the module
of training.evaluation.models that measures it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from stemzoo.inference.model import Model
from stemzoo.model_file.contract import Contract
from stemzoo.zoo.index import networks, newest
from training.evaluation.thresholds import unmet
from training.packaging.card import describe, evaluation_of, recipe_of

ZOO = Path("zoo")


def evaluate(model: Model, *, smoke: bool = False) -> dict[str, Any]:
    """The content of metrics.json; `smoke` measures on a few small images only."""
    contract = model.contract
    metrics: dict[str, Any] = evaluation_of(contract).measure(model, smoke)
    head = {"name": contract.name, "version": contract.version, "sha256": model.sha256}
    comparison = model.path.with_name("comparison.json")  # by a command of training.experiments
    if comparison.exists():
        metrics["comparison"] = json.loads(comparison.read_text())
    return head | metrics


def shortfalls(contract: Contract, metrics: dict[str, Any]) -> list[str]:
    """A line for each threshold of the recipe and each development target that is not met."""
    lines = unmet(recipe_of(contract).thresholds, metrics)
    module = evaluation_of(contract)
    return lines + (module.below_target(metrics) if hasattr(module, "below_target") else [])


def network(zoo: Path, name: str) -> Path:
    """The file of NAME or NAME@VERSION in a zoo folder, not one that is installed elsewhere."""
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
    path = network(given.zoo, given.name)
    if given.write and path != newest(path.parent):
        raise SystemExit(f"{path.parent} has the figures of a newer version than {path.stem}")
    model = Model(path)
    metrics = evaluate(model)
    text = json.dumps(metrics, indent=1)
    print(text)
    for line in shortfalls(model.contract, metrics):
        print(f"below target: {line}")
    committed = path.with_name("metrics.json")
    if given.write:
        committed.write_text(text + "\n")
        describe(path)
    elif committed.exists() and json.loads(committed.read_text()) != metrics:
        print(f"{committed} differs; --write replaces it")


if __name__ == "__main__":
    main()
