"""What a recipe promises of its figures, held against metrics.json.

A bar is a path into the metrics and what must hold there: {"mixed.0.clean": ">= 24"}.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

_HOLDS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_BAR = re.compile(r"(>=|<=|>|<) *(-?\d+(?:\.\d+)?)")


def unmet(bars: Mapping[str, str], metrics: Any) -> list[str]:
    """The bars that do not hold, each in a line that says what was found."""
    lines = []
    for path, bar in bars.items():
        holds, limit = parsed(path, bar)
        try:
            value = value_at(metrics, path)
        except LookupError:
            lines.append(f"{path} is not in its metrics; expected {bar}")
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            lines.append(f"{path} is {value!r:.80}; expected a number {bar}")
        elif not holds(value, limit):
            lines.append(f"{path} is {value}; expected {bar}")
    return lines


def parsed(path: str, bar: str) -> tuple[Any, float]:
    """The comparison and the number of a bar."""
    match = _BAR.fullmatch(bar)
    if not match:
        raise SystemExit(f"the bar of {path} is '{bar}'; expected such as '>= 24' or '< 0.5'")
    return _HOLDS[match[1]], float(match[2])


def value_at(metrics: Any, path: str) -> Any:
    """What stands at a dotted path: keys, which may hold dots themselves, and places in lists."""
    if not path:
        return metrics
    if isinstance(metrics, list):
        place, _, rest = path.partition(".")
        if not place.isdigit():
            raise LookupError(path)
        return value_at(metrics[int(place)], rest)
    keys = metrics if isinstance(metrics, dict) else {}
    for key in sorted(keys, key=len, reverse=True):
        if path == key or path.startswith(f"{key}."):
            return value_at(keys[key], path[len(key) + 1 :])
    raise LookupError(path)
