"""What an image is: the one place that decides, whatever file the pixels come from.

An image is one grey level a pixel, a stack several images of one size. A picture whose red, green
and blue are the same everywhere is grey, and so is one with an alpha channel that is opaque
everywhere. Where a pixel is transparent, what it shows depends on what is behind it: such a picture
is refused, and so is true colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.arrays import looks_coloured

COLOUR = "it is a colour picture; convert it to greyscale first"
TRANSPARENT = (
    "its last channel is no opaque alpha: parts of it are transparent, and what they show is not "
    "known, or the channel holds something else; save the image without it"
)

Judged = tuple[NDArray[Any], str | None]  # pixels, and why they are no image where they are none


def judged(data: NDArray[Any]) -> Judged:
    """An array of a file as an image or a stack, or why it is neither."""
    fields = data.dtype.names
    if fields and {"R", "G", "B"} <= set(fields) <= {"R", "G", "B", "A"}:
        data, problem = grey(np.stack([data[name] for name in "RGBA" if name in fields], -1))
        return data, problem or array_problem(data)
    return data, array_problem(data)


def grey(samples: NDArray[Any]) -> Judged:
    """Grey levels of `samples` (..., channels): of grey, grey and alpha, RGB or RGBA."""
    channels = samples.shape[-1]
    if channels > 4:
        return samples[..., 0], COLOUR
    colours = channels - (channels % 2 == 0)
    first = samples[..., 0]
    if any(not np.array_equal(first, samples[..., other]) for other in range(1, colours)):
        return first, COLOUR
    if colours < channels and not (samples[..., -1] == _most(samples.dtype)).all():
        return first, TRANSPARENT
    return first, None


def from_palette(numbers: NDArray[Any], palette: NDArray[Any]) -> Judged:
    """Grey levels of a picture that gives the number of a colour for each pixel.

    `palette` is (colours, channels); 16-bit colours that stand for 8-bit ones come as these.
    """
    levels, problem = grey(palette)
    if problem:  # perhaps of a colour that no pixel has
        used = np.unique(numbers)
        used_levels, problem = grey(palette[used])
        levels = np.zeros(len(palette), levels.dtype)
        levels[used] = used_levels
    for step in (257, 256):
        if levels.dtype == np.uint16 and not (levels % step).any():
            levels = (levels // step).astype(np.uint8)
    return levels[numbers], problem


def array_problem(data: NDArray[Any]) -> str | None:
    """Why `data` is neither an image nor a stack of real numbers; None if it is one."""
    if data.dtype.names:
        return COLOUR
    if data.dtype.kind == "c":
        return "its values are complex; save its real part, magnitude or phase instead"
    if data.dtype.kind not in "buif":
        return f"its values are {data.dtype}, not real numbers"
    if data.size == 0:
        return f"its shape {data.shape} holds no pixels"
    if data.ndim not in (2, 3):
        hint = "; save one image or one stack of it" if data.ndim > 3 else ""
        return (
            f"its shape {data.shape} has {data.ndim} dimension{'s' * (data.ndim != 1)}, where "
            f"(rows, columns) or (frames, rows, columns) is expected{hint}"
        )
    if looks_coloured(data.shape):
        return f"its shape {data.shape} is that of a colour picture; convert it to greyscale first"
    return None


def _most(dtype: np.dtype[Any]) -> int | float:
    """What an opaque pixel has."""
    if dtype.kind == "b":
        return 1
    return int(np.iinfo(dtype).max) if dtype.kind in "ui" else 1.0
