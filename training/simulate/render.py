"""Columns to images: exact positions, any probe, a whole batch at once.

Columns are spread on the pixel grid with cubic B-splines; in Fourier space that spread is divided
out again and the probe multiplied in, so a column stands at its true sub-pixel place whatever the
probe. The FFT wraps, so specimens reach MARGIN pixels past the picture on every side.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

MARGIN = 32


def spread(y: Tensor, x: Tensor, weight: Tensor, size: int) -> Tensor:
    """[B, K] positions and weights -> [B, size, size], each column on its 4 x 4 nearest pixels."""
    batch = y.shape[0]
    canvas = torch.zeros(batch, size * size, device=y.device)
    row, column = y.floor(), x.floor()
    row_weights, column_weights = _cubic(y - row), _cubic(x - column)
    for i in range(4):
        rows = (row.long() + (i - 1)) % size
        for j in range(4):
            columns = (column.long() + (j - 1)) % size
            value = weight * row_weights[i] * column_weights[j]
            canvas.scatter_add_(1, rows * size + columns, value)
    return canvas.view(batch, size, size)


def convolve(canvas: Tensor, transfer: Tensor) -> Tensor:
    """Multiply by a transfer function in Fourier space."""
    size = canvas.shape[-1]
    image: Tensor = torch.fft.irfft2(torch.fft.rfft2(canvas) * transfer, s=(size, size))
    return image


def probe(sigma: Tensor, ellipticity: Tensor, angle: Tensor, tail: Tensor, size: int) -> Tensor:
    """Transfer function [B, size, size // 2 + 1]: an elliptic Gaussian core and a wide tail.

    Scaled so that a column of weight one has about unit peak intensity.
    """
    fy = torch.fft.fftfreq(size, device=sigma.device)[:, None]
    fx = torch.fft.rfftfreq(size, device=sigma.device)[None, :]
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    along = (cos * fx + sin * fy) * (1 + ellipticity)[:, None, None]
    across = (cos * fy - sin * fx) * (1 - ellipticity)[:, None, None]
    radius = (2 * math.pi**2) * (along.square() + across.square())
    width = sigma.square()[:, None, None]
    core, halo = torch.exp(-radius * width), torch.exp(-radius * width * 9)
    share = tail[:, None, None]
    unspread = (_spline_response(fy) * _spline_response(fx)).reciprocal()
    return 2 * math.pi * width * ((1 - share) * core + share * halo) * unspread


def _cubic(t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The cubic B-spline at distances 1 + t, t, 1 - t and 2 - t."""
    u = 1 - t
    return (
        u**3 / 6,
        (4 - 6 * t**2 + 3 * t**3) / 6,
        (4 - 6 * u**2 + 3 * u**3) / 6,
        t**3 / 6,
    )


def _spline_response(frequency: Tensor) -> Tensor:
    return torch.sinc(frequency) ** 4
