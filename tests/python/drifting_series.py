"""Series with a known drift, of particles: nothing on them repeats, so no estimator may hop."""

import numpy as np

from stemzoo.cli.demo.phantoms import Specimen, expose

SHAPE = (96, 80)
REACH = 30  # px beyond the picture


def particles(shape=SHAPE, seed=0):
    random = np.random.default_rng(seed)
    count = (shape[0] + 2 * REACH) * (shape[1] + 2 * REACH) // 120
    y, x = (random.uniform(-REACH, size + REACH, count) for size in shape)
    return Specimen(y, x, random.uniform(0.3, 1, count), 2.5, background=0.1)


def drifting(path, *, dose=50, seed=0, shape=SHAPE):
    """Electron counts of the specimen along the path."""
    random = np.random.default_rng(seed)
    clean = particles(shape, seed)
    return np.stack([expose(clean.image(shape, shift), dose, random) for shift in path])


def steps(frames, seed=1, size=0.8):
    path = np.random.default_rng(seed).normal(size=(frames, 2)).cumsum(0) * size
    return path - path[0]
