"""Returns to an estimate the lattice frequencies that a denoiser has weakened.

What a denoiser removes should be noise, whose spectrum is smooth. Where the spectrum of the removed
part has a narrow peak at a frequency of the lattice, the removed part is added to the estimate with
a Wiener gain. Both spectra are mean log periodograms of windows, so that one bright window makes no
peak. A peak stands out of its surroundings, its row and its column of frequencies: displaced rows
of a scan make streaks along ky, which stay removed, and so do mains lines, at whose frequencies the
estimate has no peak. The layer has no weights.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d

from training.networks.half_spectra import padded
from training.networks.spectral import FLOOR, Transforms

LOG_DEVIATION = math.pi / math.sqrt(6)  # of the log of an exponentially distributed variable
OVERLAP = 1.5  # windows at half steps hold as much as 1 / 1.5 times as many separate ones
SIGNIFICANT = 5.5  # standard deviations by which the removed part has to stand out
STEEPNESS = 4.0  # of the transition there, per standard deviation
LATTICE_PEAK = 1.5  # log power by which the estimate has to stand out
LOWEST = 1 / 24  # cycles per pixel: below, the specimen's shape has peaks, too
AROUND, ALONG = 6, 8  # frequencies: reach of the surroundings, and along a row or column


class LatticeResidual(nn.Module):
    """Image and estimate [N, 1, H, W] -> a better estimate; H, W multiples of side / 2."""

    not_low: Tensor

    def __init__(self, transforms: Transforms) -> None:
        super().__init__()
        self.transforms = transforms
        ky = torch.fft.fftfreq(transforms.side)[:, None]
        kx = torch.fft.rfftfreq(transforms.side)[None]
        not_low = ((ky.square() + kx.square()).sqrt() > LOWEST).float()
        self.register_buffer("not_low", not_low, persistent=False)

    def forward(self, image: Tensor, estimate: Tensor) -> Tensor:
        t = self.transforms
        real, imaginary = self._spectrum(image - estimate)
        log_power = self._mean_log_power(real, imaginary, FLOOR)
        windows = (0 * real[..., :1, :1] + 1).sum((1, 2))[:, None]
        deviation = LOG_DEVIATION * torch.sqrt(OVERLAP / windows)
        around = _background(log_power, AROUND, AROUND, 0.5 * deviation)
        down = _background(log_power, ALONG, 0, deviation)
        across = _background(log_power, 0, ALONG, deviation)
        excess = log_power - torch.maximum(around, torch.maximum(down, across))
        significant = torch.sigmoid(STEEPNESS * (excess / deviation - SIGNIFICANT))
        gain = significant * (1 - torch.exp(-excess.clamp(min=0))) * self._lattice(estimate)
        gain = gain[:, None]  # the same for all windows
        return estimate + t.fold(t.inverse_transform(real * gain, imaginary * gain) * t.taper)

    def _lattice(self, estimate: Tensor) -> Tensor:
        """One at the peaks of the estimate's spectrum and beside them, else zero."""
        log_power = self._mean_log_power(*self._spectrum(estimate), FLOOR * 1e-3)
        height = 0.2 + 0 * log_power[..., :1, :1]
        down = _background(log_power, ALONG, 0, height)
        across = _background(log_power, 0, ALONG, height)
        excess = log_power - torch.maximum(down, across)
        near = max_pool2d(padded(excess, 1, 1), 3, 1)
        return self.not_low * torch.relu(torch.sign(near - LATTICE_PEAK))

    def _spectrum(self, image: Tensor) -> tuple[Tensor, Tensor]:
        t = self.transforms
        return t.forward_transform(t.windows(image) * t.taper)

    def _mean_log_power(self, real: Tensor, imaginary: Tensor, floor: float) -> Tensor:
        """[N, 1, side, side / 2 + 1], the mean over the windows."""
        power = (real * real + imaginary * imaginary) / (self.transforms.taper**2).sum()
        return torch.log(power + floor).mean((1, 2))[:, None]


def _background(log_power: Tensor, down: int, across: int, height: Tensor) -> Tensor:
    """A moving average, with what differs from it by more than `height` clipped."""

    def average(spectrum: Tensor) -> Tensor:
        return avg_pool2d(padded(spectrum, down, across), (2 * down + 1, 2 * across + 1), 1)

    level = average(log_power)
    for _ in range(4):
        level = average(torch.minimum(torch.maximum(log_power, level - height), level + height))
    return level
