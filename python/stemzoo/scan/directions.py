"""Which scans belong together, and how far each is turned, where only their files tell it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stemzoo.io.scan_metadata import ScanMetadata
from stemzoo.scan.merge import ScanMerge, merge_scans

LEAST_ANGLE = 10.0  # degrees between the directions of a pair
LONGEST = 600.0  # s between the scans of a pair
NEAR = 0.5  # of the field of view: how far the stage may have moved
TELLING = 0.02  # relative difference of residuals that tells the sense of turning

_METRES = {"m": 1.0, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "Å": 1e-10, "pm": 1e-12}


@dataclass(frozen=True)
class ScanFile:
    """A scan that may be one of a pair."""

    path: Path
    shape: tuple[int, int]
    pixel_size: tuple[float, float] | None
    unit: str | None
    metadata: ScanMetadata

    def is_beside(self, other: ScanFile) -> bool:
        """Whether both can be of one place, as far as their files say."""
        if (self.pixel_size is None) != (other.pixel_size is None) or self.unit != other.unit:
            return False
        if self.pixel_size and other.pixel_size:
            if not np.allclose(self.pixel_size, other.pixel_size, rtol=1e-3, atol=0):
                return False
        elif self.shape != other.shape:
            return False
        here, there = self.metadata, other.metadata
        if abs((here.time or there.time or 0) - (there.time or here.time or 0)) > LONGEST:
            return False
        if here.stage and there.stage and self.pixel_size and self.unit in _METRES:
            field = min(self.pixel_size) * min(self.shape) * _METRES[self.unit]
            return math.dist(here.stage, there.stage) <= NEAR * field
        return True

    def crosses(self, other: ScanFile) -> bool:
        """Whether the directions differ enough for a pair."""
        one, two = self.metadata.rotation, other.metadata.rotation
        if one is None or two is None:
            return False
        turn = abs(one - two) % 180
        return min(turn, 180 - turn) >= LEAST_ANGLE


def groups(scans: Sequence[ScanFile], *, series: bool = False) -> list[list[ScanFile]]:
    """Pairs of scans of one place in two directions; or, as `series`, all scans of each place.

    In the order in which they were recorded, or of their names where that is not known. A scan is
    paired with the next one that will do.
    """
    left = sorted(scans, key=lambda scan: scan.path.name)
    if all(scan.metadata.time is not None for scan in scans):
        left.sort(key=lambda scan: scan.metadata.time or 0)
    found = []
    while left:
        first = left.pop(0)
        group = [first]
        for scan in list(left):
            fits = scan.is_beside(group[-1]) and scan.metadata.rotation is not None
            if fits and (scan.crosses(first) or (series and len(group) > 1)):
                group.append(scan)
                left.remove(scan)
                if not series:
                    break
        if len(group) > 1:
            found.append(group)
    return found


def merged_by_rotation(
    images: Sequence[ArrayLike], rotations: Sequence[float], model: Any, **settings: Any
) -> ScanMerge:
    """Scans merged, where the sense of turning is not known: that which fits.

    The picture is turned as the first scan is. ValueError where both senses fit alike.
    """
    turns = [rotation - rotations[0] for rotation in rotations]
    both = [[sense * turn for turn in turns] for sense in (1, -1)]
    if all((turn * 2) % 360 == 0 for turn in turns):
        both = both[:1]  # half turns have no sense
    found = [merge_scans(images, angles, model, **settings) for angles in both]
    found.sort(key=lambda one: (one.ambiguous, _left(one)))
    if len(found) == 2:
        best, other = found
        alike = best.ambiguous == other.ambiguous
        if alike and _left(other) <= (1 + TELLING) * _left(best):
            raise ValueError(
                f"the scans are turned by {', '.join(f'{turn:g}' for turn in turns)} degrees, and "
                "match as well when turned the other way; give the angles: by how many degrees "
                "the specimen appears turned counter-clockwise in each (--angles)"
            )
    return found[0]


def _left(found: ScanMerge) -> float:
    """Mean square of the residuals."""
    squares = [np.nanmean(np.square(each, dtype=np.float64)) for each in found.residuals]
    return float(np.mean(squares))
