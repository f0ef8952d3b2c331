"""Frames that have a file each, as one stack."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stemzoo.common.errors import FileError
from stemzoo.io.datasets import Wanted
from stemzoo.io.formats import read
from stemzoo.io.micrograph import Micrograph

_CLOSE = 1e-3  # relative difference of pixel sizes that programs round to


def read_series(paths: Sequence[Path], signal: Wanted = None) -> Micrograph:
    """The stack in a single file, or the images in several; of one size and one calibration."""
    first = read(paths[0], signal=signal)
    if len(paths) == 1:
        return first
    frames = [first, *(read(path, signal=signal) for path in paths[1:])]
    for path, frame in zip(paths, frames, strict=True):
        _require_like(path, frame, paths[0], first)
    dtype = np.result_type(*(frame.data.dtype for frame in frames))
    return dataclasses.replace(
        first, data=np.stack([frame.data for frame in frames]).astype(dtype, copy=False)
    )


def _require_like(path: Path, frame: Micrograph, first_path: Path, first: Micrograph) -> None:
    if frame.data.ndim != 2:
        raise FileError(
            f"{path} holds a stack of shape {frame.data.shape}; of several files, each holds one "
            "image: give a stack alone"
        )
    if frame.data.shape != first.data.shape:
        raise FileError(
            f"{path} has shape {frame.data.shape} and {first_path} has {first.data.shape}; "
            "expected frames of one size"
        )
    one, other = (each.pixel_size for each in (first, frame))
    if one and other and (first.unit != frame.unit or not np.allclose(one, other, rtol=_CLOSE)):
        raise FileError(
            f"{path} has pixels of {other} {frame.unit} and {first_path} of {one} {first.unit}; "
            "expected frames of one pixel size"
        )
