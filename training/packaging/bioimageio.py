"""The bioimage.io description of a model folder, from the model's own metadata."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from stemzoo.model_file.contract import Contract
from stemzoo.model_file.interface import Looks, Surfaces, TakesImages
from training.packaging.tensors import TensorSpec, tensor_spec

# Other runtimes and processors round differently; a broken model differs a thousandfold more.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-3, 1e-3


def write_description(path: Path) -> None:
    """Write bioimageio.yaml beside the model file `path`, validated."""
    with warnings.catch_warnings():
        # bioimageio.spec leaves files open until they are garbage-collected.
        warnings.simplefilter("ignore", ResourceWarning)
        from bioimageio.spec import ValidationContext, save_bioimageio_yaml_only

        # Paths are relative to the model folder, which may be copied anywhere.
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
    given, output = _tensors(tensor_spec(contract))
    # bioimage.io allows at most 1 % of the largest value; a barely trained network's output is
    # small.
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


def _tensors(tensors: TensorSpec) -> tuple[Any, Any]:
    """The input and the first output, in bioimage.io's terms."""
    from bioimageio.spec.model import v0_5 as spec

    # bioimage.io crops the halo off every output, so its smallest input is larger than ours.
    interface = tensors.interface
    least = 2 * tensors.halo + tensors.multiple
    size = interface.side or spec.ParameterizedSize(min=least, step=tensors.multiple)
    channel = spec.ChannelAxis(
        channel_names=[spec.Identifier(name) for name in _CHANNELS[interface.input]]
    )
    given = spec.InputTensorDescr(
        id=spec.TensorId(interface.input),
        description=_MEANING[interface.input],
        axes=[
            spec.BatchAxis(),
            channel,
            *(spec.SpaceInputAxis(id=spec.AxisId(axis), size=size) for axis in "yx"),
        ],
        test_tensor=spec.FileDescr(source=_beside("sample_input.npy")),
        preprocessing=[_normalise()] if isinstance(interface, TakesImages) else [],
    )
    output = spec.OutputTensorDescr(
        id=spec.TensorId(interface.outputs[0]),
        description=_MEANING[interface.outputs[0]],
        axes=[spec.BatchAxis(), *_output_axes(tensors, channel)],
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
    "look": "A frame without its lattice, the lattice, and the weighted part of the first on atoms",
    "features": "Maps whose products with those of another frame are the log-odds of a drift",
    "output": "The clean image, in units of the input's standard deviation about its mean",
    "drift": "How far features moved from the first frame to the second, in pixels",
}


def _output_axes(tensors: TensorSpec, channel: Any) -> list[Any]:
    from bioimageio.spec.model import v0_5 as spec

    interface = tensors.interface
    if isinstance(interface, Surfaces):
        return [spec.ChannelAxis(channel_names=[spec.Identifier(name) for name in ("dy", "dx")])]
    axes: list[Any] = [channel]
    if isinstance(interface, Looks):
        names: list[Any] = [
            spec.Identifier(f"feature{number}") for number in range(interface.features)
        ]
        axes = [spec.ChannelAxis(channel_names=names)]
    for name in "yx":
        same = spec.SizeReference(
            tensor_id=spec.TensorId(interface.input), axis_id=spec.AxisId(name)
        )
        if tensors.halo:
            axes.append(
                spec.SpaceOutputAxisWithHalo(id=spec.AxisId(name), size=same, halo=tensors.halo)
            )
        else:
            axes.append(spec.SpaceOutputAxis(id=spec.AxisId(name), size=same))
    return axes


def _normalise() -> Any:
    from bioimageio.spec.model import v0_5 as spec

    axes = [spec.AxisId(axis) for axis in ("channel", "y", "x")]
    return spec.ZeroMeanUnitVarianceDescr(kwargs=spec.ZeroMeanUnitVarianceKwargs(axes=axes))
