"""Specimens whose drift can be told, and one whose drift cannot: on all of them columns repeat."""

import numpy as np

from stemzoo.cli.demo.phantoms import Specimen, expose

SIGMA = 2.4
AROUND = 60  # px of specimen beyond the frame


def particle(shape=(128, 128), period=11.0):
    """A round crystal in the middle of the frame."""
    y, x = _lattice(shape, period)
    inside = np.hypot(y - shape[0] / 2, x - shape[1] / 2) < 0.28 * min(shape)
    return Specimen(y[inside], x[inside], np.ones(inside.sum()), SIGMA, background=0.05)


def crystal(shape=(128, 128), period=11.0, *, spread=0.0):
    """A crystal all over, whose columns differ in height by `spread`."""
    y, x = _lattice(shape, period)
    weight = np.clip(1 + spread * np.random.default_rng(4).normal(size=len(y)), 0.1, None)
    return Specimen(y, x, weight, SIGMA, background=0.05)


def pair(specimen, shift, shape=(128, 128), dose=100.0, ratio=1.0, start=(0.0, 0.0)):
    """Counts before and after it moved, from `start` to `shift`."""
    random = np.random.default_rng(9)
    still = expose(specimen.image(shape, start), dose, random)
    return still, expose(specimen.image(shape, shift), dose * ratio, random)


def _lattice(shape, period):
    axes = (np.arange(-AROUND, side + AROUND, period) for side in shape)
    y, x = np.meshgrid(*axes, indexing="ij")
    return y.ravel(), x.ravel()
