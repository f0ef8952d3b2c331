"""Filters and resampling after the electrons are counted, which make the noise correlated.

Afterglow and smoothing are linear filters; zooming and rotation are resampling. The truth passes
through the same, without the noise.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import chance, log_uniform, uniform
from training.simulate.scan import coefficients

AFTERGLOW_LENGTH = (0.3, 5.0)  # px: decay length along the row
SMOOTHING_SIGMA = (0.3, 1.6)  # px: standard deviation of a Gaussian
ZOOM_RANGE = (1.2, 4.0)
LEAST_ROTATED_ZOOM = 1.45  # a rotated picture must still cover the frame
KERNELS = 4  # bilinear, Catmull-Rom, cubic spline, Lanczos


def filters(batch: int, rows: int, columns: int, random: torch.Generator) -> Tensor:
    """[B, rows, columns / 2 + 1] transfer functions: afterglow along x, and smoothing."""
    device = random.device
    fy = torch.fft.fftfreq(rows, device=device)[:, None]
    fx = torch.fft.rfftfreq(columns, device=device)[None]
    shape = (batch, 1, 1)
    glowing = chance(shape, 0.65, random)
    length = log_uniform(shape, *AFTERGLOW_LENGTH, random)
    share = torch.where(chance(shape, 0.6, random), 1.0, uniform(shape, 0.2, 1, random))
    decay = torch.exp(-1 / length)
    way = torch.where(chance(shape, 0.7, random), 1.0, -1.0)
    turn = 2 * math.pi * way * fx
    late = (1 - decay) / (1 - decay * torch.polar(torch.ones_like(turn), -turn))
    glow = torch.where(glowing, 1 - share + share * late, torch.ones_like(late))
    smooth = ~glowing | chance(shape, 0.3, random)
    sigma_y = log_uniform(shape, *SMOOTHING_SIGMA, random)
    sigma_x = torch.where(
        chance(shape, 0.8, random), sigma_y, log_uniform(shape, *SMOOTHING_SIGMA, random)
    )
    blur = torch.exp(
        -2 * (math.pi * (sigma_y * fy)).square() - 2 * (math.pi * sigma_x * fx).square()
    )
    return glow * torch.where(smooth, blur, torch.ones_like(blur))


def filtered(images: Tensor, transfer: Tensor) -> Tensor:
    shape = images.shape[-2:]
    result: Tensor = torch.fft.irfft2(torch.fft.rfft2(images) * transfer, s=shape)
    return result


class Regrid:
    """A zoom by 1.2 to 4 about the middle, partly with a rotation, by one of four kernels."""

    def __init__(self, batch: int, side: int, random: torch.Generator) -> None:
        device = random.device
        shape = (batch, 1, 1)
        turned = chance(shape, 0.4, random)
        least = torch.where(turned, LEAST_ROTATED_ZOOM, ZOOM_RANGE[0])
        zoom = least * (ZOOM_RANGE[1] / least) ** (uniform(shape, 0, 1, random) ** 1.5)
        # A zoom by two is the most common one.
        zoom = torch.where(~turned & chance(shape, 0.35, random), 2.0, zoom)
        angle = torch.where(turned, uniform(shape, 0, 2 * math.pi, random), 0.0)
        self.kernel = torch.randint(0, KERNELS, shape, generator=random, device=device)
        middle = (side - 1) / 2
        index = torch.arange(side, device=device) - middle
        phase = uniform((2, batch, 1, 1), -0.5, 0.5, random)
        y, x = index[:, None] / zoom, index[None, :] / zoom
        self.y = (angle.cos() * y + angle.sin() * x + middle + phase[0]).clamp(2, side - 3.001)
        self.x = (angle.cos() * x - angle.sin() * y + middle + phase[1]).clamp(2, side - 3.001)

    def __call__(self, images: Tensor) -> Tensor:
        """[B, side, side] -> the same shape."""
        batch, side, _ = images.shape
        images = torch.where(self.kernel == 2, coefficients(images), images)
        top, left = self.y.floor(), self.x.floor()
        rows = _weights(self.y - top, self.kernel)
        columns = _weights(self.x - left, self.kernel)
        first = ((top - 1) * side + left - 1).long().view(batch, -1)
        flat = images.reshape(batch, side * side)
        result = torch.zeros_like(images)
        for i in range(4):
            along = torch.zeros_like(images)
            for j in range(4):
                along.addcmul_(flat.gather(1, first + (i * side + j)).view_as(along), columns[j])
            result.addcmul_(along, rows[i])
        return result


def _weights(t: Tensor, kernel: Tensor) -> list[Tensor]:
    """Interpolation weights of the four nearest pixels, at distances 1 + t, t, 1 - t and 2 - t."""
    weights = []
    lanczos = [_lanczos(d) for d in (1 + t, t, 1 - t, 2 - t)]
    whole = sum(lanczos[1:], lanczos[0])
    for place, distance in enumerate((1 + t, t, 1 - t, 2 - t)):
        near, far = distance, distance
        linear = (1 - distance).clamp(min=0)
        if place in (1, 2):
            spline = (4 - 6 * near**2 + 3 * near**3) / 6
            keys = 1.5 * near**3 - 2.5 * near**2 + 1
        else:
            spline = (2 - far).clamp(min=0) ** 3 / 6
            keys = -0.5 * far**3 + 2.5 * far**2 - 4 * far + 2
        options = torch.stack([linear, keys, spline, lanczos[place] / whole])
        weights.append(options.gather(0, kernel.expand_as(t)[None])[0])
    return weights


def _lanczos(distance: Tensor) -> Tensor:
    return torch.sinc(distance) * torch.sinc(distance / 2) * (distance < 2)
