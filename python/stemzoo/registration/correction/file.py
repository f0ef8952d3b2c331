"""Corrections as files: JSON, one object; docs/corrections.md describes it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError
from stemzoo.registration.correction.correction import NAMES, Correction
from stemzoo.registration.correction.recording import Floats, Recording, Shape

FORMAT, VERSION = "stemzoo correction", 1
LARGEST = 1 << 28  # bytes; a thousand frames of a thousand lines each take a fifth of it

T = TypeVar("T")


class _Wrong(Exception):
    """What a file holds instead of what it should."""


def save(correction: Correction, path: str | os.PathLike[str]) -> None:
    held = {
        "format": FORMAT,
        "version": VERSION,
        "software": f"stemzoo {_core.__version__}",
        "kind": correction.kind,
        "picture": correction.picture,
        "recordings": [_recording(each) for each in correction.recordings],
        "about": dict(correction.about),
    }
    with replacing(Path(path)) as file:
        file.write(json.dumps(held, allow_nan=False).encode() + b"\n")


def load_correction(path: str | os.PathLike[str]) -> Correction:
    """The correction that `.save` of a `Drift`, `Alignment`, `Restoration` or `ScanMerge` wrote.

    Raises FileError for what is no such file, is damaged, or comes from a later version.
    """
    path = Path(path)
    held = _object(path)
    if held.get("format") != FORMAT:
        raise FileError(
            f"{path} is no correction: its format is {held.get('format')!r}, expected {FORMAT!r}; "
            "give a file that .save() or --save-correction has written"
        )
    if held.get("version") != VERSION:
        raise FileError(
            f"{path} is a correction of version {held.get('version')!r}; this stemzoo reads "
            f"version {VERSION}: use the stemzoo that wrote it ({held.get('software')}), or a "
            "later one"
        )
    try:
        return _correction(held)
    except _Wrong as wrong:
        raise FileError(
            f"{path} is damaged: {wrong}; save the correction again, or copy it again from where "
            "it was saved"
        ) from None


def is_correction(path: Path) -> bool:
    """Whether a file was written by `save`, of whatever version."""
    try:
        return _object(path).get("format") == FORMAT
    except FileError:
        return False


def _object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise FileError(f"{path} has more than {LARGEST >> 20} MiB, and is no correction")
        held = json.loads(path.read_bytes())
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is no correction: it is not JSON ({error})") from error
    if not isinstance(held, dict):
        raise FileError(f"{path} is no correction: it holds no JSON object")
    return held


def _recording(given: Recording) -> dict[str, Any]:
    return {
        "shape": given.shape,
        "angle": given.angle,
        "fast_axis": given.fast_axis,
        "path": _numbers(given.path),
        "sigma": _numbers(given.sigma),
        "rate": [float(value) for value in given.rate],
    }


def _numbers(values: NDArray[Any] | None) -> list[Any] | None:
    """What is not finite is null."""
    if values is None:
        return None
    return [
        [float(value) if np.isfinite(value) else None for value in row]
        for row in np.asarray(values, np.float64)
    ]


def _correction(held: dict[str, Any]) -> Correction:
    kind = held.get("kind")
    if kind not in NAMES:
        raise _Wrong(f"its kind is {kind!r}, expected one of {', '.join(NAMES)}")
    recordings = held.get("recordings")
    if not isinstance(recordings, list) or not recordings:
        raise _Wrong("it lists no recordings")
    if kind in ("drift", "rows") and len(recordings) != 1:
        raise _Wrong(f"it lists {len(recordings)} recordings, and one of kind {kind} has 1")
    picture = _or_none(held.get("picture"), _shape)
    if picture is None and kind != "drift":
        raise _Wrong("the shape of its picture is missing")
    about = held.get("about")
    return Correction(
        kind=kind,
        picture=picture,
        recordings=tuple(_read_recording(each, k, kind) for k, each in enumerate(recordings)),
        about=about if isinstance(about, dict) else {},
    )


def _read_recording(held: Any, number: int, kind: str) -> Recording:
    try:
        if not isinstance(held, dict):
            raise _Wrong("it is no object")
        shape = _or_none(held.get("shape"), _shape)
        if shape is None and kind != "drift":
            raise _Wrong("its shape is missing")
        axis = held.get("fast_axis")
        if axis not in ("x", "y"):
            raise _Wrong(f"its fast_axis is {axis!r}, expected 'x' or 'y'")
        (angle,), rate = _reals([held.get("angle")]), _reals(held.get("rate"))
        if len(rate) != 2:
            raise _Wrong(f"its rate has {len(rate)} numbers, expected 2")
        path = _or_none(held.get("path"), _pairs)
        sigma = _or_none(held.get("sigma"), _pairs)
        if path is not None and not np.isfinite(path).all():
            raise _Wrong("its path holds null")
        lines = None if shape is None else shape[0 if axis == "x" else 1]
        whole = (kind in ("rows", "merge") and (lines,)) or (1, lines)
        if path is not None and len(path) not in whole:
            raise _Wrong(f"its path has {len(path)} lines, and its shape {shape} takes {lines}")
        return Recording(shape, path, sigma, (rate[0], rate[1]), angle, axis)
    except _Wrong as wrong:
        raise _Wrong(f"of recording {number}, {wrong}") from None


def _or_none(value: Any, read: Callable[[Any], T]) -> T | None:
    return None if value is None else read(value)


def _shape(value: Any) -> Shape:
    if not (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and 0 < side < 1 << 24 for side in value)
    ):
        raise _Wrong(f"{value!r:.80} is no shape, expected [rows, columns]")
    return value[0], value[1]


def _reals(value: Any) -> list[float]:
    if not isinstance(value, list) or not all(type(each) in (int, float) for each in value):
        raise _Wrong(f"{value!r:.80} are no numbers")
    found = [float(each) for each in value]
    if not np.isfinite(found).all():
        raise _Wrong(f"{value!r:.80} are not all finite")
    return found


def _pairs(value: Any) -> Floats:
    if not isinstance(value, list) or not value:
        raise _Wrong(f"{value!r:.80} is no list of [dy, dx]")
    for each in value:
        numbers = isinstance(each, list) and all(
            number is None or (type(number) in (int, float) and abs(number) < 1e9)
            for number in each
        )
        if not numbers or len(each) != 2:
            raise _Wrong(f"{each!r:.80} is no [dy, dx], px")
    return np.array(value, np.float64)
