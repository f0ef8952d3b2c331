"""One path through a series from drifts between its pairs of frames, some of which are wrong.

On a crystal a wrong drift is off by a lattice vector, not by a little, and it contradicts the other
pairs: going from frame 1 to 3 must be going from 1 to 2 and on to 3. So every pair counts at first,
then less the more it disagrees with the rest, and where one of its other candidates agrees, that
one counts in its place (expectation maximisation with a tolerance that shrinks to what the errors
of the pairs explain). No images here, only numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stemzoo.alignment.least_squares import Floats, Indices, solve_differences

Flags = NDArray[np.bool_]

GATE = 14.0  # squared deviations, of two axes: a right pair is beyond it once in a thousand
DOUBT = 6.0  # squared deviations beyond which a pair counts less, as Huber proposed
HOP = 1.5  # px: an error as large is a wrong candidate, not a sigma that was too small
SHRINK = 0.7  # of the squared tolerance, from one step to the next
SETTLED = 8  # steps at the last tolerance
NEARER = 3  # times: by this, pairs are of nearer frames, again and again down to neighbours
ASTRAY = 100.0  # squared deviations: how far a path from neighbours alone may lead astray
SUPPORT = 0.25  # of the pairs of a frame must agree on where it is, or nobody knows
QUARTILE = 0.575  # of the chi-squared distribution of two axes


@dataclass(frozen=True)
class Pairs:
    """Drifts from frame `first` to frame `second` > first, each with its other candidates.

    `shifts` is (pairs, candidates, 2) with the answer in front, `scores` how probable each is;
    NaN and 0 where there are fewer. A pair whose answer is NaN was not measured. `sure` are those
    that are not ambiguous by themselves. `sigma` is (pairs, 2).
    """

    first: Indices
    second: Indices
    shifts: Floats
    scores: Floats
    sigma: Floats
    sure: Flags

    def __getitem__(self, chosen: Flags | Indices) -> Pairs:
        return Pairs(
            self.first[chosen],
            self.second[chosen],
            self.shifts[chosen],
            self.scores[chosen],
            self.sigma[chosen],
            self.sure[chosen],
        )

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Path:
    """Where each frame is against the first that has a place, with the standard deviation of that.

    Frames without a place are `rejected`: NaN. Those that no chain of sure pairs links to the rest
    are `ambiguous`. `used` says of each pair which candidate is true, -1 where none is.
    """

    positions: Floats
    sigma: Floats
    ambiguous: Flags
    rejected: Flags
    used: Indices


def consistent_path(pairs: Pairs, frames: int, reach: float = np.inf) -> Path:
    """The path of `frames` frames that most pairs agree on.

    Frames farther apart than `reach` along an axis could not have been compared, so what their
    pairs say is nothing that others contradict.
    """
    measured = np.flatnonzero(
        np.isfinite(pairs.sigma).all(1) & np.isfinite(pairs.shifts[:, 0]).all(1)
    )
    known = pairs[measured]
    agreement = _agreement(known, frames, reach)
    used, positions = agreement.used(), agreement.positions
    # A frame whose pairs all contradict each other must not lean on one that fits by chance.
    telling = _telling(known, used, positions, reach)
    placed = _supported(known, used, telling, frames)
    used[~(placed[known.first] & placed[known.second])] = -1
    start = int(placed.argmax())
    positions, sigma = _least_squares(known, used, frames, start)
    sigma[start] = 0.0
    positions[~placed], sigma[~placed] = np.nan, np.nan
    sure = known.sure & (used == 0)
    everywhere = np.full(len(pairs), -1)
    everywhere[measured] = used
    ambiguous = ~_largest_group(
        known[sure & _uncontested(known, used, telling, frames)], frames, placed
    )
    return Path(positions, sigma, ambiguous & placed, ~placed, everywhere)


class _Candidates:
    """All candidates of all pairs in one line, in units of their pairs' sigma: of the many places
    that (pairs, candidates) has, few are taken."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        there = np.isfinite(pairs.shifts).all(2)  # the answer always is
        self._pair, self._place = np.nonzero(there)
        self._starts = np.flatnonzero(np.diff(self._pair, prepend=-1))
        self._scale = 1 / pairs.sigma.T
        self._shifts = pairs.shifts[there].T * self._scale[:, self._pair]
        scores = pairs.scores[there]
        self._scores = scores / np.maximum(self._sums(scores), 1e-12)[self._pair]

    def misfit(self, positions: Floats) -> Floats:
        """Squared deviations of every candidate."""
        steps = (positions[self._pairs.second] - positions[self._pairs.first]).T * self._scale
        away = self._shifts - steps[:, self._pair]
        squares: Floats = away[0] ** 2 + away[1] ** 2
        return squares

    def least(self, misfit: Floats) -> Floats:
        """Of each pair."""
        least: Floats = np.minimum.reduceat(misfit, self._starts) if len(misfit) else misfit
        return least

    def best(self, misfit: Floats) -> Indices:
        """Which candidate of each pair that is."""
        found = np.flatnonzero(misfit == self.least(misfit)[self._pair])[::-1]
        best = np.zeros(len(self._starts), np.intp)
        best[self._pair[found]] = self._place[found]  # of equals, the first is written last
        return best

    def meant(self, misfit: Floats, tolerance: float) -> tuple[Floats, Floats]:
        """What each pair says by a squared tolerance, and how much that counts."""
        share = self._scores * np.exp(misfit / (-2 * tolerance))
        weight = self._sums(share)
        mean = np.stack([self._sums(share * along) for along in self._shifts])
        mean /= np.maximum(weight, 1e-300) * self._scale
        return mean.T, weight / (weight + np.exp(-GATE / 2))

    def _sums(self, values: Floats) -> Floats:
        """Of each pair."""
        return np.bincount(self._pair, values, len(self._pairs)).astype(np.float64, copy=False)


@dataclass(frozen=True)
class _Attempt:
    """A path, and of each pair the candidate nearest to it, with its squared deviation."""

    positions: Floats
    best: Indices
    misfit: Floats
    tolerance: float

    def used(self, tolerance: float | None = None) -> Indices:
        """Which candidate of each pair agrees, -1 where none does."""
        return np.where(self.misfit <= GATE * (tolerance or self.tolerance), self.best, -1)

    def contradicted(self, pairs: Pairs, reach: float, tolerance: float) -> float:
        """By how much of their answers pairs that could tell disagree."""
        used = self.used(tolerance)
        left = np.where(used >= 0, pairs.scores[np.arange(len(pairs)), used], -1.0)
        told = _telling(pairs, used, self.positions, reach)
        return float((pairs.scores[:, 0] - left)[told].sum())


def _agreement(pairs: Pairs, frames: int, reach: float) -> _Attempt:
    """The path that pairs agree on.

    Found from all pairs at once, and again from those of nearer frames, which have drifted least
    and go wrong least; what fewer of the answers contradict is taken. Both are held to the errors
    of the one that explains the better half of the pairs by the smaller.

    Pairs of frames out of each other's reach say nothing for or against a path. They were bound to
    find something, often a lattice vector less: many of them agree on a path that goes back on
    itself, and only those of near frames contradict it.
    """
    precision = 1 / pairs.sigma**2
    start, _ = solve_differences(
        pairs.first, pairs.second, pairs.shifts[:, 0], precision, frames, 0
    )
    steps = start[pairs.second] - start[pairs.first]
    misfit = ((pairs.shifts[:, 0] - steps) ** 2 * precision).sum(1)
    tries = [_settled(pairs, start, float(misfit.max(initial=1.0)))]
    span = pairs.second - pairs.first
    near = span <= span.max(initial=1) // NEARER
    if near.any():
        nearer = _agreement(pairs[near], frames, reach)
        tries.append(_settled(pairs, nearer.positions, ASTRAY))
    tolerance = min(attempt.tolerance for attempt in tries)
    return min(tries[::-1], key=lambda attempt: attempt.contradicted(pairs, reach, tolerance))


def _settled(pairs: Pairs, positions: Floats, tolerance: float) -> _Attempt:
    """What pairs agree on near `positions`, by a squared tolerance that starts here and shrinks."""
    frames = len(positions)
    candidates = _Candidates(pairs)
    precision = 1 / pairs.sigma**2
    misfit = candidates.misfit(positions)
    for _ in range(int(np.log(tolerance) / -np.log(SHRINK)) + SETTLED):
        tolerance = max(tolerance * SHRINK, _spread(candidates.least(misfit), pairs, frames))
        mean, weight = candidates.meant(misfit, tolerance)
        positions, _ = solve_differences(
            pairs.first, pairs.second, mean, weight[:, None] * precision, frames, 0
        )
        misfit = candidates.misfit(positions)
    return _Attempt(positions, candidates.best(misfit), candidates.least(misfit), tolerance)


def _telling(pairs: Pairs, used: Indices, positions: Floats, reach: float) -> Flags:
    """Pairs that agree, or that could if they were right."""
    steps = positions[pairs.second] - positions[pairs.first]
    told: Flags = (np.abs(steps) <= reach).all(1) | (used >= 0)
    return told


def _spread(least: Floats, pairs: Pairs, frames: int) -> float:
    """How much larger squared errors are than sigma says, judged by the better half of the pairs.

    Least squares leave less than the errors: of each axis, as many pairs as place the frames.
    """
    spare = len(pairs) - frames + 1
    if spare <= 0:
        return 1.0
    quartile = float(np.quantile(least, 0.25))
    most = HOP**2 / GATE / float(np.median(pairs.sigma**2))
    return max(min(quartile / QUARTILE * len(pairs) / spare, most), 1.0)


def _supported(pairs: Pairs, used: Indices, telling: Flags, frames: int) -> Flags:
    """Frames that enough of their telling pairs agree on, in the largest group that pairs link."""
    placed = np.ones(frames, bool)
    while True:
        both = placed[pairs.first] & placed[pairs.second]
        agree = _count(pairs[both & (used >= 0)], frames)
        support = agree / np.maximum(_count(pairs[both & telling], frames), 1)
        support[~placed] = np.inf
        worst = frames - 1 - int(support[::-1].argmin())  # the last of them, so the first stays
        if support[worst] >= SUPPORT or placed.sum() == 1:
            break
        # The worst alone: its pairs spoke against its partners too.
        placed[worst] = False
    return placed & _largest_group(pairs[both & (used >= 0)], frames, placed)


def _uncontested(pairs: Pairs, used: Indices, telling: Flags, frames: int) -> Flags:
    """Pairs between frames whose sure pairs agree in their majority."""
    agree = _count(pairs[telling & pairs.sure & (used == 0)], frames)
    against = _count(pairs[telling & pairs.sure & (used != 0)], frames)
    certain = agree > against
    return certain[pairs.first] & certain[pairs.second]


def _count(pairs: Pairs, frames: int) -> Indices:
    """How many pairs each frame has."""
    return np.bincount(pairs.first, minlength=frames) + np.bincount(pairs.second, minlength=frames)


def _largest_group(pairs: Pairs, frames: int, among: Flags) -> Flags:
    """The frames of the largest group that pairs link; of groups alike, the earliest."""
    root = list(range(frames))

    def top(frame: int) -> int:
        while root[frame] != frame:
            root[frame] = root[root[frame]]
            frame = root[frame]
        return frame

    for one, other in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        root[top(other)] = top(one)
    group = np.array([top(frame) for frame in range(frames)])
    sizes = np.bincount(group[among], minlength=frames)
    # Roots are not the first of their groups, so the earliest is looked for frame by frame.
    first = int((sizes[group] * among).argmax())
    largest: Flags = among & (group == group[first])
    return largest


def _least_squares(pairs: Pairs, used: Indices, frames: int, start: int) -> tuple[Floats, Floats]:
    """Positions against frame `start` and their standard deviations, from the pairs in use."""
    chosen = pairs[used >= 0]
    shifts = chosen.shifts[np.arange(len(chosen)), used[used >= 0]]
    precision = 1 / chosen.sigma**2
    placed = int((_count(chosen, frames) > 0).sum())
    spare = len(chosen) - placed + 1
    trust, spread = np.ones(len(chosen)), 1.0
    for _ in range(3):
        positions, variance = solve_differences(
            chosen.first, chosen.second, shifts, trust[:, None] * precision, frames, start
        )
        steps = positions[chosen.second] - positions[chosen.first]
        misfit = ((shifts - steps) ** 2 * precision).sum(1)
        if spare > 0:
            spread = float(misfit.sum() / (2 * spare))
        trust = np.minimum(1, np.sqrt(DOUBT * max(spread, 1.0) / np.maximum(misfit, 1e-300)))
    return positions, np.sqrt(spread * variance + _shared(chosen, spread, frames, start))


def _shared(pairs: Pairs, spread: float, frames: int, start: int) -> Floats:
    """Variance that the pairs of a frame have in common, which residuals do not show.

    The noise of a frame moves its drifts against all others alike, as if the frame itself had
    moved: such errors contradict nothing, and more pairs do not average them away. What is
    missing in the residuals of the variance that the pairs claim is therefore taken to be of this
    kind: half of it belongs to either frame of a pair.
    """
    missing = max(1 - spread, 0.0)
    own = np.zeros((frames, 2))
    for axis in range(2):
        precision = 1 / pairs.sigma[:, axis] ** 2
        total = sum(np.bincount(end, precision, frames) for end in (pairs.first, pairs.second))
        own[:, axis] = _count(pairs, frames) / np.maximum(total, 1e-300) / 2
    shared: Floats = missing * (own + own[start])
    shared[start] = 0
    return shared
