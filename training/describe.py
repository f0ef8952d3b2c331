"""What a zoo folder says to people and to other tools: its card and its bioimage.io description.

Both are made from the model's own metadata and its metrics.json; nothing is typed by hand.
"""

from __future__ import annotations

import gc
import json
import warnings
from pathlib import Path
from typing import Any

from stemzoo.contract import Contract

# Other runtimes and processors round differently; a broken model differs a thousandfold more.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-3, 1e-3


def write_card(path: Path) -> None:
    """README.md of the folder of the model file `path`."""
    contract = Contract.of(path.read_bytes(), str(path))
    metrics = json.loads((path.parent / "metrics.json").read_text())
    training = json.loads(contract.training)
    ranges = "\n".join(f"- {text}" for text in contract.trained_for.values())
    (path.parent / "README.md").write_text(
        f"""# {contract.name} {contract.version}

{contract.summary}

```python
import stemzoo

clean = stemzoo.{contract.task}(image, model="{contract.name}")
```

## Trained for

{ranges}

Simulated images only; {training["steps"]:,} steps in {training["minutes"]:.0f} minutes on
{training["device"]}, seed {training["seed"]}, commit {training["commit"]}. The command:

    python -m training.train {contract.name} && python -m training.export {contract.name}

## Figures

Written by `python -m training.evaluate {contract.name} --write`, on specimens and seeds that
training never sees. Peak signal-to-noise ratio in dB, Poisson noise; "peak" is the mean number of
electrons in the brightest pixel.

{figures(metrics)}

## Where it fails

{contract.limits}

## The file

Input `image`, output `output`: float32 [N, 1, H, W], H and W multiples of {contract.multiple}. The
runtime subtracts the image's mean and divides by its standard deviation, and undoes both
afterwards. Tiles must overlap by {contract.halo} px on every side to agree with the whole image.
`sample_input.npy` and `sample_output.npy` are one input and output of the bare network; other
runtimes agree within {RELATIVE_TOLERANCE:g} relative and {ABSOLUTE_TOLERANCE:g} absolute. Licence:
{contract.licence}.
"""
    )


def figures(metrics: dict[str, Any]) -> str:
    """The tables of a denoiser's card."""
    perovskite = [
        f"| {row['peak']} | {row['raw']:.1f} | {row['clean']:.1f} |"
        for row in metrics["perovskite"]
    ]
    lattices = [
        f"| {row['spacing'][0]:.0f} - {row['spacing'][1]:.0f} px | {row['peak']} "
        f"| {row['raw']:.1f} | {row['clean']:.1f} |"
        for row in metrics["lattices"]
    ]
    blank = metrics["blank"]
    return "\n".join(
        [
            "Perovskite lattice, period 20 px, column sigma 3.2 px, 512 x 512:",
            "",
            "| peak | raw | denoised |",
            "|---|---|---|",
            *perovskite,
            "",
            "Simulated crystals with defects, boundaries and edges, by distance between columns:",
            "",
            "| columns | peak | raw | denoised |",
            "|---|---|---|---|",
            *lattices,
            "",
            f"A blank field of {blank['level']} electrons per pixel keeps a standard deviation of "
            f"{blank['clean_std']:.2f}",
            f"electrons, from {blank['raw_std']:.2f}.",
        ]
    )


def write_description(path: Path) -> None:
    """bioimageio.yaml of the folder of the model file `path`, validated as it is made."""
    with warnings.catch_warnings():
        # bioimageio.spec leaves the files it has read open, to be closed when they are collected.
        warnings.simplefilter("ignore", ResourceWarning)
        _write_description(path)
        gc.collect()


def _write_description(path: Path) -> None:
    from bioimageio.spec import save_bioimageio_yaml_only
    from bioimageio.spec.model import v0_5 as spec

    contract = Contract.of(path.read_bytes(), str(path))
    folder = path.parent

    def size() -> spec.ParameterizedSize:
        # bioimage.io cuts the halo off every answer, so its smallest input is larger than ours.
        least = 2 * contract.halo + contract.multiple
        return spec.ParameterizedSize(min=least, step=contract.multiple)

    def same(axis: str) -> spec.SizeReference:
        return spec.SizeReference(tensor_id=spec.TensorId("image"), axis_id=spec.AxisId(axis))

    channel = spec.ChannelAxis(channel_names=[spec.Identifier("intensity")])
    image = spec.InputTensorDescr(
        id=spec.TensorId("image"),
        description="A STEM image",
        axes=[
            spec.BatchAxis(),
            channel,
            *(spec.SpaceInputAxis(id=spec.AxisId(axis), size=size()) for axis in "yx"),
        ],
        test_tensor=spec.FileDescr(source=folder / "sample_input.npy"),
        preprocessing=[
            spec.ZeroMeanUnitVarianceDescr(
                kwargs=spec.ZeroMeanUnitVarianceKwargs(
                    axes=[spec.AxisId(axis) for axis in ("channel", "y", "x")]
                )
            )
        ],
    )
    output = spec.OutputTensorDescr(
        id=spec.TensorId("output"),
        description="The clean image, in units of the input's standard deviation about its mean",
        axes=[
            spec.BatchAxis(),
            channel,
            *(
                spec.SpaceOutputAxisWithHalo(
                    id=spec.AxisId(axis), size=same(axis), halo=contract.halo
                )
                for axis in "yx"
            ),
        ],
        test_tensor=spec.FileDescr(source=folder / "sample_output.npy"),
    )
    description = spec.ModelDescr(
        name=contract.name,
        description=contract.summary,
        version=spec.Version(contract.version),
        license=spec.LicenseId(contract.licence),
        authors=[spec.Author(name="The stemzoo developers")],
        documentation=spec.FileDescr(source=folder / "README.md"),
        tags=["electron-microscopy", "stem", contract.task],
        inputs=[image],
        outputs=[output],
        weights=spec.WeightsDescr(
            onnx=spec.OnnxWeightsDescr(source=path, opset_version=17),
        ),
        config=spec.Config(
            bioimageio=spec.BioimageioConfig(
                reproducibility_tolerance=[
                    spec.ReproducibilityTolerance(
                        relative_tolerance=RELATIVE_TOLERANCE,
                        absolute_tolerance=ABSOLUTE_TOLERANCE,
                    )
                ]
            )
        ),
    )
    save_bioimageio_yaml_only(description, folder / "bioimageio.yaml", exclude_defaults=True)
