"""Whether the middle of a spectrum is detail of the specimen, or noise.

A coarse lattice at high dose and a smoothed image at low dose have power spectra of one shape: much
at middle frequencies, little at the highest ones. It is signal in the first and noise in the
second. Only noise is smooth from frequency to frequency, varies alike in all windows, and is
independent of the estimate of the image. The square of the estimate, which contains the harmonics
of the lattice, explains a large part of removed detail. The estimate itself explains less of it,
but much of a lattice that was only weakened, as noise of any colour weakens it. Small networks vote
on the whole frame. Where they see detail, the noise is taken for white, at the lowest power of the
spectrum.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks.half_spectra import SEPARATE, in_four_orientations, smooth
from training.networks.spectral import EULER, Spectrum, Transforms, power

VARIANCE = 1.64  # of the log periodogram of noise
MOST_WINDOWS = 100.0  # those of a frame of 640 px: larger ones count alike
SCALE = 0.25  # of logarithms, for units of about one
FARTHEST = 5.0  # limit of the noise and of its unevenness, in units of about one
LEAST_SPREAD, MOST_SPREAD = 0.03, 10.0  # of the variance over windows, relative to that of noise
TINY = 1e-9  # power, of a frame of variance one
EVERY = 4  # frequencies: the network sees one of them, as all it sees is smooth
FEATURES = 10
CERTAIN = 1.25  # logit above which a frame has detail: leaving noise is the worse mistake
SHARPNESS = 8.0  # of this choice, as a little of both estimates of the noise serves neither
VOTES = 4  # networks, of which the mean decides: they err on different frames
WIDTH = 16  # of each
POOLS = 2  # weighted means over the frequencies


class Detail(nn.Module):
    """Image, estimate [N, 1, H, W], log power and estimated log noise power of the windows
    [N, rows, columns, side, side / 2 + 1] -> a better estimate of the noise. With `symmetric`, the
    choice is that of four orientations of the spectrum together."""

    def __init__(self, transforms: Transforms, symmetric: bool) -> None:
        super().__init__()
        self.transforms, self.symmetric = transforms, symmetric
        self.votes = nn.ModuleList(Vote(transforms.side) for _ in range(VOTES))

    def forward(
        self, image: Tensor, estimate: Tensor, log_power: Tensor, log_noise: Tensor
    ) -> Tensor:
        seen = over_windows(self.transforms, image, estimate, log_power, log_noise)
        fraction = torch.sigmoid(SHARPNESS * (self.choice(seen) - CERTAIN))
        return as_detail(log_power, log_noise, fraction[:, None, None, None, None])

    def choice(self, seen: Tensor) -> Tensor:
        """The logit of the fraction by which a frame has detail, [N] from `over_windows`."""
        if not self.symmetric:
            return self.logits(features(seen)).mean(0)
        logits = self.logits(features(in_four_orientations(seen)))
        return logits.view(4 * VOTES, -1).mean(0)

    def logits(self, seen: Tensor) -> Tensor:
        """Those of all votes in one orientation, [VOTES, N] from `features`."""
        return torch.stack([vote(seen) for vote in self.votes])


class Vote(nn.Module):
    """What is seen at each frequency -> a logit for the frame, by weighted means."""

    radius: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        ky = torch.fft.fftfreq(side)[::EVERY, None]
        kx = torch.fft.rfftfreq(side)[None, ::EVERY]
        radius = 2 * (ky.square() + kx.square()).sqrt()
        self.register_buffer("radius", radius[None, None], persistent=False)
        self.first = nn.Conv2d(FEATURES, WIDTH, 1)
        self.middle = nn.Conv2d(WIDTH, WIDTH, 1)
        self.pools = nn.Conv2d(WIDTH, POOLS, 1)
        self.decide = nn.Sequential(nn.Linear(POOLS * WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))

    def forward(self, seen: Tensor) -> Tensor:
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
    """Means over all windows, for each frequency [N, 8, side, side / 2 + 1]: the log power, its
    variance, the log noise, the removed power, the square of this power, the parts of it that the
    square of the estimate and the estimate itself explain; and the number of windows."""
    mean = log_power.mean((1, 2))
    spread = (log_power - mean[:, None, None]).square().mean((1, 2))
    noise = log_noise.mean((1, 2))
    contrast = estimate - estimate.mean((2, 3), keepdim=True)
    removed, square, itself = (
        transforms.spectra(x)[0] for x in (image - estimate, contrast.square(), contrast)
    )
    strength = power(removed)
    count = (0 * log_power + 1).sum((1, 2))
    maps = [
        *(mean, spread, noise, strength.mean((1, 2)), strength.square().mean((1, 2))),
        *(explained(removed, by) / count for by in (square, itself)),
        count,
    ]
    return torch.stack(maps, 1)


def explained(removed: Spectrum, by: Spectrum) -> Tensor:
    """The part of the removed power that is linear in another spectrum, summed over the windows:
    [N, side, side / 2 + 1]. Of noise it is the whole divided by the number of windows."""
    cross = (removed[0] * by[0] + removed[1] * by[1]).sum((1, 2))
    turned = (removed[1] * by[0] - removed[0] * by[1]).sum((1, 2))
    return (cross.square() + turned.square()) / (power(by).sum((1, 2)) + TINY)


def features(seen: Tensor) -> Tensor:
    """What tells detail from noise, [N, FEATURES - 1, side / EVERY, side / 2 / EVERY + 1]."""
    mean, spread, noise, removed, squared, by_square, by_itself, count = (
        seen[:, k : k + 1] for k in range(8)
    )
    around = smooth(mean)
    lowest = _lowest(around)
    noise = noise - EULER
    windows = count.clamp(max=MOST_WINDOWS)
    roughness = (mean - around).square() * windows * SEPARATE / VARIANCE  # about one in noise
    removed = removed + TINY
    unevenness = smooth(squared) / smooth(removed.square())  # about two in noise
    removed = smooth(removed)
    parts = [
        SCALE * (around - lowest),
        (SCALE * (noise - lowest)).clamp(-FARTHEST, FARTHEST),
        (SCALE * (noise - around)).clamp(-FARTHEST, FARTHEST),
        smooth(torch.log((spread / VARIANCE).clamp(min=LEAST_SPREAD, max=MOST_SPREAD))),
        0.5 * smooth(torch.log(roughness + 0.1)),
        3 * (smooth(by_square) / removed - 1 / windows),
        3 * (smooth(by_itself) / removed - 1 / windows),
        (unevenness - 2).clamp(max=FARTHEST),
        SCALE * torch.log(windows),
    ]
    return torch.cat(parts, 1)[..., ::EVERY, ::EVERY]


def _lowest(log_power: Tensor) -> Tensor:
    return -(-log_power).amax((-2, -1), keepdim=True)
