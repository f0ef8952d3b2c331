"""Why the drift of a pair is not to be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping

NOTHING = "the frames do not correlate anywhere, as where one of them is blank"
CHANCE = "the frames correlate no better than frames that show nothing in common"
LIMIT = (
    "it is at the limit of the search: the frames may have drifted farther, or show nothing in "
    "common"
)
BROAD = "the correlation is broad there, and the counts do not say where in it the drift is"
NO_PEAK = "the frames' correlation has no peak there"
OTHERS = "what else it could be is not ruled out"

MARGIN = 1.0  # standard deviations by which the highest of many values of chance varies, and more
AT_LIMIT = 0.5  # px


def first_doubt(doubts: Mapping[str, bool]) -> str:
    """The first reason that holds; empty where none does."""
    return next((reason for reason, holds in doubts.items() if holds), "")


def beyond_chance(score: float, chance: float, places: int) -> bool:
    """Whether frames correlate better than unrelated ones do at the best of so many places.

    `chance` is the standard deviation of their correlation at one (csrc/drift/chance.hpp). It also
    says how many values of it are independent: where few frequencies have all the power, few.
    """
    if not chance < 1:
        return False
    independent = min(places, chance**-2)
    return score > (math.sqrt(2 * math.log(max(independent, 1))) + MARGIN) * chance


def at_limit(shift: tuple[float, float], reach: tuple[int, int]) -> bool:
    """Whether a drift lies where shifts are looked for no farther."""
    return any(abs(way) >= most - AT_LIMIT for way, most in zip(shift, reach, strict=True))
