"""Benchmark of tiling: split and blend, against NumPy and against copying the image twice."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

import stemzoo
from benchmarks.timing import medians, milliseconds, table

IMAGE_SIDE, TILE, STEP = 4096, 256, 224  # windows overlap by 32 px

Image = NDArray[np.float32]


def report() -> str:
    image = np.random.default_rng(0).normal(size=(IMAGE_SIDE, IMAGE_SIDE)).astype(np.float32)
    tiling = stemzoo.Tiling(image.shape, TILE, STEP)
    batch = tiling.split(image)
    result = np.empty_like(image)
    times = medians(
        {
            "stemzoo.Tiling, split + blend": partial(_ours, tiling, image, batch, result),
            "NumPy, split + blend": partial(_numpy, tiling, image, batch, result),
            "copying the image twice": partial(_copy_twice, image, result, np.empty_like(image)),
        }
    )
    copies = times["copying the image twice"]
    rows = [[n, milliseconds(s), f"{s / copies:.2f}x"] for n, s in times.items()]
    head = f"## Tiling {IMAGE_SIDE} x {IMAGE_SIDE}, windows of {TILE}, step {STEP}\n"
    floating = _floating_window()
    return "\n".join([head, table(["", "ms", "of two copies"], rows), floating])


def _ours(tiling: stemzoo.Tiling, image: Image, batch: Image, result: Image) -> None:
    tiling.split(image, batch)
    result.fill(0)
    tiling.blend(batch, result)


def _numpy(tiling: stemzoo.Tiling, image: Image, batch: Image, result: Image) -> None:
    """The usual implementation: sums of weighted tiles and of weights, and a division."""
    ramp = np.sin(np.pi * (np.arange(TILE, dtype=np.float32) + 0.5) / TILE) ** 2
    window = np.outer(ramp, ramp)
    weights = np.zeros_like(image)
    for k, (y, x) in enumerate(tiling.starts):
        batch[k] = image[y : y + TILE, x : x + TILE]
    result.fill(0)
    for k, (y, x) in enumerate(tiling.starts):
        result[y : y + TILE, x : x + TILE] += window * batch[k]
        weights[y : y + TILE, x : x + TILE] += window
    result /= weights


def _copy_twice(image: Image, first: Image, second: Image) -> None:
    np.copyto(first, image)
    np.copyto(second, first)


def _floating_window() -> str:
    image = np.random.default_rng(0).normal(size=(512, 512)).astype(np.float32)
    tiling = stemzoo.Tiling(image.shape, 28, 2)
    batch = tiling.split(image)
    times = medians({"ours": partial(_ours, tiling, image, batch, np.empty_like(image))}, rounds=7)
    return (
        f"The published floating window (28 x 28, step 2, {len(tiling):,} windows of a 512 x 512 "
        f"image): split + blend in {milliseconds(times['ours'])} ms.\n"
    )
