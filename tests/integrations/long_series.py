"""Drifting series of any length as Dask arrays: each block is made where it is computed on."""

from functools import lru_cache

import dask.array as da
import numpy as np

from stemzoo.cli.demo.phantoms import Specimen

DOSE = 20  # electrons per pixel at the brightest
FINE = 4  # samples for each pixel, so drifts are multiples of a quarter
STEP = 0.3  # px of drift from frame to frame


def path(frames: int, side: int) -> np.ndarray:
    """A slow wandering within a twelfth of the picture, and a jitter about it."""
    at = np.arange(frames)
    reach = side / 12
    turn = STEP * at / reach
    there = reach * np.stack([np.sin(turn), np.sin(0.7 * turn)], 1)
    there += 0.4 * np.stack([np.sin(2.1 * at), np.sin(1.3 * at)], 1)
    return np.round(there * FINE) / FINE


def series(frames: int, *, side: int = 512, chunk: int = 32, seed: int = 0) -> da.Array:
    """`frames` frames of counts, uint16; nothing on them repeats."""
    chunks = da.core.normalize_chunks((chunk, side, side), (frames, side, side), dtype=np.uint16)
    return da.map_blocks(
        _block,
        dtype=np.uint16,
        chunks=chunks,
        meta=np.empty((0, 0, 0), np.uint16),
        side=side,
        frames=frames,
        seed=seed,
    )


@lru_cache(maxsize=2)
def _specimen(side: int, seed: int) -> np.ndarray:
    """All that the series may show, finely sampled."""
    random = np.random.default_rng(seed)
    shape = np.array(2 * [FINE * (side + 2 * _margin(side))])
    y, x = random.uniform(0, shape[:, None], (2, shape[0] ** 2 // (120 * FINE**2)))
    weights = random.uniform(0.3, 1, len(y))
    image = Specimen(y, x, weights, 2.5 * FINE, background=0.1).image(tuple(shape))
    return image / image.max()


def _margin(side: int) -> int:
    return side // 12 + 2


def _block(side: int, frames: int, seed: int, block_info: dict) -> np.ndarray:
    ((first, last), *_) = block_info[None]["array-location"]
    corners = ((_margin(side) - path(frames, side)[first:last]) * FINE).astype(int).tolist()
    counts = []
    for index, (top, left) in enumerate(corners, first):
        seen = np.s_[top : top + FINE * side : FINE, left : left + FINE * side : FINE]
        random = np.random.default_rng((seed, index))
        counts.append(random.poisson(DOSE * _specimen(side, seed)[seen]))
    return np.stack(counts).astype(np.uint16)
