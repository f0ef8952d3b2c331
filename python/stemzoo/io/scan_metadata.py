"""What files say of a scan: its rotation, when it was recorded, and where the stage was.

Velox, DigitalMicrograph and Nion write it, in words and units of their own; HyperSpy and stemzoo
keep their words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# The last two keys, and what makes degrees of the value.
_ROTATIONS: dict[tuple[str, str], Callable[[float], float]] = {
    ("Scan", "ScanRotation"): math.degrees,  # Velox
    ("DigiScan", "Rotation"): float,  # DigitalMicrograph
    ("scan", "rotation"): math.degrees,  # Nion
}
# The last keys of x and y, and how many metres the unit is.
_STAGES: list[tuple[tuple[str, str], tuple[str, str], float]] = [
    (("Position", "x"), ("Position", "y"), 1.0),  # Velox
    (("Stage Position", "Stage X"), ("Stage Position", "Stage Y"), 1e-6),  # DigitalMicrograph
    (("autostem", "SShft.x"), ("autostem", "SShft.y"), 1.0),  # Nion
]
_UNIX = ("AcquisitionStartDatetime", "DateTime")  # Velox
_DAY, _HOUR = ("General", "date"), ("General", "time")  # as RosettaSciIO gives it


@dataclass(frozen=True)
class ScanMetadata:
    """None is not known. The sense in which `rotation` (degrees) turns is the maker's own."""

    rotation: float | None
    time: float | None  # s
    stage: tuple[float, float] | None  # (x, y), m


def scan_metadata(metadata: Mapping[str, Any]) -> ScanMetadata:
    """What the metadata of a `Micrograph` say of its scan."""
    known = {keys[-2:]: value for keys, value in _leaves(metadata) if len(keys) > 1}
    rotations = [
        in_degrees(number)
        for keys, in_degrees in _ROTATIONS.items()
        if (number := _number(known.get(keys))) is not None
    ]
    stages = [
        (x * unit, y * unit)
        for x_keys, y_keys, unit in _STAGES
        if (x := _number(known.get(x_keys))) is not None
        and (y := _number(known.get(y_keys))) is not None
    ]
    return ScanMetadata(
        rotations[0] if rotations else None, _time(known), stages[0] if stages else None
    )


def _leaves(values: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[Any]:
    """All values, with the keys that lead to them."""
    for key, value in values.items():
        here = (*above, str(key))
        if isinstance(value, Mapping):
            yield from _leaves(value, here)
        else:
            yield here, value


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _time(known: Mapping[tuple[str, ...], Any]) -> float | None:
    unix = _number(known.get(_UNIX))
    if unix is not None:
        return unix
    try:
        return datetime.fromisoformat(f"{known[_DAY]}T{known[_HOUR]}").timestamp()
    except (KeyError, ValueError):
        return None
