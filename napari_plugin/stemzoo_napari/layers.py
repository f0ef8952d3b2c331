"""Layers of napari as images, and results as layers of the same calibration."""

from __future__ import annotations

from typing import Any

from napari.layers import Image

LayerData = tuple[Any, dict[str, Any], str]  # data, keywords and kind, as napari makes layers of

KEY = "stemzoo"  # in the metadata of a layer: how it was made


def pixels(layer: Image) -> Any:
    """The image of a layer, lazy where it is lazy."""
    if layer.rgb:
        raise ValueError(
            f"layer '{layer.name}' is a colour picture; expected a grey one: split its channels, "
            "and select one"
        )
    return layer.data[0] if layer.multiscale else layer.data


def geometry(layer: Image, ndim: int) -> dict[str, Any]:
    """Scale, units and place in the world, for a result that has the last `ndim` axes of a layer"""
    last = slice(layer.ndim - ndim, None)
    return {
        "scale": layer.scale[last],
        "translate": layer.translate[last],
        "rotate": layer.rotate[last, last],
        "shear": layer.shear[len(layer.shear) - ndim * (ndim - 1) // 2 :],  # of an upper triangle
        "affine": layer.affine.set_slice(range(layer.ndim)[last]),
        "units": layer.units[last],
        "axis_labels": layer.axis_labels[last],
    }


def image_like(layer: Image, data: Any, name: str, record: dict[str, Any]) -> LayerData:
    """A picture made of a layer, with a record of how in its metadata."""
    keywords = {
        "name": f"{layer.name} {name}",
        "colormap": layer.colormap.name,
        "metadata": {**layer.metadata, KEY: {"source": layer.name, **record}},
        **geometry(layer, data.ndim),
    }
    return data, keywords, "image"


def source_of(layer: Image) -> str | None:
    """The name of the layer that this one was made of."""
    source: str | None = layer.metadata.get(KEY, {}).get("source")
    return source
