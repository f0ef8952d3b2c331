"""The loop of csrc/inference written in Python, from the same parts of the core: what it must give,
to the last bit."""

import numpy as np

from stemzoo import _core

MAX_TILE, BATCH_PIXELS = 1024, 1 << 20


def run(network, image, *, mean_std=None, max_tile=MAX_TILE, **geometry):
    """What a network of that geometry makes of an image, a stack, or a masked one of either."""
    if np.ma.isMaskedArray(image):
        filled = _filled(image.data, np.ma.getmaskarray(image))
        return run(network, filled, mean_std=mean_std, max_tile=max_tile, **geometry)
    if image.ndim == 3:
        frames = [
            run(network, frame, mean_std=mean_std, max_tile=max_tile, **geometry) for frame in image
        ]
        return np.stack(frames)
    mean, std, finite, limits = _core.measure(image)
    assert finite
    mean, std = mean_std or (mean, std)
    tiling = _tiling(image.shape, max_tile, **geometry)
    result = np.empty(image.shape, np.float32)
    rows, cols = tiling.tile
    at_once = max(1, BATCH_PIXELS // (rows * cols))
    scale = 1 / std if std > 0 else 0.0
    for first in range(0, len(tiling), at_once):
        count = min(at_once, len(tiling) - first)
        batch = tiling.split(image, first, count, mean, scale, limits=limits)
        tiling.blend(network(batch[:, None])[:, 0], result, first, std, mean)
    return result


def _filled(values, mask):
    if not mask.any():
        return values
    count = np.maximum((~mask).sum((-2, -1), keepdims=True), 1)
    total = np.where(mask, 0, values).sum((-2, -1), np.float64, keepdims=True)
    return np.where(mask, total / count, values)


def _tiling(shape, max_tile, multiple=1, halo=0, whole=0, window=0, step=0):
    if window:
        return _core.Tiling(shape, (window, window), (step, step), "hann", (1, 1))
    most = whole or max_tile
    return _core.Tiling.for_model(shape, multiple, halo, most)
