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

from stemzoo import _core
from stemzoo.common.arrays import native
from stemzoo.inference.model import MAX_TILE, Model
from stemzoo.inference.normalisation import normalisation_of
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
    """Mean and standard deviation that an image is normalised by, the range of all pixels that are
    not hot, and what stands for masked ones."""

    mean: float
    std: float
    low: float
    high: float
    fill: float


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
    mask = np.ma.getmaskarray(window) if np.ma.isMaskedArray(window) else None
    pixels = native(np.ma.getdata(window), "image")
    if mask is not None:
        pixels = np.where(mask, by.fill, pixels)
    # Only hot pixels are outside the range.
    limited = np.clip(pixels, by.low, by.high).astype(pixels.dtype, copy=False)
    result = sent.opened()(limited, mean=by.mean, std=by.std)[inner]
    return result if mask is None else np.ma.MaskedArray(result, mask[inner])


def _measured(block: Any) -> tuple[int, Statistics]:
    known = np.ma.compressed(block)[None] if np.ma.isMaskedArray(block) else block
    if not known.size:
        return 0, Statistics(0, 0, math.inf, -math.inf, 0)
    pixels = native(known, "image")
    mean, std, finite, limits = _core.measure(pixels)
    if not finite:
        raise ValueError(
            "the image holds NaN or infinity; replace those pixels, or mask them: "
            "dask.array.ma.masked_invalid(image)"
        )
    low, high = limits or (float(pixels.min()), float(pixels.max()))
    return known.size, Statistics(mean, std, low, high, mean)


def _overall(blocks: list[tuple[int, Statistics]], given: tuple[float, float] | None) -> Statistics:
    """Of the image, from those of its blocks; hot pixels are found block by block."""
    count = np.array([size for size, _ in blocks], float)
    if not count.any():
        raise ValueError("every pixel of image is masked, so there is nothing to work on")
    means, stds, lows, highs, _ = np.array([each for _, each in blocks]).T
    if len(blocks) == 1:
        mean, std = float(means[0]), float(stds[0])
    else:
        mean = float((count * means).sum() / count.sum())
        std = math.sqrt((count * (stds**2 + (means - mean) ** 2)).sum() / count.sum())
    by = given or (mean, std or 1.0)  # a constant image stays one
    return Statistics(*by, float(lows.min()), float(highs.max()), mean)


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
