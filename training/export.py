"""A trained run to a zoo folder: python -m training.export RECIPE [--folder runs/RECIPE].

Writes the ONNX file with the model contract inside it, sample vectors, figures, the bioimage.io
description and the card. Refuses a network whose ONNX output leaves PyTorch's.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from stemzoo.contract import Contract
from stemzoo.model import Model
from stemzoo.phantoms import expose, perovskite
from training.describe import write_card, write_description
from training.evaluate import evaluate
from training.recipe import Recipe, load_recipe, recipe_names
from training.train import RUNS, read_checkpoint

OPSET, IR_VERSION = 17, 8  # what runtimes on old acquisition PCs still read
PARITY = 1e-4  # largest difference from PyTorch, relative to the output's largest value
ZOO = Path("zoo")


def export(recipe: Recipe, run: Path, zoo: Path = ZOO, *, smoke: bool = False) -> Path:
    """The finished zoo folder of a trained run."""
    state = read_checkpoint(run, recipe)
    network = recipe.network()
    network.load_state_dict(state["average"])
    network.eval()
    contract = _contract(recipe, network, state)
    folder = zoo / recipe.name
    path = folder / f"{recipe.name}-{recipe.version}.onnx"
    if path.exists():
        raise SystemExit(f"{path} is published and never changes; give the recipe a new version")
    content = to_onnx(network, contract)
    check_parity(network, content, int(contract.multiple))
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    write_samples(path)
    metrics = evaluate(Model(path), smoke=smoke)
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    write_card(path)
    write_description(path)  # the card is its documentation, and must be there
    return path


def to_onnx(network: nn.Module, contract: Contract) -> bytes:
    """One self-contained file with free image sizes and the contract in its metadata."""
    side = 4 * contract.multiple
    buffer = io.BytesIO()
    free = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The newer exporter splits weights into a second file; this one is deprecated, and right.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(1, 1, side, side),),
            buffer,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["output"],
            dynamic_axes={"image": free, "output": free},
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = min(model.ir_version, IR_VERSION)
    model.doc_string = ""
    onnx.helper.set_model_props(model, contract.metadata())
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def check_parity(network: nn.Module, content: bytes, multiple: int) -> None:
    """ONNX Runtime and PyTorch must agree on three odd multiples of the input size."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    random = torch.Generator().manual_seed(7)
    for rows, columns in ((3, 5), (7, 3), (1, 9)):
        image = torch.randn(2, 1, rows * multiple, columns * multiple, generator=random)
        with torch.no_grad():
            expected = network(image).numpy()
        (given,) = session.run(None, {"image": image.numpy()})
        error = float(np.abs(given - expected).max() / np.abs(expected).max())
        if not error <= PARITY:
            raise SystemExit(
                f"the ONNX output differs from PyTorch's by {error:.1e} of its largest value on "
                f"{tuple(image.shape)}; at most {PARITY:.0e} is allowed"
            )


def write_samples(path: Path) -> None:
    """A network input and its output, for whoever runs the file without this package."""
    model = Model(path)
    side = 2 * model.contract.halo + 2 * model.contract.multiple
    clean = perovskite((side, side), seed=11).image((side, side))
    counts = expose(clean, 20, np.random.default_rng(11))
    sample = ((counts - counts.mean()) / counts.std()).astype(np.float32)[None, None]
    np.save(path.parent / "sample_input.npy", sample)
    np.save(path.parent / "sample_output.npy", model.infer(sample))


def _contract(recipe: Recipe, network: nn.Module, state: dict[str, Any]) -> Contract:
    training = {
        "recipe": recipe.name,
        "commit": _commit(),
        "seed": recipe.seed,
        "device": state["device"],
        "minutes": round(state["spent"] / 60, 1),
        "steps": state["step"],
    }
    return Contract(
        name=recipe.name,
        version=recipe.version,
        task=recipe.task,
        multiple=int(network.multiple),  # type: ignore[arg-type]
        halo=int(network.halo),  # type: ignore[arg-type]
        normalisation="mean-std",
        licence="MIT",
        summary=recipe.summary,
        limits=recipe.limits,
        training=json.dumps(training),
        trained_for=recipe.trained_for,
    )


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", help=", ".join(recipe_names()))
    parser.add_argument("--folder", type=Path, help="the run (default: runs/RECIPE)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    changes = dict(pair.split("=", 1) for pair in given.set)
    recipe = load_recipe(given.recipe, **{k: ast.literal_eval(v) for k, v in changes.items()})
    print(export(recipe, given.folder or RUNS / recipe.name))


if __name__ == "__main__":
    main()
