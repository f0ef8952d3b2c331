"""One large image by Dask: normalised as a whole, then computed window by window.

Windows are those of the network's own plan for an image of this size (csrc/inference), so their
parts are what the whole image would give.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import dask
import dask.array as da
import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.model import MAX_TILE, Model, normalisation_of
from stemzoo.integrations.sent import Sent
from stemzoo.model_file.interface import Images, TakesImages

LEAST_PART = 512  # px: of windows that overlap almost entirely, so many make up a task


class Part(NamedTuple):
    """What a task makes of one axis: [begin, end) of the image, from [first, last) of it."""

    begin: int
    end: int
    first: int
    last: int


class Statistics(NamedTuple):
    """Mean and standard deviation without hot pixels, and the range of all other pixels."""

    mean: float
    std: float
    low: float
    high: float


def in_windows(
    image: da.Array, model: Model, *, mean: float | None = None, std: float | None = None
) -> da.Array:
    """A model on an image of any size; the blocks of the result follow from the network."""
    rows, columns = _parts(image.shape, model)
    sent = Sent.of(model)
    blocks = [dask.delayed(_measured, pure=True)(block) for block in image.to_delayed().ravel()]
    given = normalisation_of(mean, std)
    statistics = dask.delayed(_overall, pure=True)(blocks, given)
    return da.block(
        [[_computed(image, (row, column), sent, statistics) for column in columns] for row in rows]
    )


def _computed(image: da.Array, part: tuple[Part, Part], sent: Sent, statistics: Any) -> da.Array:
    window = image[tuple(slice(axis.first, axis.last) for axis in part)].rechunk(-1)
    inner = tuple(slice(axis.begin - axis.first, axis.end - axis.first) for axis in part)
    return da.map_blocks(
        _run,
        window,
        sent,
        statistics,
        inner,
        dtype=np.float32,
        chunks=tuple((axis.end - axis.begin,) for axis in part),
        meta=window._meta.astype(np.float32),
    )


def _run(window: Any, sent: Sent, by: Statistics, inner: tuple[slice, slice]) -> Any:
    # Only hot pixels are outside the range.
    limited = np.clip(window, by.low, by.high).astype(window.dtype, copy=False)
    return sent.opened()(limited, mean=by.mean, std=by.std)[inner]


def _measured(block: NDArray[Any]) -> tuple[int, Statistics]:
    known = np.ma.compressed(block)[None] if np.ma.isMaskedArray(block) else block
    if not known.size:
        return 0, Statistics(0, 0, math.inf, -math.inf)
    mean, std, finite, limits = _core.measure(known)
    if not finite:
        raise ValueError(
            "the image holds NaN or infinity; replace those pixels, or mask them: "
            "dask.array.ma.masked_invalid(image)"
        )
    return known.size, Statistics(mean, std, *(limits or (float(known.min()), float(known.max()))))


def _overall(blocks: list[tuple[int, Statistics]], given: tuple[float, float] | None) -> Statistics:
    """Of the image, from those of its blocks; hot pixels are found block by block."""
    if len(blocks) == 1:
        ((_, found),) = blocks
    else:
        count = np.array([size for size, _ in blocks], float)
        means, stds, lows, highs = np.array([each for _, each in blocks]).T
        middle = float((count * means).sum() / count.sum())
        variance = float((count * (stds**2 + (means - middle) ** 2)).sum() / count.sum())
        found = Statistics(middle, math.sqrt(variance), float(lows.min()), float(highs.max()))
    if given:
        return found._replace(mean=given[0], std=given[1])
    return found if found.std > 0 else found._replace(std=1.0)  # a constant image stays one


def _parts(shape: tuple[int, int], model: Model) -> tuple[list[Part], list[Part]]:
    interface = model.contract.interface
    assert isinstance(interface, TakesImages)
    # What a network takes whole is a better window of a larger image than the usual tile.
    whole = interface.whole if isinstance(interface, Images) else 0
    geometry = interface.geometry(None, model.contract.name)
    plan = _core.plan_tiles(shape, **geometry, max_tile=max(whole, MAX_TILE))
    starts = plan.starts()
    both = zip(
        shape, plan.tile, (np.unique(starts[:, axis]).tolist() for axis in (0, 1)), strict=True
    )
    cut = _cropped if plan.weights == "crop" else _blended
    rows, columns = (list(cut(size, tile, at)) for size, tile, at in both)
    return rows, columns


def _cropped(size: int, tile: int, starts: list[int]) -> Iterator[Part]:
    """Windows that meet in the middle of their overlap."""
    between = [(one + tile + other) // 2 for one, other in itertools.pairwise(starts)]
    for start, begin, end in zip(starts, [0, *between], [*between, size], strict=True):
        yield Part(begin, end, start, min(start + tile, size))


def _blended(size: int, tile: int, starts: list[int]) -> Iterator[Part]:
    """Windows that are averaged: a part needs all that reach into it."""
    at_once = max(1, LEAST_PART // max(starts[1] - starts[0], 1)) if len(starts) > 1 else 1
    borders = [*starts[::at_once], size]
    if len(borders) > 2 and size - borders[-2] < tile:
        del borders[-2]
    for begin, end in itertools.pairwise(borders):
        touching = [start for start in starts if start < end and start + tile > begin]
        yield Part(begin, end, touching[0], min(touching[-1] + tile, size))
