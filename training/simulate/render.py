"""Images of columns at exact positions, for any probe, in batches.

Columns are spread on the pixel grid with cubic B-splines (a non-uniform FFT). In Fourier space the
spread is divided out and the probe multiplied in, so columns are at their exact positions. The FFT
is periodic, so specimens extend RENDER_MARGIN px beyond the picture on every side.
"""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate.lattice import Columns

RENDER_MARGIN = 32


def draw_columns(columns: Columns, transfer: Tensor, size: int) -> Tensor:
    """[B, size, size] images of columns seen by a probe with this transfer function."""
    canvas = spread(columns.y, columns.x, columns.weight, size)
    fy = torch.fft.fftfreq(size, device=canvas.device)[:, None]
    fx = torch.fft.rfftfreq(size, device=canvas.device)[None, :]
    unspread = (torch.sinc(fy) * torch.sinc(fx)) ** -4
    image: Tensor = torch.fft.irfft2(torch.fft.rfft2(canvas) * transfer * unspread, s=(size, size))
    return image


def spread(y: Tensor, x: Tensor, weight: Tensor, size: int) -> Tensor:
    """[B, K] positions and weights -> [B, size, size], each column on its 4 x 4 nearest pixels."""
    batch = y.shape[0]
    canvas = torch.zeros(batch, size * size, device=y.device)
    row, column = y.floor(), x.floor()
    row_weights, column_weights = cubic(y - row), cubic(x - column)
    for i in range(4):
        rows = (row.long() + (i - 1)) % size
        for j in range(4):
            columns = (column.long() + (j - 1)) % size
            value = weight * row_weights[i] * column_weights[j]
            canvas.scatter_add_(1, rows * size + columns, value)
    return canvas.view(batch, size, size)


def cubic(t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The cubic B-spline at distances 1 + t, t, 1 - t and 2 - t."""
    u = 1 - t
    return (
        u**3 / 6,
        (4 - 6 * t**2 + 3 * t**3) / 6,
        (4 - 6 * u**2 + 3 * u**3) / 6,
        t**3 / 6,
    )
