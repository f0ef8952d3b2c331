"""Drifting series of any length as Dask arrays: each block is made where it is computed on."""

from functools import lru_cache

import dask.array as da
import numpy as np

from stemzoo.cli.demo.phantoms import Specimen

DOSE = 20  # electrons per pixel at the brightest
FINE = 4  # samples for each pixel, so drifts are multiples of a quarter
STEP = 0.3  # px of drift from frame to frame
LEVELS, CHANCES = 256, 4096  # grey levels, and quantiles of the counts at each


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
    """All that the series may show, by grey level; the first two axes are fractions of a pixel."""
    random = np.random.default_rng(seed)
    shape = np.array(2 * [FINE * (side + 2 * _margin(side))])
    y, x = random.uniform(0, shape[:, None], (2, shape[0] ** 2 // (120 * FINE**2)))
    weights = random.uniform(0.3, 1, len(y))
    image = Specimen(y, x, weights, 2.5 * FINE, background=0.1).image(tuple(shape))
    levels = np.rint(image * ((LEVELS - 1) / image.max())).astype(np.intp)
    phases = [[levels[top::FINE, left::FINE] for left in range(FINE)] for top in range(FINE)]
    return np.ascontiguousarray(phases) * CHANCES


@lru_cache(maxsize=1)
def _quantiles() -> np.ndarray:
    """Of the Poisson distribution at each level. To draw counts one by one would take longer than
    to align them."""
    rates = np.linspace(0, DOSE, LEVELS)[:, None]
    counts = np.arange(4 * DOSE)
    steps = np.concatenate([np.exp(-rates), rates / np.maximum(counts[1:], 1)], axis=1)
    cumulative = np.cumprod(steps, axis=1).cumsum(axis=1)
    chances = (np.arange(CHANCES) + 0.5) / CHANCES
    return np.concatenate([np.searchsorted(each, chances) for each in cumulative]).astype(np.uint16)


def _margin(side: int) -> int:
    return side // 12 + 2


def _block(side: int, frames: int, seed: int, block_info: dict) -> np.ndarray:
    ((first, last), *_) = block_info[None]["array-location"]
    corners = ((_margin(side) - path(frames, side)[first:last]) * FINE).astype(int).tolist()
    counts = np.empty((last - first, side, side), np.uint16)
    for index, (top, left) in enumerate(corners):
        phase = _specimen(side, seed)[top % FINE, left % FINE]
        seen = phase[top // FINE :][:side, left // FINE :][:, :side]
        random = np.random.default_rng((seed, first + index))
        chance = random.integers(0, CHANCES, seen.shape, np.uint16)
        np.take(_quantiles(), seen + chance, out=counts[index], mode="clip")  # none is outside
    return counts
