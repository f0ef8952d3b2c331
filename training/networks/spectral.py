"""A windowed Fourier Wiener filter as a network layer, which averages periodic structure.

Square windows with 50 % overlap and a root-Hann taper for analysis and synthesis. The frame's noise
spectrum is estimated from the mean log periodogram of the windows. The gain of each coefficient
depends on its signal-to-noise ratio, those of neighbouring frequencies and windows, and that of the
whole frame. A second pass uses the power of the first estimate as the signal's (an empirical Wiener
filter). The layer is equivariant to gain and offset, down to 1e-9 of the input's variance.

In training the transforms are FFTs. In the exported file they are matrix products, so that plain
ONNX of opset 17 contains the whole layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from training.networks.half_spectra import (
    in_four_orientations,
    in_one_orientation,
    padded,
    reflected,
    smooth,
)
from training.networks.unet import start_at_zero

EULER = 0.5772  # log of the mean of a periodogram minus the mean of its log
FLOOR = 1e-9  # of the power: rounding errors of a frame without noise
HIGH_FREQUENCY = 0.38  # cycles per pixel, above which most specimens have no signal
DILATIONS = (1, 2, 4, 8)  # of the small network over the frequencies
SHARPNESS = 1.5  # factor of the mean of several logits, which is flatter than each
PEAK_HEIGHT = 0.15  # log power above the surroundings at which peaks are clipped

Spectrum = tuple[Tensor, Tensor]  # real and imaginary part, [N, rows, columns, side, side / 2 + 1]
# From the image, its estimate, the log power and the log noise power: a better log noise power.
Choice = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


class Transforms(nn.Module):
    """Tapered overlapping windows, their Fourier transforms, and the inverses."""

    taper: Tensor
    cos_x: Tensor
    sin_x: Tensor
    cos_y: Tensor
    sin_y: Tensor
    back: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side, self.step = side, side // 2
        taper = torch.hann_window(side, periodic=True, dtype=torch.float64).sqrt()
        self._keep("taper", torch.outer(taper, taper))
        n = torch.arange(side, dtype=torch.float64)
        across = 2 * math.pi * n[:, None] * n[None, : side // 2 + 1] / side
        down = 2 * math.pi * n[:, None] * n[None] / side
        self._keep("cos_x", torch.cos(across))
        self._keep("sin_x", -torch.sin(across))
        self._keep("cos_y", torch.cos(down))
        self._keep("sin_y", -torch.sin(down))
        twice = torch.full((side // 2 + 1,), 2.0, dtype=torch.float64)
        twice[0] = twice[-1] = 1
        self._keep("back", twice / side**2)

    def _keep(self, name: str, value: Tensor) -> None:
        # Constants, which checkpoints need not contain.
        self.register_buffer(name, value.float(), persistent=False)

    def windows(self, image: Tensor) -> Tensor:
        """[N, 1, H, W] -> [N, rows, columns, side, side], starting half a step outside."""
        step, margin = self.step, self.step // 2
        image = reflected(reflected(image, margin, 2), margin, 3)
        n, _, height, width = image.shape
        squares = image.reshape(n, height // step, step, width // step, step)
        squares = squares.permute(0, 1, 3, 2, 4)
        across = torch.cat([squares[:, :, :-1], squares[:, :, 1:]], 4)
        return torch.cat([across[:, :-1], across[:, 1:]], 3)

    def fold(self, windows: Tensor) -> Tensor:
        """Overlap-add of the windows, cropped to the image: the adjoint of `windows`."""
        step, margin = self.step, self.step // 2
        n, rows, columns = windows.shape[:3]
        z = _overlapped(windows[:, :, :, :step], windows[:, :, :, step:], 1)
        z = _overlapped(z[..., :step], z[..., step:], 2)
        image = z.permute(0, 1, 3, 2, 4).reshape(n, 1, (rows + 1) * step, (columns + 1) * step)
        return image[..., margin:-margin, margin:-margin]

    def spectra(self, image: Tensor) -> tuple[Spectrum, Tensor]:
        """Of the windows of an image, each without its mean; and the means."""
        windows = self.windows(image)
        mean = (windows * self.taper).sum((-2, -1), keepdim=True) / self.taper.sum()
        return self.forward_transform((windows - mean) * self.taper), mean

    def forward_transform(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        if not torch.onnx.is_in_onnx_export():
            spectrum = torch.fft.rfft2(windows)
            return spectrum.real, spectrum.imag
        real, imaginary = windows @ self.cos_x, windows @ self.sin_x
        return (
            self.cos_y @ real - self.sin_y @ imaginary,
            self.cos_y @ imaginary + self.sin_y @ real,
        )

    def inverse_transform(self, real: Tensor, imaginary: Tensor) -> Tensor:
        if not torch.onnx.is_in_onnx_export():
            windows: Tensor = torch.fft.irfft2(
                torch.complex(real, imaginary), s=(self.side, self.side)
            )
            return windows
        a = self.cos_y @ real + self.sin_y @ imaginary
        b = self.cos_y @ imaginary - self.sin_y @ real
        return (a * self.back) @ self.cos_x.T + (b * self.back) @ self.sin_x.T


class NoiseSpectrum(nn.Module):
    """Log noise power of every window and frequency, from log periodograms.

    The first estimate is the frame's mean log periodogram, smoothed with its peaks clipped. A small
    network over the frequencies weights this estimate against white noise, corrects it, and selects
    the frequencies that determine the noise level of a single window. With `symmetric`, its answer
    is the mean over four orientations of the spectrum, as that of one varies in a small frame.
    """

    FEATURES = 7
    high: Tensor
    places: Tensor

    def __init__(self, side: int, symmetric: bool, width: int = 16) -> None:
        super().__init__()
        self.symmetric = symmetric
        ky = torch.fft.fftfreq(side)[:, None].expand(side, side // 2 + 1)
        kx = torch.fft.rfftfreq(side)[None].expand(side, side // 2 + 1)
        radius = (ky.square() + kx.square()).sqrt()
        high = (radius > HIGH_FREQUENCY).float()
        self.register_buffer("high", high / high.sum(), persistent=False)
        places = torch.stack([radius, ky.abs(), kx])[None] * 2
        self.register_buffer("places", places, persistent=False)
        self.first = nn.Conv2d(self.FEATURES, width, 1)
        self.middle = nn.ModuleList(nn.Conv2d(width, width, 3, dilation=d) for d in DILATIONS)
        self.last = nn.Conv2d(width, 3, 1)
        start_at_zero(self.last)

    def forward(self, log_power: Tensor) -> Tensor:
        """[N, rows, columns, side, side / 2 + 1] -> the same shape."""
        mean = log_power.mean((1, 2))[:, None]  # [N, 1, side, side / 2 + 1]
        spread = (log_power - mean[:, :, None]).square().mean((1, 2))[:, None]
        seen = torch.cat([mean, spread], 1)
        if self.symmetric:
            estimate = in_one_orientation(self._estimate(in_four_orientations(seen)))
            sharpness = SHARPNESS
        else:
            estimate, sharpness = self._estimate(seen), 1.0
        colour, logit = estimate[:, :1], sharpness * estimate[:, 1:]
        weight = torch.softmax(logit.flatten(2), -1).view_as(logit)
        colour, weight = colour[:, None], weight[:, None]  # the same for all windows
        own = ((log_power - colour) * weight).sum((-2, -1), keepdim=True)
        noise: Tensor = colour + own + EULER
        return noise

    def _estimate(self, seen: Tensor) -> Tensor:
        """From mean and spread [N, 2, side, side / 2 + 1], the noise spectrum up to a factor, and
        the logits of the weights by which frequencies determine the factor."""
        mean, spread = seen[:, :1], seen[:, 1:]
        level = (mean * self.high).sum((-2, -1), keepdim=True)
        guess = self._clipped(mean)
        down = mean.mean(2, keepdim=True) + 0 * mean
        along = mean.mean(3, keepdim=True) + 0 * mean
        maps = [mean - level, guess - level, down - level, along - level]
        first, *others = (0.25 * m for m in maps)
        places = self.places[:, :2] + 0 * mean
        x = torch.cat([torch.tanh(first), *others, 0.25 * spread.clamp(max=16), places], 1)
        x = torch.relu(self.first(x))
        for dilation, layer in zip(DILATIONS, self.middle, strict=True):
            x = x + torch.relu(layer(padded(x, dilation, dilation)))
        output: Tensor = self.last(x)
        trust, change, level_weight = output[:, :1], output[:, 1:2], output[:, 2:]
        colour = level + torch.sigmoid(trust) * (guess - level) + change
        return torch.cat([colour, level_weight + (self.high * 1e3).clamp(max=3.0)], 1)

    def _clipped(self, mean: Tensor) -> Tensor:
        """`mean` smoothed over neighbouring frequencies, with peaks clipped."""
        guess = smooth(mean)
        for _ in range(3):
            guess = smooth(torch.minimum(mean, guess + PEAK_HEIGHT))
        return guess


class Gain(nn.Module):
    """A gain from 0 to 1, from logarithms of signal-to-noise ratios [M, features, ...].

    The sigmoid of a log ratio minus a threshold is the Wiener gain. A few hidden units, or without
    any a weighted sum of all ratios, add a correction that is zero before training.
    """

    def __init__(self, features: int, slope: float, threshold: float, hidden: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))
        self.threshold = nn.Parameter(torch.tensor(threshold))
        self.hidden = hidden
        if hidden:
            self.first = nn.Conv2d(features, hidden, 1)
        self.last = nn.Conv2d(hidden or features, 1, 1)
        start_at_zero(self.last)

    def forward(self, ratios: list[Tensor]) -> Tensor:
        """Of ratios that broadcast to the shape of the first, [..., side, side / 2 + 1]."""
        if self.hidden:
            shape = ratios[0].shape
            whole = (ratio + 0 * ratios[0] for ratio in ratios)
            flat = torch.stack([ratio.reshape(-1, *shape[-2:]) for ratio in whole], 1)
            more = self.last(torch.relu(self.first(0.3 * flat))).view(shape)
        else:
            more = self.last.bias
            for ratio, weight in zip(ratios, self.last.weight.flatten(), strict=True):
                more = more + ratio * weight
        return torch.sigmoid(self.slope * (ratios[0] - self.threshold) + more)


class Spectral(nn.Module):
    """[N, 1, H, W] -> estimate and noise standard deviation, and the log noise power of each window
    and frequency; H, W multiples of side / 2."""

    def __init__(self, side: int = 128, hidden: int = 8, symmetric: bool = False) -> None:
        super().__init__()
        self.transforms = Transforms(side)
        self.noise = NoiseSpectrum(side, symmetric)
        self.first_gain = Gain(5, 2.0, math.log(4.0), hidden)
        self.second_gain = Gain(4, 1.0, 0.0, hidden)
        self.sparse = nn.Parameter(
            torch.tensor(1.0)
        )  # exponent: windows of low mean gain weigh more

    def forward(self, image: Tensor, choose: Choice | None = None) -> tuple[Tensor, Tensor, Tensor]:
        t, taper = self.transforms, self.transforms.taper
        spectrum, mean = t.spectra(image)
        log_power = torch.log(power(spectrum) / (taper**2).sum() + FLOOR)
        log_noise = self.noise(log_power)
        estimate = self._filtered(spectrum, mean, log_power, log_noise)
        if choose is not None:
            log_noise = choose(image, estimate, log_power, log_noise)
            estimate = self._filtered(spectrum, mean, log_power, log_noise)
        deviation = torch.exp(0.5 * log_noise).square().mean((-2, -1), keepdim=True).sqrt()
        weights = taper**2 + 0 * mean
        return estimate, t.fold(deviation * weights) / t.fold(weights), log_noise

    def _filtered(
        self, spectrum: Spectrum, mean: Tensor, log_power: Tensor, log_noise: Tensor
    ) -> Tensor:
        """The estimate of the image, from the spectra and means of its windows."""
        t, taper = self.transforms, self.transforms.taper
        own = log_power - log_noise
        ratio = torch.exp(own.clamp(max=30))
        beside = torch.log(avg_pool2d(padded(ratio.flatten(0, 2)[:, None], 1, 1), 3, 1))[:, 0]
        around = torch.log(around_windows(ratio))
        everywhere = torch.log(ratio.mean((1, 2), keepdim=True))
        real, imaginary = spectrum

        def estimate(gain: Tensor) -> Tensor:
            made = (t.inverse_transform(real * gain, imaginary * gain) + mean * taper) * taper
            weight = (gain.mean((-2, -1), keepdim=True) + 1e-3) ** (-self.sparse)
            return t.fold(made * weight) / t.fold(taper**2 * weight)

        level = log_noise.mean((-2, -1), keepdim=True)
        near = [own, beside.view(own.shape), around, everywhere, level]
        pilot = power(t.spectra(estimate(self.first_gain(near)))[0])
        signal = torch.log(pilot / (taper**2).sum() + FLOOR * 1e-3) - log_noise
        return estimate(self.second_gain([signal, own, around, everywhere]))


def power(spectrum: Spectrum) -> Tensor:
    return spectrum[0] * spectrum[0] + spectrum[1] * spectrum[1]


def _overlapped(first: Tensor, second: Tensor, axis: int) -> Tensor:
    """The sum of both, the second shifted by one along `axis`."""
    none = 0 * first.narrow(axis, 0, 1)
    return torch.cat([first, none], axis) + torch.cat([none, second], axis)


def around_windows(ratio: Tensor) -> Tensor:
    """The mean over each window and its up to eight neighbours."""
    up = torch.cat([ratio[:, :1], ratio], 1)[:, :-1]
    down = torch.cat([ratio, ratio[:, -1:]], 1)[:, 1:]
    rows = (up + ratio + down) / 3
    left = torch.cat([rows[:, :, :1], rows], 2)[:, :, :-1]
    right = torch.cat([rows, rows[:, :, -1:]], 2)[:, :, 1:]
    return (left + rows + right) / 3
