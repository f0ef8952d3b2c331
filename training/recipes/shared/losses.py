"""Losses that several recipes share."""

from __future__ import annotations

from torch import Tensor

LEAST_ERROR = 1e-7  # squared: rms errors below 0.03 % of the image's deviation count alike


def log_error(output: Tensor, target: Tensor, least: float = LEAST_ERROR) -> Tensor:
    """Mean logarithm of each image's mean squared error, so that a decibel counts the same at any
    dose."""
    error = (output - target).square().mean(dim=(1, 2, 3))
    return (error + least).log().mean()
