"""Whether the middle of a spectrum is detail of the specimen, or noise.

A coarse lattice at high dose and a smoothed image at low dose have power spectra of one shape: much
at middle frequencies, little at the highest ones. It is signal in the first and noise in the
second. Only noise is smooth from frequency to frequency, varies alike in all windows, and is
independent of the estimate of the image: of detail that was removed, the harmonics of the lattice
in the square of the estimate explain a large part. A small network decides for the whole frame.
Where it sees detail, the noise is taken for white, at the lowest power of the spectrum.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks.half_spectra import SEPARATE, in_four_orientations, smooth
from training.networks.spectral import EULER, Spectrum, Transforms, power

VARIANCE = 1.64  # of the log periodogram of noise
MOST_WINDOWS = 100.0  # those of a frame of 640 px: larger ones count alike
SCALE = 0.25  # of logarithms, for units of about one
FARTHEST = 5.0  # limit of the estimated noise, in these units
LEAST_SPREAD, MOST_SPREAD = 0.03, 10.0  # of the variance over windows, relative to that of noise
TINY = 1e-20  # of a product of powers
EVERY = 4  # frequencies: the network sees one of them, as all it sees is smooth
FEATURES = 8
CERTAIN = 1.5  # logit above which a frame has detail: leaving noise is the worse mistake
SHARPNESS = 4.0  # of this choice, as a little of both estimates of the noise serves neither
POOLS = 2  # weighted means over the frequencies


class Detail(nn.Module):
    """Image, estimate [N, 1, H, W], log power and estimated log noise power of the windows
    [N, rows, columns, side, side / 2 + 1] -> a better estimate of the noise. With `symmetric`, the
    choice is that of four orientations of the spectrum together."""

    radius: Tensor

    def __init__(self, transforms: Transforms, symmetric: bool, width: int = 16) -> None:
        super().__init__()
        self.transforms, self.symmetric = transforms, symmetric
        side = transforms.side
        ky = torch.fft.fftfreq(side)[::EVERY, None]
        kx = torch.fft.rfftfreq(side)[None, ::EVERY]
        radius = 2 * (ky.square() + kx.square()).sqrt()
        self.register_buffer("radius", radius[None, None], persistent=False)
        self.first = nn.Conv2d(FEATURES, width, 1)
        self.middle = nn.Conv2d(width, width, 1)
        self.pools = nn.Conv2d(width, POOLS, 1)
        self.decide = nn.Sequential(nn.Linear(POOLS * width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(
        self, image: Tensor, estimate: Tensor, log_power: Tensor, log_noise: Tensor
    ) -> Tensor:
        seen = over_windows(self.transforms, image, estimate, log_power, log_noise)
        fraction = torch.sigmoid(SHARPNESS * (self.choice(seen) - CERTAIN))
        return as_detail(log_power, log_noise, fraction[:, None, None, None, None])

    def choice(self, seen: Tensor) -> Tensor:
        """The logit of the fraction by which a frame has detail, [N] from `over_windows`."""
        if not self.symmetric:
            return self.logit(features(seen))
        return self.logit(features(in_four_orientations(seen))).view(4, -1).mean(0)

    def logit(self, seen: Tensor) -> Tensor:
        """The same in one orientation, from `features`."""
        x = torch.cat([seen, self.radius + 0 * seen[:, :1]], 1)
        x = torch.relu(self.first(x))
        x = x + torch.relu(self.middle(x))
        weights = self.pools(x).flatten(2).softmax(-1)
        pooled = x.flatten(2) @ weights.transpose(1, 2)
        logit: Tensor = self.decide(pooled.flatten(1))[:, 0]
        return logit


def as_detail(log_power: Tensor, log_noise: Tensor, fraction: Tensor) -> Tensor:
    """The noise, by this fraction taken for white at the lowest power of the frame."""
    lowest = _lowest(smooth(log_power.mean((1, 2))[:, None]))[:, None] + EULER
    return log_noise + fraction * (lowest - log_noise)


def over_windows(
    transforms: Transforms, image: Tensor, estimate: Tensor, log_power: Tensor, log_noise: Tensor
) -> Tensor:
    """Mean and variance of the log power over all windows, the mean noise, what explains the
    removed part, and the number of windows: [N, 5, side, side / 2 + 1]."""
    mean = log_power.mean((1, 2))[:, None]
    spread = (log_power - mean[:, :, None]).square().mean((1, 2))[:, None]
    noise = log_noise.mean((1, 2))[:, None]
    removed, _ = transforms.spectra(image - estimate)
    harmonics, _ = transforms.spectra(estimate.square())
    count = (0 * log_power + 1).sum((1, 2))[:, None]
    return torch.cat([mean, spread, noise, explained(removed, harmonics), count], 1)


def explained(removed: Spectrum, by: Spectrum) -> Tensor:
    """The fraction of the removed power that is linear in another spectrum, for every frequency
    over the windows: [N, 1, side, side / 2 + 1]; of noise, the inverse of their number."""
    cross = (removed[0] * by[0] + removed[1] * by[1]).sum((1, 2))
    turned = (removed[1] * by[0] - removed[0] * by[1]).sum((1, 2))
    powers = power(removed).sum((1, 2)) * power(by).sum((1, 2))
    return ((cross.square() + turned.square()) / (powers + TINY))[:, None]


def features(seen: Tensor) -> Tensor:
    """What tells detail from noise, [N, FEATURES - 1, side / EVERY, side / 2 / EVERY + 1]."""
    mean, spread, noise, part, count = (seen[:, k : k + 1] for k in range(5))
    around = smooth(mean)
    lowest = _lowest(around)
    noise = noise - EULER
    windows = count.clamp(max=MOST_WINDOWS)
    roughness = (mean - around).square() * windows * SEPARATE / VARIANCE  # about one in noise
    parts = [
        SCALE * (around - lowest),
        (SCALE * (noise - lowest)).clamp(-FARTHEST, FARTHEST),
        (SCALE * (noise - around)).clamp(-FARTHEST, FARTHEST),
        smooth(torch.log((spread / VARIANCE).clamp(min=LEAST_SPREAD, max=MOST_SPREAD))),
        0.5 * smooth(torch.log(roughness + 0.1)),
        3 * (smooth(part) - 1 / windows),
        SCALE * torch.log(windows),
    ]
    return torch.cat(parts, 1)[..., ::EVERY, ::EVERY]


def _lowest(log_power: Tensor) -> Tensor:
    return -(-log_power).amax((-2, -1), keepdim=True)
