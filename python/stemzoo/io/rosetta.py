"""Microscope formats through RosettaSciIO, which is optional: `pip install 'stemzoo[io]'`.

RosettaSciIO is under the GPL, so it is never a base dependency and is imported here and in
`rosetta_write` alone, when a file of such a format is read or written. Which suffixes it knows it
says itself.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import FileError
from stemzoo.io import hdf5, ser, zspy
from stemzoo.io.datasets import Dataset
from stemzoo.io.image import judged
from stemzoo.io.own_record import said, unpacked
from stemzoo.io.units import calibration

# What messages name where RosettaSciIO is not there to be asked.
COMMON = (".emd", ".ser", ".emi", ".hspy", ".zspy", ".h5", ".mib", ".blo", ".nxs")
_HDF5_SUFFIXES = (".h5", ".hdf5", ".emd", ".hspy", ".nxs")

# A Velox file may hold gigabytes of spectra beside its images.
_OPTIONS: dict[str, dict[str, Any]] = {"emd": {"select_type": "images"}}
# What it says where it takes metres for want of better knowledge.
_GUESSED = "units could not be determined"
_SPECTRAL_UNITS = {"ev", "kev", "mev"}
_SPECTRAL_NAMES = {"energy", "energy loss", "wavelength"}


@lru_cache(maxsize=1)
def plugins() -> dict[str, tuple[str, ...]]:
    """The plugins of RosettaSciIO by the suffix they read; none where it is not installed."""
    try:
        from rsciio import IO_PLUGINS
    except ImportError:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for plugin in IO_PLUGINS:
        for suffix in dict.fromkeys(f".{each.lower()}" for each in plugin["file_extensions"]):
            module = str(plugin["api"]).removeprefix("rsciio.")
            found[suffix] = (*found.get(suffix, ()), module)
    return found


def plugin_of(path: Path) -> str:
    """The part of RosettaSciIO that reads such files."""
    suffix = path.suffix.lower()
    with needed(path, "read"):
        importlib.import_module("rsciio")
        made_by = hdf5.maker(path) if suffix in _HDF5_SUFFIXES else ""
    known = plugins().get(suffix, ())
    if not made_by and not known:
        raise FileError(f"{path} is no file that RosettaSciIO reads")
    return made_by or known[0]


@contextmanager
def needed(path: Path, deed: str) -> Iterator[None]:
    """FileError that says what to install where RosettaSciIO, or what it imports, is missing."""
    try:
        yield
    except ImportError as error:
        missing = error.name or "it"
        alone = "" if missing.startswith("rsciio") else f", or pip install {missing}"
        raise FileError(
            f"{path} needs RosettaSciIO to be {deed}, and {missing} is not installed; install it "
            f"with: pip install 'stemzoo[io]'{alone}"
        ) from error


def read(path: Path) -> list[Dataset]:
    """What the one plugin makes of a file that reads it; several may claim a suffix."""
    suffix = path.suffix.lower()
    if suffix in _HDF5_SUFFIXES:
        with needed(path, "read"):
            hdf5.check(path)
            made_by = hdf5.maker(path)
        return _read(path, made_by) if made_by else hdf5.read(path)
    with needed(path, "read"):
        importlib.import_module("rsciio")
    refused: list[Exception] = []
    for plugin in plugins()[suffix]:
        try:
            return _read(path, plugin)
        except FileError:
            raise
        except Exception as error:  # readers raise whatever they stumble over
            refused.append(error)
    raise refused[-1]


def _read(path: Path, plugin: str) -> list[Dataset]:
    with needed(path, "read"):
        reader = importlib.import_module(f"rsciio.{plugin}").file_reader
        if plugin == "tia":
            ser.check_all(path)
        if plugin == "zspy":
            zspy.check(path)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            # Some of what it needs it imports only where a file asks for it, such as sparse.
            found = reader(str(path), **_OPTIONS.get(plugin, {}))
    others = [one for one in heard if _GUESSED not in str(one.message)]
    for one in others:
        warnings.warn(one.message, stacklevel=2)
    datasets = [_dataset(one) for one in found]
    if len(others) < len(heard):
        datasets = [replace(one, pixel_size=None, unit=None) for one in datasets]
    own = said(hdf5.own_text(path)) if plugin == "emd" else None
    return datasets if own is None else [replace(one, metadata=own) for one in datasets]


def _dataset(found: dict[str, Any]) -> Dataset:
    data = np.asarray(found["data"])
    axes = sorted(found["axes"], key=lambda axis: axis.get("index_in_array") or 0)
    if len(axes) == data.ndim and not data.dtype.names:
        data, axes = _squeeze(data, axes)
    original = found.get("original_metadata") or {}
    metadata = found.get("metadata") or {}
    y, x = axes[-2:] if len(axes) >= 2 else ({}, {})
    pixel_size, unit = calibration(
        y.get("scale"), x.get("scale"), _text(y.get("units")), _text(x.get("units"))
    )
    data, problem = judged(data)
    return Dataset(
        # Contiguous and apart from the file: some readers give a view of it, upside down.
        data=np.ascontiguousarray(data),
        title=str(metadata.get("General", {}).get("title") or ""),
        pixel_size=pixel_size,
        unit=unit,
        metadata=unpacked(metadata, original),
        problem=problem or _spectral(axes),
    )


def _squeeze(
    data: NDArray[Any], axes: list[dict[str, Any]]
) -> tuple[NDArray[Any], list[dict[str, Any]]]:
    """Without the leading axes of length one: a stack of one frame is an image."""
    kept = [n for n, size in enumerate(data.shape) if size != 1 or n >= data.ndim - 2]
    return data.reshape([data.shape[n] for n in kept]), [axes[n] for n in kept]


def _spectral(axes: list[dict[str, Any]]) -> str | None:
    """Why this is a spectrum or a map of spectra; a cube of them looks just like a stack."""
    signal = sum(not axis.get("navigate", False) for axis in axes)
    units = {_text(axis.get("units")).lower() for axis in axes}
    names = {_text(axis.get("name")).lower() for axis in axes}
    if signal == 1 or units & _SPECTRAL_UNITS or names & _SPECTRAL_NAMES:
        return "it is a spectrum or a map of spectra, not an image"
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
