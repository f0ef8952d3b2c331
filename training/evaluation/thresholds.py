"""The least figures of a model that may be published, checked against its metrics.json.

A threshold is a path into the metrics and a comparison: {"mixed.0.clean": ">= 24"}.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from typing import Any

_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_THRESHOLD = re.compile(r"(>=|<=|>|<) *(-?\d+(?:\.\d+)?)")


def unmet(thresholds: Mapping[str, str], metrics: Any) -> list[str]:
    """A line for each threshold that the metrics do not meet, with the value found."""
    lines = []
    for path, threshold in thresholds.items():
        compare, limit = parsed(path, threshold)
        try:
            value = value_at(metrics, path)
        except LookupError:
            lines.append(f"{path} is not in its metrics; expected {threshold}")
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            lines.append(f"{path} is {value!r:.80}; expected a number {threshold}")
        elif not compare(value, limit):
            lines.append(f"{path} is {value}; expected {threshold}")
    return lines


def parsed(path: str, threshold: str) -> tuple[Any, float]:
    """The comparison and the number of a threshold."""
    match = _THRESHOLD.fullmatch(threshold)
    if not match:
        raise SystemExit(
            f"the threshold of {path} is '{threshold}'; expected such as '>= 24' or '< 0.5'"
        )
    return _COMPARISONS[match[1]], float(match[2])


def value_at(metrics: Any, path: str) -> Any:
    """The value at a dotted path of keys, which may contain dots themselves, and list indices."""
    if not path:
        return metrics
    if isinstance(metrics, list):
        index, _, rest = path.partition(".")
        if not index.isdigit():
            raise LookupError(path)
        return value_at(metrics[int(index)], rest)
    keys = metrics if isinstance(metrics, dict) else {}
    for key in sorted(keys, key=len, reverse=True):
        if path == key or path.startswith(f"{key}."):
            return value_at(keys[key], path[len(key) + 1 :])
    raise LookupError(path)
