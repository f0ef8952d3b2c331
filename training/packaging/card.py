"""The card of a model folder, README.md, from the model's own metadata and its metrics.json."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

from stemzoo.model_file.contract import Contract
from training.packaging.bioimageio import (
    ABSOLUTE_TOLERANCE,
    RELATIVE_TOLERANCE,
    write_description,
)
from training.packaging.tensors import tensor_spec
from training.recipe import Recipe, load_recipe


def recipe_of(contract: Contract) -> Recipe:
    """The recipe of the model's name, with its current settings."""
    return load_recipe(json.loads(contract.training)["recipe"])


def evaluation_of(contract: Contract) -> ModuleType:
    """The module of training.evaluation.models that measures a model and reports on it."""
    return recipe_of(contract).evaluation_module()


def describe(path: Path) -> None:
    """Write card and bioimage.io description of the model file `path`, from its metrics.json."""
    write_card(path)
    write_description(path)  # contains the hash of the card


def write_card(path: Path) -> None:
    """Write README.md beside the model file `path`."""
    contract = Contract.of(path.read_bytes(), str(path))
    metrics = json.loads((path.parent / "metrics.json").read_text())
    training = json.loads(contract.training)
    made = (
        f"Fine-tuned from {training['parent']} on {training['tuned_on']}"
        if "parent" in training
        else "Simulated images only"
    )
    command = training.get(
        "command",
        f"python -m training.train {contract.name} && python -m training.export {contract.name}",
    )
    ranges = "\n".join(f"- {text}" for text in contract.trained_for.values())
    (path.parent / "README.md").write_text(
        f"""# {contract.name} {contract.version}

{contract.summary}

```python
import stemzoo

{_use(contract)}
```

## Trained for

{ranges}

{made};
{training["steps"]:,} steps in {training["minutes"]:.3g} minutes on
{training["device"]}, seed {training["seed"]}, commit {training["commit"]}. The command:

    {command}

## Results

Measured by `python -m training.evaluate {contract.name} --write`, on specimens and seeds that
training never sees.

{evaluation_of(contract).report(metrics)}

## Where it fails

{contract.limits}

## The file

{tensor_spec(contract).card}
`sample_input.npy` and `sample_output.npy` are one input and output of the bare network; other
runtimes agree within {RELATIVE_TOLERANCE:g} relative and {ABSOLUTE_TOLERANCE:g} absolute. Licence:
{contract.licence}.
"""
    )


def _use(contract: Contract) -> str:
    if contract.task == "drift":
        return f'drift = stemzoo.drift(reference, moving, model="{contract.name}")'
    return f'clean = stemzoo.{contract.task}(image, model="{contract.name}")'
