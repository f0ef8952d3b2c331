"""Exports a trained run to a model folder: python -m training.export RECIPE [--folder runs/RECIPE].

Writes the ONNX file with the model contract in its metadata, sample vectors, metrics, the
bioimage.io description and the card. Refuses a network whose ONNX output differs from PyTorch's.
The folder goes to the candidates in `runs/zoo`; training.publish copies them to the public zoo.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from stemzoo.inference.model import Model
from stemzoo.model_file.contract import Contract
from stemzoo.zoo.folder import add
from training.evaluate import ZOO, evaluate
from training.loop.checkpoint import RUNS, devices, read_checkpoint
from training.packaging.card import describe
from training.packaging.half_weights import rounded, store_as_half
from training.packaging.repeats import without_repeats
from training.packaging.tensors import tensor_spec
from training.recipe import Recipe, load_recipe, parsed_settings, recipe_names

OPSET, IR_VERSION = 17, 8  # supported by runtimes on old acquisition PCs
PARITY = 1e-4  # largest difference from PyTorch, relative to the output's largest value
CANDIDATES = RUNS / "zoo"


def export(
    recipe: Recipe,
    run: Path,
    zoo: Path = ZOO,
    *,
    smoke: bool = False,
    judge: Callable[[Mapping[str, bytes]], None] = lambda files: None,
) -> Path:
    """Export the network of a run to its folder in a zoo; returns the path of the model file.

    `judge` gets all files by name before any is written, and may raise.
    """
    state = read_checkpoint(run, recipe)
    network = recipe.network()
    network.load_state_dict(rounded(state["average"]))
    network.eval()
    contract = _contract(recipe, network, state)
    path = model_file(recipe, zoo)
    content = to_onnx(network, contract)
    check_parity(network, content, contract)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        made.write_bytes(content)
        comparison = path.with_name("comparison.json")  # independent of the version
        if comparison.exists():
            shutil.copy(comparison, folder)
        write_samples(made)
        metrics = evaluate(Model(made), smoke=smoke)
        made.with_name("metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
        describe(made)
        files = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
    judge(files)
    add(zoo, files, f"the export of {recipe.name}")
    return path


def model_file(recipe: Recipe, zoo: Path) -> Path:
    """The path of the recipe's model file; refused if it exists."""
    path = zoo / recipe.name / f"{recipe.name}-{recipe.version}.onnx"
    if path.exists():
        raise SystemExit(
            f"{path} exists, and a version never changes; choose a new one, or delete the folder "
            "if it was never published"
        )
    return path


def to_onnx(network: nn.Module, contract: Contract) -> bytes:
    """One self-contained file with the contract in its metadata."""
    tensors = tensor_spec(contract)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Deprecated, but the newer exporter writes weights to a second file.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.zeros(tensors.shapes[0]),),
            buffer,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=[tensors.interface.input],
            output_names=list(tensors.interface.outputs),
            dynamic_axes=tensors.free_axes,
            do_constant_folding=False,  # a folded parameter could not be fine-tuned
        )
    model = onnx.load_from_string(buffer.getvalue())
    model.ir_version = min(model.ir_version, IR_VERSION)
    model.doc_string = ""
    without_repeats(model.graph)
    store_as_half(model.graph)
    # The exporter omits some output sizes that shape inference finds.
    for output, known in zip(
        model.graph.output, onnx.shape_inference.infer_shapes(model).graph.output, strict=True
    ):
        output.CopyFrom(known)
    if contract.task != "drift":  # the output has the shape of the input
        model.graph.output[0].type.CopyFrom(model.graph.input[0].type)
    onnx.helper.set_model_props(model, contract.metadata())
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def check_parity(network: nn.Module, content: bytes, contract: Contract) -> None:
    """Refuse a file whose output in ONNX Runtime differs from PyTorch's, on three shapes."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    random = torch.Generator().manual_seed(7)
    tensors = tensor_spec(contract)
    for shape in tensors.shapes:
        sample = torch.randn(shape, generator=random)
        with torch.no_grad():
            answer = network(sample)
        expected = answer if isinstance(answer, tuple) else (answer,)
        found = session.run(
            list(tensors.interface.outputs), {tensors.interface.input: sample.numpy()}
        )
        for name, ours, theirs in zip(tensors.interface.outputs, found, expected, strict=True):
            error = float(np.abs(ours - theirs.numpy()).max() / theirs.abs().max())
            if not error <= PARITY:
                raise SystemExit(
                    f"the ONNX output '{name}' differs from PyTorch's by {error:.1e} of its "
                    f"largest value on {shape}; at most {PARITY:.0e} is allowed"
                )


def write_samples(path: Path) -> None:
    """Write an input of the bare network and its first output, to test other runtimes with."""
    model = Model(path)
    sample = tensor_spec(model.contract).sample()
    np.save(path.parent / "sample_input.npy", sample)
    np.save(path.parent / "sample_output.npy", model.outputs(sample)[0])


def _devices(state: dict[str, Any]) -> str:
    """The device of a training; where there were several, each with its minutes."""
    found = devices(state)
    if len(found) == 1:
        return next(iter(found))
    return " and ".join(f"{name} ({seconds / 60:.1f})" for name, seconds in found.items())


def _contract(recipe: Recipe, network: nn.Module, state: dict[str, Any]) -> Contract:
    training = {
        **recipe.origin(),
        "commit": _commit(),
        "seed": recipe.seed,
        "device": _devices(state),
        "minutes": round(state["spent"] / 60, 1),
        "steps": state["step"],
    }
    promises: dict[str, Any] = {"multiple": 1, "halo": 0, **network.promises}  # type: ignore[dict-item]
    return Contract(
        name=recipe.name,
        version=recipe.version,
        task=recipe.task,
        normalisation="mean-std",
        licence="MIT",
        summary=recipe.summary,
        limits=recipe.limits,
        training=json.dumps(training),
        trained_for=recipe.ranges(),
        denoiser=recipe.denoiser,
        **promises,
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
    parser.add_argument("--zoo", type=Path, default=CANDIDATES, help=f"default: {CANDIDATES}")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    recipe = load_recipe(given.recipe, **parsed_settings(given.set))
    print(export(recipe, given.folder or RUNS / recipe.name, given.zoo))


if __name__ == "__main__":
    main()
