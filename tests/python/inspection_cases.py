"""Frames with a known truth for the tests of `stemzoo.inspect`; no network takes part."""

from dataclasses import replace

import numpy as np

from stemzoo.cli.demo.phantoms import perovskite

SIDE, PEAK, PERIOD = 192, 20.0, 14.0
SPACING = PERIOD / 2**0.5
GONE = (96.0, 96.0)  # near the column that the specimen lacks


def specimen():
    return perovskite((SIDE, SIDE), 8, period=PERIOD, sigma=2.1)


def strong(columns):
    return np.flatnonzero(columns.weight > 0.5)


def with_vacancy():
    """The expected counts of a specimen that lacks one column, those of the whole one, and where
    the column is missing."""
    whole = specimen()
    chosen = strong(whole)
    distance = np.hypot(whole.y[chosen] - GONE[0], whole.x[chosen] - GONE[1])
    index = chosen[distance.argmin()]
    rest = np.arange(len(whole.y)) != index
    lacking = replace(whole, y=whole.y[rest], x=whole.x[rest], weight=whole.weight[rest])
    full, holed = (each.image((SIDE, SIDE)) for each in (whole, lacking))
    scale = PEAK / full.max()
    return holed * scale, full * scale, (whole.y[index], whole.x[index])


def counts(expected, seed=1):
    return np.random.default_rng(seed).poisson(expected).astype(np.float32)


def afterglow(image, length=2.0):
    """Each pixel delayed into those after it, exponentially along x."""
    decay = np.exp(-1 / length)
    glowing = np.array(image, np.float64)
    for x in range(1, glowing.shape[1]):
        glowing[:, x] = (1 - decay) * image[:, x] + decay * glowing[:, x - 1]
    return glowing.astype(np.float32)
