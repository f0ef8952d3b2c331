"""Made-up measurements between the frames of a series on a crystal, with hops."""

import numpy as np

from stemzoo.alignment.consistency import Pairs

LATTICE = np.array([(20.0, 0.0), (10.0, 17.3)])
CELLS = np.array([(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)])
VECTORS = CELLS @ LATTICE  # the neighbours of a lattice point
NOISE = 0.05


def walk(frames, seed):
    path = np.random.default_rng(seed).normal(size=(frames, 2)).cumsum(0)
    return path - path[0]


def banded(frames, band):
    ends = [(i, j) for i in range(frames) for j in range(i + 1, min(frames, i + band + 1))]
    return np.array(ends).T


def measured(path, band, seed, *, hops=0.2, others=4, noise=NOISE, own=0.0, sigma=NOISE):
    """Pairs up to `band` apart; a share `hops` of the answers is off by a lattice vector.

    Each has the true drift among its `others`, where it has any. `noise` is of pairs, `own` of
    frames: the same in all pairs of a frame.
    """
    random = np.random.default_rng(seed)
    first, second = banded(len(path), band)
    moved = path + own * random.normal(size=path.shape)
    true = moved[second] - moved[first] + noise * random.normal(size=(len(first), 2))
    shifts = np.full((len(first), 1 + others, 2), np.nan)
    scores = np.zeros((len(first), 1 + others))
    hopped = random.random(len(first)) < hops
    for row, hop in enumerate(hopped):
        order = random.permutation(len(VECTORS))
        answer = true[row] + (VECTORS[order[0]] if hop else 0)
        rest = [answer + VECTORS[at] for at in order[1 : 1 + others]]
        if hop and others:
            rest[random.integers(others)] = true[row]
        shifts[row] = [answer, *rest]
        scores[row, 1:] = 0.3 / max(others, 1)
    scores[:, 0] = 1 - scores.sum(1)
    sure = np.ones(len(first), bool)
    return Pairs(first, second, shifts, scores, np.full((len(first), 2), sigma), sure)
