"""The figures of a model, measured through the runtime its users run.

    python -m training.evaluate NAME          print them, beside what metrics.json says
    python -m training.evaluate NAME --write  write metrics.json, the card and bioimageio.yaml

What is measured, and on what, is the business of the recipe's module in training.figures.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from stemzoo.catalogue import find
from stemzoo.index import newest
from stemzoo.model import Model
from training.describe import describe, figures_of


def evaluate(model: Model, *, smoke: bool = False) -> dict[str, Any]:
    """What metrics.json says of a model; `smoke` measures on a few small images only."""
    contract = model.contract
    figures: dict[str, Any] = figures_of(contract).measure(model, smoke)
    head = {"name": contract.name, "version": contract.version, "sha256": model.sha256}
    comparison = model.path.with_name("comparison.json")  # trainings of their own, made apart
    if comparison.exists():
        figures["comparison"] = json.loads(comparison.read_text())
    return head | figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model, or model@version")
    parser.add_argument("--write", action="store_true", help="into the folder of the model")
    given = parser.parse_args()
    info = find(given.name)
    if given.write and info.path != newest(info.path.parent):
        raise SystemExit(
            f"{info.path.parent} has the figures of a newer version than {info.version}"
        )
    metrics = evaluate(Model(info.path))
    text = json.dumps(metrics, indent=1)
    print(text)
    path = info.path.parent / "metrics.json"
    if given.write:
        path.write_text(text + "\n")
        describe(info.path)
    elif path.exists() and json.loads(path.read_text()) != metrics:
        print(f"{path} says otherwise; --write replaces it")


if __name__ == "__main__":
    main()
