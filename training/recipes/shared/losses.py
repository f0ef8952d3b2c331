"""What several recipes make small."""

from __future__ import annotations

from torch import Tensor

LEAST = 1e-7  # of the squared deviation: errors below a thirtieth of a percent are all the same


def log_error(output: Tensor, target: Tensor, least: float = LEAST) -> Tensor:
    """The logarithm of each picture's mean squared error: a decibel counts the same at any dose."""
    error = (output - target).square().mean(dim=(1, 2, 3))
    return (error + least).log().mean()
