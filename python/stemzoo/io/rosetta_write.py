"""HyperSpy's own files (.hspy, .zspy) and EMD, written by RosettaSciIO.

Both keep calibration, beam energy and whatever else the file of origin said, where HyperSpy looks
for it. A .zspy is one zip: written whole or not at all, as every file here.
"""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path
from typing import Any

from stemzoo.common.atomic import replacing
from stemzoo.io.jsonable import dumps
from stemzoo.io.micrograph import Micrograph
from stemzoo.io.own_record import OWN, packed
from stemzoo.io.rosetta import needed
from stemzoo.io.units import normalise

_PLUGINS: dict[str, tuple[str, dict[str, Any]]] = {
    ".hspy": ("hspy", {"show_progressbar": False}),
    ".zspy": ("zspy", {"show_progressbar": False, "store_type": "zip"}),
    ".emd": ("emd", {}),
}
SUFFIXES = tuple(_PLUGINS)


def write(path: Path, micrograph: Micrograph, metadata: dict[str, Any]) -> None:
    plugin, options = _PLUGINS[path.suffix.lower()]
    with needed(path, "written"):
        writer = importlib.import_module(f"rsciio.{plugin}").file_writer
        with replacing(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names of metadata that zarr and HDF5 take as well
            writer(file.name, _signal(micrograph, metadata), **options)
            if plugin == "emd":
                _add_own(file.name, metadata)


def _signal(micrograph: Micrograph, metadata: dict[str, Any]) -> dict[str, Any]:
    """A signal of two dimensions as HyperSpy's dictionary."""
    tree, original = packed(metadata)
    return {
        "data": micrograph.data,
        "axes": _axes(micrograph),
        "metadata": tree,
        "original_metadata": original,
        "learning_results": {},
        "models": {},
        "tmp_parameters": {},
        "attributes": {"_lazy": False, "ragged": False},
        "package_info": {"package": "stemzoo", "package_version": ""},
    }


def _axes(micrograph: Micrograph) -> list[dict[str, Any]]:
    y, x = micrograph.pixel_size or (1.0, 1.0)
    unit = normalise(micrograph.unit) if micrograph.pixel_size else None
    sides = [("y", y, unit), ("x", x, unit)]
    if micrograph.data.ndim == 3:
        sides.insert(0, ("frame", 1.0, None))
    return [
        {
            "_type": "UniformDataAxis",
            "name": name,
            "size": size,
            "offset": 0.0,
            "scale": float(scale),
            "units": units,
            "navigate": name == "frame",
            "index_in_array": number,
            "is_binned": False,
        }
        for number, ((name, scale, units), size) in enumerate(
            zip(sides, micrograph.data.shape, strict=True)
        )
    ]


def _add_own(path: str, metadata: dict[str, Any]) -> None:
    """Beside the data, since an EMD file of this kind has no tree of metadata."""
    import h5py

    with h5py.File(path, "r+") as file:
        file[OWN] = dumps(metadata)
