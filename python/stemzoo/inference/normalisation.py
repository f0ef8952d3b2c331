"""The normalisation that a caller may choose in place of an image's own."""

from __future__ import annotations

import math
import numbers

import numpy as np


def _is_finite(value: numbers.Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond float64
        return False


def normalisation_of(mean: float | None, std: float | None) -> tuple[float, float] | None:
    """The two numbers that a caller has chosen, or None where each image has its own."""
    if mean is None and std is None:
        return None
    if mean is None or std is None:
        raise ValueError(
            f"mean is {mean!r} and std is {std!r}; expected both, or neither for those of each "
            "image: give for example mean=stack.mean(), std=stack.std()"
        )
    for name, value in (("mean", mean), ("std", std)):
        if not isinstance(value, numbers.Real) or isinstance(value, bool | np.bool_):
            raise ValueError(
                f"{name} is {value!r:.80}; expected one real number for all that is given, such as "
                f"float(stack.{name}())"
            )
        if not _is_finite(value) or (name == "std" and value <= 0):
            positive = "positive and " if name == "std" else ""
            raise ValueError(
                f"{name} is {value!r:.80}; expected a {positive}finite number in the units of the "
                "image"
            )
    return float(mean), float(std)
