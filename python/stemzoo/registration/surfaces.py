"""Drift networks that read a correlation surface, as that of Vasudevan & Jesse does.

Both frames are denoised and correlated, and the network says where the drift is and how sure it is.
The peaks of the correlation say what else it could be: an answer that does not rule those out is
called ambiguous. They are as probable as the network's standard deviations make them, and what is
left for a network that misleads goes by their heights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo import _core
from stemzoo.inference.model import Model, model_for
from stemzoo.registration.answers import (
    LIMIT,
    NO_PEAK,
    OTHERS,
    UNKNOWN,
    Candidate,
    Drift,
    Shift,
)
from stemzoo.registration.ncc import Surface, ncc
from stemzoo.registration.pair import checked_max_shift
from stemzoo.registration.shifting import refined

NEAR = 1.5  # px: an answer this close to a peak means that peak
RIVAL = 3.0  # standard deviations within which another peak is not ruled out
CANDIDATES = 16  # how many other peaks are worth telling
MISLEADING = _core.misleading_features
AT_LIMIT = 0.5  # px from the limit of the search

MaskedPixels = tuple[NDArray[Any], NDArray[np.bool_] | None]  # and which are masked out


def drift_by_surface(
    reader: Model, still: MaskedPixels, moved: MaskedPixels, max_shift: int | None
) -> Drift:
    """The drift between two frames of one shape, as far as the network reads."""
    side = reader.contract.interface.side
    reach = _reach(max_shift, reader)
    first = reader.contract.denoiser
    denoiser = model_for("denoise", first) if first else None
    frames = (_masked(*still, "reference"), _masked(*moved, "moving"))
    return read_surface(reader, surface(*frames, side, denoiser, reach), reach)


def _masked(pixels: NDArray[Any], mask: NDArray[np.bool_] | None, name: str) -> NDArray[Any]:
    """The image, masked where it was or has no pixels at its border."""
    missing = _core.missing_pixels(pixels, mask, name)
    return pixels if missing is None else np.ma.MaskedArray(pixels, missing)


def surface(
    reference: NDArray[Any],
    moving: NDArray[Any],
    side: int,
    denoiser: Model | None,
    reach: int | None = None,
) -> Surface:
    """What a network reads: the correlation at [side, side] shifts, zero shift in the middle.

    It is zero where nothing is known: beyond `reach`, and where less than a quarter of the image is
    in common.
    """
    if denoiser:
        reference, moving = denoiser(reference), denoiser(moving)
    middle = side // 2
    dy, dx = (min(middle if reach is None else reach, length - 1) for length in reference.shape)
    result = np.zeros((side, side), np.float32)
    result[middle - dy : middle + dy + 1, middle - dx : middle + dx + 1] = ncc(
        reference, moving, (dy, dx)
    )
    return result


def read_surface(reader: Model, correlation: Surface, reach: int | None = None) -> Drift:
    """What a drift network says of a correlation, held against the peaks of that correlation. It is
    known up to `reach`, or as far as it goes."""
    peaks = _peaks(correlation)
    if not peaks:
        return UNKNOWN
    (dy, dx), sigma = (row[0].astype(float) for row in reader.outputs(correlation[None, None]))
    own = [peak for peak in peaks if math.dist(peak[0], (dy, dx)) <= NEAR]
    others = [peak for peak in peaks if peak not in own]
    score = own[0][1] if own else _value(correlation, dy, dx)
    misses = [math.hypot((y - dy) / sigma[0], (x - dx) / sigma[1]) for (y, x), _ in others]
    most = len(correlation) // 2 if reach is None else reach
    doubts = {
        LIMIT: max(abs(dy), abs(dx)) >= most - AT_LIMIT,
        NO_PEAK: not own,
        OTHERS: min(misses, default=math.inf) <= RIVAL,
    }
    reason = next((reason for reason, holds in doubts.items() if holds), "")
    return Drift(
        float(dy),
        float(dx),
        (float(sigma[0]), float(sigma[1])),
        ambiguous=bool(reason),
        score=score,
        candidates=_candidates(others, misses, score),
        reason=reason,
    )


def _candidates(
    peaks: list[tuple[Shift, float]], misses: list[float], score: float
) -> tuple[Candidate, ...]:
    """Peaks with their probabilities beside the answer, whose height is `score`."""
    by_network = np.exp(-np.square([0.0, *misses]) / 2)
    by_network /= by_network.sum()
    heights = np.array([max(score, 0.0), *(height for _, height in peaks)])
    probability = (1 - MISLEADING) * by_network + MISLEADING * heights / max(heights.sum(), 1e-30)
    told = zip(peaks, probability[1:].tolist(), strict=True)
    found = [Candidate(dy, dx, likely) for ((dy, dx), _), likely in told]
    return tuple(sorted(found, key=lambda each: -each.probability)[:CANDIDATES])


def _peaks(correlation: Surface) -> list[tuple[Shift, float]]:
    """Positive local maxima, the best first."""
    inside = correlation[1:-1, 1:-1]
    around = np.lib.stride_tricks.sliding_window_view(correlation, (3, 3))
    highest = (inside == around.max((2, 3))) & (inside > around.min((2, 3)))  # a plain has no peak
    rows, columns = np.nonzero(highest & (inside > 0))
    peaks = [
        (refined(correlation, row + 1, column + 1), float(inside[row, column]))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
    ]
    return sorted(peaks, key=lambda peak: -peak[1])


def _value(correlation: Surface, dy: float, dx: float) -> float:
    """The correlation at the nearest whole shift."""
    middle = len(correlation) // 2
    row, column = (min(max(round(d), -middle), middle) + middle for d in (dy, dx))
    return float(correlation[row, column])


def _reach(max_shift: int | None, reader: Model) -> int:
    most = reader.contract.interface.side // 2
    if max_shift is None:
        return most
    return checked_max_shift(max_shift, most, f"the longest that {reader.contract.name} reads")
