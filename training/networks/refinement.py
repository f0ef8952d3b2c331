"""The last layer of a denoiser: it returns to an estimate what the denoiser has weakened.

In the spectra of overlapping windows, the removed part (image minus estimate) is regressed on the
estimate, for every frequency over the whole frame. Noise has no fixed phase relative to the
estimate. A weakened lattice frequency has one, the same in all windows, so that even a loss far
below the noise is found. The estimate is raised by the regression times a gain from 0 to 1. A small
network over the frequencies gives the gain, since a Wiener filter also weakens the noise in the
estimate, which should stay weak. Training finds the gains of the least error. They are squared
afterwards, which costs 0.1 dB at most and leaves a third of the spots that noise would make in
amorphous films.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks.half_spectra import SEPARATE, padded, smooth
from training.networks.spectral import Spectrum, Transforms

LEAST = 1e-3  # of the noise power, below which all powers count alike
WEAKEST = 1e-2  # of the noise power, below which a regression shrinks
LOWEST, HIGHEST = -0.5, 1.0  # limits of the regression
LARGEST = 20.0  # standard deviations: correlations above count alike
SCALE = 0.3  # of the features that are logarithms or significances, for units of about one
FEATURES = 12
DILATIONS = (1, 2, 4)
CAUTION = 2  # power of the gain after training, against invented spots
RARE = -2.0  # logit of the gains before training


class Refinement(nn.Module):
    """Image, estimate [N, 1, H, W] and log noise power [N, rows, columns, side, side / 2 + 1] -> a
    better estimate; H, W multiples of side / 2."""

    radius: Tensor

    def __init__(self, transforms: Transforms, width: int = 16) -> None:
        super().__init__()
        self.transforms = transforms
        ky = torch.fft.fftfreq(transforms.side)[:, None]
        kx = torch.fft.rfftfreq(transforms.side)[None]
        radius = 2 * (ky.square() + kx.square()).sqrt()
        self.register_buffer("radius", radius[None, None], persistent=False)
        self.first = nn.Conv2d(FEATURES, width, 1)
        self.middle = nn.ModuleList(nn.Conv2d(width, width, 3, dilation=d) for d in DILATIONS)
        self.last = nn.Conv2d(width, 1, 1)
        nn.init.zeros_(self.last.weight)
        self.last.bias = nn.Parameter(torch.full((1,), RARE))

    def forward(self, image: Tensor, estimate: Tensor, log_noise: Tensor) -> Tensor:
        t = self.transforms
        kept, mean = t.spectra(estimate)
        removed = t.forward_transform(t.windows(image - estimate) * t.taper)
        raise_by = self.rise(kept, removed, torch.exp(-log_noise) / t.taper.square().sum())
        real, imaginary = (part * raise_by[:, None] for part in kept)  # the same for all windows
        # At the edges of the frame, fewer windows overlap.
        covered = t.fold(t.taper.square() + 0 * mean)
        return estimate + t.fold(t.inverse_transform(real, imaginary) * t.taper) / covered

    def rise(self, kept: Spectrum, removed: Spectrum, inverse_noise: Tensor) -> Tensor:
        """The factor minus one [N, 1, side, side / 2 + 1] by which the estimate is raised."""

        def power(one: Spectrum, other: Spectrum) -> Tensor:
            return (one[0] * other[0] + one[1] * other[1]) * inverse_noise

        of_removed = power(removed, removed)
        turned = removed[1], -removed[0]
        kept_power, removed_power, cross, quadrature, mean_log = (
            part.mean((1, 2))[:, None]
            for part in (
                power(kept, kept),
                of_removed,
                power(kept, removed),
                power(kept, turned),
                _log(of_removed),
            )
        )
        windows = (0 * of_removed[..., :1, :1] + 1).sum((1, 2))[:, None] * SEPARATE
        regression = (cross / (kept_power + WEAKEST)).clamp(LOWEST, HIGHEST)
        # Of a Wiener filter, whose estimate contains noise in proportion, this part is the signal.
        signal = (1 - 1 / (kept_power + removed_power + 2 * cross + LEAST)).clamp(0, 1)
        deviation = ((kept_power + LEAST) / windows).sqrt()
        in_phase, out_of_phase = (
            (part / deviation).clamp(-LARGEST, LARGEST) / 2 for part in (cross, quadrature)
        )
        log_kept, log_removed, none = _log(kept_power), _log(removed_power), 0 * cross
        seen = [log_removed, smooth(log_removed), log_kept, mean_log, in_phase, out_of_phase.abs()]
        seen += [log_kept - smooth(log_kept), torch.log(windows) + none]
        seen = [SCALE * part for part in seen]
        seen += [log_removed - smooth(log_removed), self.radius + none, regression]
        seen += [((1 + regression) * signal - 1).clamp(LOWEST, HIGHEST)]
        x = torch.relu(self.first(torch.cat(seen, 1)))
        for dilation, layer in zip(DILATIONS, self.middle, strict=True):
            x = x + torch.relu(layer(padded(x, dilation, dilation)))
        gain = torch.sigmoid(self.last(x))
        return (gain if self.training else gain**CAUTION) * regression


def _log(power: Tensor) -> Tensor:
    return torch.log(power + LEAST)
