"""What a zoo folder says to people and to other tools: its card and its bioimage.io description.

Both are made from the model's own metadata and its metrics.json; nothing is typed by hand.
"""

from __future__ import annotations

import gc
import importlib
import json
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from stemzoo.model_file.contract import Contract
from stemzoo.model_file.interface import Looks, Surfaces, TakesImages
from training.interface import Exported, exported
from training.recipe import load_recipe

# Other runtimes and processors round differently; a broken model differs a thousandfold more.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-3, 1e-3


def figures_of(contract: Contract) -> ModuleType:
    """The module of training.figures that measures the model and reports on it."""
    recipe = load_recipe(json.loads(contract.training)["recipe"])
    return importlib.import_module(f"training.figures.{recipe.figures}")


def describe(path: Path) -> None:
    """Write both for the model file `path`, whose metrics.json is there."""
    write_card(path)
    write_description(path)  # the card is its documentation: its hash is in there


def write_card(path: Path) -> None:
    """README.md of the folder of the model file `path`."""
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

## Figures

Written by `python -m training.evaluate {contract.name} --write`, on specimens and seeds that
training never sees.

{figures_of(contract).report(metrics)}

## Where it fails

{contract.limits}

## The file

{exported(contract).card}
`sample_input.npy` and `sample_output.npy` are one input and output of the bare network; other
runtimes agree within {RELATIVE_TOLERANCE:g} relative and {ABSOLUTE_TOLERANCE:g} absolute. Licence:
{contract.licence}.
"""
    )


def _use(contract: Contract) -> str:
    if contract.task == "drift":
        return f'moved = stemzoo.drift(reference, moving, model="{contract.name}")'
    return f'clean = stemzoo.{contract.task}(image, model="{contract.name}")'


def write_description(path: Path) -> None:
    """bioimageio.yaml of the folder of the model file `path`, validated as it is made."""
    with warnings.catch_warnings():
        # bioimageio.spec leaves the files it has read open, to be closed when they are collected.
        warnings.simplefilter("ignore", ResourceWarning)
        from bioimageio.spec import ValidationContext, save_bioimageio_yaml_only

        # Files are named as seen from their own folder, which may be copied anywhere.
        with ValidationContext(root=path.parent):
            description = _description(path)
            save_bioimageio_yaml_only(
                description, path.parent / "bioimageio.yaml", exclude_defaults=True
            )
        gc.collect()


def _description(path: Path) -> Any:
    from bioimageio.spec.model import v0_5 as spec

    contract = Contract.of(path.read_bytes(), str(path))
    folder = path.parent
    given, output = _tensors(exported(contract))
    # bioimage.io allows no more than a hundredth of the largest value; a barely trained network's
    # answers are small.
    largest = max(0.0, float(np.load(folder / "sample_output.npy").max()))
    return spec.ModelDescr(
        name=contract.name,
        description=contract.summary,
        version=spec.Version(contract.version),
        license=spec.LicenseId(contract.licence),
        authors=[spec.Author(name="The stemzoo developers")],
        documentation=spec.FileDescr(source=_beside("README.md")),
        tags=["electron-microscopy", "stem", contract.task],
        inputs=[given],
        outputs=[output],
        weights=spec.WeightsDescr(
            onnx=spec.OnnxWeightsDescr(source=_beside(path.name), opset_version=17),
        ),
        config=spec.Config(
            bioimageio=spec.BioimageioConfig(
                reproducibility_tolerance=[
                    spec.ReproducibilityTolerance(
                        relative_tolerance=RELATIVE_TOLERANCE,
                        absolute_tolerance=min(ABSOLUTE_TOLERANCE, 0.0099 * largest),
                    )
                ]
            )
        ),
    )


def _beside(name: str) -> Any:
    """A file in the folder of the description."""
    from bioimageio.spec.common import RelativeFilePath

    return RelativeFilePath(Path(name))


def _tensors(export: Exported) -> tuple[Any, Any]:
    """The input and the first output, in bioimage.io's terms."""
    from bioimageio.spec.model import v0_5 as spec

    # bioimage.io cuts the halo off every answer, so its smallest input is larger than ours.
    face = export.interface
    least = 2 * export.halo + export.multiple
    size = face.side or spec.ParameterizedSize(min=least, step=export.multiple)
    channel = spec.ChannelAxis(
        channel_names=[spec.Identifier(name) for name in _CHANNELS[face.input]]
    )
    given = spec.InputTensorDescr(
        id=spec.TensorId(face.input),
        description=_MEANING[face.input],
        axes=[
            spec.BatchAxis(),
            channel,
            *(spec.SpaceInputAxis(id=spec.AxisId(axis), size=size) for axis in "yx"),
        ],
        test_tensor=spec.FileDescr(source=_beside("sample_input.npy")),
        preprocessing=[_normalise()] if isinstance(face, TakesImages) else [],
    )
    output = spec.OutputTensorDescr(
        id=spec.TensorId(face.outputs[0]),
        description=_MEANING[face.outputs[0]],
        axes=[spec.BatchAxis(), *_output_axes(export, channel)],
        test_tensor=spec.FileDescr(source=_beside("sample_output.npy")),
    )
    return given, output


_CHANNELS = {
    "image": ["intensity"],
    "surface": ["correlation"],
    "look": ["rest", "lattice", "even"],
}
_MEANING = {
    "image": "A STEM image",
    "surface": "A cross-correlation",
    "look": "A frame without its lattice, the lattice, and the first on columns times its worth",
    "features": "Maps whose products with those of another frame are the log-odds of a drift",
    "output": "The clean image, in units of the input's standard deviation about its mean",
    "drift": "How far features moved from the first frame to the second, in pixels",
}


def _output_axes(export: Exported, channel: Any) -> list[Any]:
    from bioimageio.spec.model import v0_5 as spec

    face = export.interface
    if isinstance(face, Surfaces):
        return [spec.ChannelAxis(channel_names=[spec.Identifier(name) for name in ("dy", "dx")])]
    axes: list[Any] = [channel]
    if isinstance(face, Looks):
        names: list[Any] = [spec.Identifier(f"feature{number}") for number in range(face.features)]
        axes = [spec.ChannelAxis(channel_names=names)]
    for name in "yx":
        same = spec.SizeReference(tensor_id=spec.TensorId(face.input), axis_id=spec.AxisId(name))
        if export.halo:
            axes.append(
                spec.SpaceOutputAxisWithHalo(id=spec.AxisId(name), size=same, halo=export.halo)
            )
        else:
            axes.append(spec.SpaceOutputAxis(id=spec.AxisId(name), size=same))
    return axes


def _normalise() -> Any:
    from bioimageio.spec.model import v0_5 as spec

    axes = [spec.AxisId(axis) for axis in ("channel", "y", "x")]
    return spec.ZeroMeanUnitVarianceDescr(kwargs=spec.ZeroMeanUnitVarianceKwargs(axes=axes))
