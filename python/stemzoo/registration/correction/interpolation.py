"""The correction that a picture got, on whatever was recorded with it: channel by channel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.registration.correction.parts import Part, pieces
from stemzoo.registration.correction.recording import Recording, Shape
from stemzoo.registration.correction.rows import straighten
from stemzoo.registration.correction.shifted import straightened

Kind = Literal["drift", "alignment", "rows", "merge"]
Image = NDArray[np.float32]
Planes = Sequence[NDArray[Any]]  # one of each recording
Interpolate = Callable[[Sequence[Recording], Planes, Shape, int], Image]

BLOCK = 1 << 22  # numbers that are interpolated at once


def interpolate(
    kind: Kind, parts: Sequence[Part], picture: Shape, result: Image, threads: int
) -> None:
    """Fills the result, of the picture's shape and the trailing axes of the parts."""
    recordings = [part.recording for part in parts]
    everywhere = (slice(None), slice(None))
    for index in pieces(parts[0].shape[2:], max(BLOCK // (picture[0] * picture[1]), 1)):
        cubes = [part.read((*everywhere, *index)) for part in parts]
        result[(*everywhere, *index)] = interpolated(kind, recordings, cubes, picture, threads)


def interpolated(
    kind: Kind,
    recordings: Sequence[Recording],
    cubes: Sequence[NDArray[Any]],
    picture: Shape,
    threads: int,
) -> Image:
    """Arrays [rows, columns, ...], one of each recording, as one of the picture's shape."""
    trailing = cubes[0].shape[2:]
    flat = [cube.reshape(*cube.shape[:2], -1) for cube in cubes]
    channels = flat[0].shape[2]
    result = np.empty((*picture, channels), np.float32)

    def one(channel: int, each: int) -> None:
        planes = [cube[:, :, channel] for cube in flat]
        result[:, :, channel] = _INTERPOLATE[kind](recordings, planes, picture, each)

    if channels == 1:
        one(0, threads)
    else:
        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            list(pool.map(lambda channel: one(channel, 1), range(channels)))
    return result.reshape(*picture, *trailing)


def mean_shifted(
    recordings: Sequence[Recording], planes: Planes, picture: Shape, threads: int
) -> Image:
    """The mean of frames that drifted; NaN where none shows anything."""
    total, coverage = np.zeros(picture), np.zeros(picture, np.int32)
    for recording, plane in zip(recordings, planes, strict=True):
        assert recording.path is not None
        known = np.isfinite(plane) if plane.dtype.kind == "f" else None
        if known is not None and known.all():
            known = None
        pixels = plane if known is None else np.where(known, plane, 0)
        image, covered = straightened(
            pixels, known, -recording.path[0], -np.asarray(recording.rate)
        )
        total += image
        coverage += covered
    with np.errstate(invalid="ignore"):  # nothing over nothing: NaN is what it should be
        return np.asarray(total / coverage, np.float32)


def straight_rows(
    recordings: Sequence[Recording], planes: Planes, picture: Shape, threads: int
) -> Image:
    (recording,), (plane,) = recordings, planes
    path = recording.lines(picture)
    return straighten(plane, path, fast_axis=recording.fast_axis, threads=threads or None)


def merge_along(
    recordings: Sequence[Recording], planes: Planes, picture: Shape, threads: int
) -> Image:
    """Scans of several directions along paths that are known."""
    offset = typical(planes)
    merged, _ = _core.merge_along(
        [less(plane, offset) for plane in planes],
        [recording.angle for recording in recordings],
        [
            recording.lines((plane.shape[0], plane.shape[1]))
            for recording, plane in zip(recordings, planes, strict=True)
        ],
        picture,
        threads,
    )
    return plus(merged, offset)


def typical(images: Planes) -> float:
    """A mean: float32 keeps the contrast of what is left without it."""
    total, count = 0.0, 0
    for image in images:
        known = image[np.isfinite(image)]
        total, count = total + float(known.sum(dtype=np.float64)), count + known.size
    return total / count if count else 0.0


def less(image: NDArray[Any], offset: float) -> Image:
    return np.ascontiguousarray(np.subtract(image, offset, dtype=np.float64).astype(np.float32))


def plus(image: Image, offset: float) -> Image:
    return (image + np.float64(offset)).astype(np.float32)


_INTERPOLATE: dict[Kind, Interpolate] = {
    "drift": mean_shifted,
    "alignment": mean_shifted,
    "rows": straight_rows,
    "merge": merge_along,
}
