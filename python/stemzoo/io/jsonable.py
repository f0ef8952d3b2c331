"""Metadata of any origin as plain JSON values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Json: TypeAlias = dict[str, Any] | list[Any] | str | int | float | bool | None

# Metadata is to be read by people; lookup tables and thumbnails inside it are not.
_LONGEST = 4096


def jsonable(value: object) -> Json:
    """The same value made of dict, list, str, int, float, bool and None only."""
    if isinstance(value, Mapping):
        return jsonable_items(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, bytes | bytearray):
        return _text(bytes(value))
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    if isinstance(value, float):
        # JSON has no NaN and no infinity, and strict readers refuse files that pretend it has.
        return value if math.isfinite(value) else str(value)
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)


def jsonable_items(values: Mapping[Any, Any]) -> dict[str, Any]:
    """A mapping of that kind."""
    return {str(key): jsonable(value) for key, value in values.items()}


def _array(value: NDArray[Any]) -> Json:
    if value.size > _LONGEST:
        return f"<array of {value.dtype}, shape {value.shape}, left out>"
    return jsonable(value.tolist())


def _text(value: bytes) -> str:
    if len(value) > _LONGEST:
        return f"<{len(value)} bytes left out>"
    try:
        return value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return value.hex()


def dumps(value: object) -> str:
    """`value` as JSON text that is pure ASCII: it fits any tag of any file."""
    return json.dumps(jsonable(value), indent=1, ensure_ascii=True, allow_nan=False)
