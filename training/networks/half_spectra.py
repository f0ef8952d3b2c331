"""Half power spectra [..., ky, kx]: kx from zero up, ky periodic, as of a real image."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

SMOOTHING_RADIUS = 8  # frequencies
SEPARATE = 1 / 2.25  # as many separate windows hold as much as one of those at half steps

# Explicit slices: PyTorch's padding and expansion would export operators that compute sizes, which
# the runtime's gate does not accept.


def reflected(maps: Tensor, reach: int, axis: int) -> Tensor:
    """Padded by `reach` on both sides, by reflection."""
    length = maps.shape[axis]
    before = maps.narrow(axis, 1, reach).flip(axis)
    after = maps.narrow(axis, length - reach - 1, reach).flip(axis)
    return torch.cat([before, maps, after], axis)


def padded(maps: Tensor, down: int, across: int) -> Tensor:
    """Half spectra [M, C, ky, kx] padded: ky is periodic, kx is reflected."""
    if down:
        maps = torch.cat([maps[:, :, -down:], maps, maps[:, :, :down]], 2)
    return reflected(maps, across, 3) if across else maps


def mirrored(half: Tensor) -> Tensor:
    """Half spectra [..., ky, kx] of the picture upside down: ky becomes -ky."""
    return torch.cat([half[..., :1, :], half[..., 1:, :].flip(-2)], -2)


def transposed(half: Tensor) -> Tensor:
    """Half spectra [..., ky, kx] of the picture transposed."""
    middle = half.shape[-1] - 1
    # The power at (ky, -kx) is that at (-ky, kx).
    negative = mirrored(half)[..., : middle + 1, 1:middle].flip(-1)
    return torch.cat([half[..., : middle + 1, :], negative], -1).transpose(-1, -2)


def in_four_orientations(half: Tensor) -> Tensor:
    """Half spectra [N, C, ky, kx] -> [4 N, C, ky, kx]: of the picture as it is and mirrored, and of
    both transposed. A mirrored picture has the same power spectrum as one turned upside down."""
    other = mirrored(half)
    return torch.cat([half, other, transposed(half), transposed(other)])


def in_one_orientation(halves: Tensor) -> Tensor:
    """The mean of what `in_four_orientations` has made, turned back."""
    first, second, third, fourth = halves.reshape(4, -1, *halves.shape[1:]).unbind()
    return (first + transposed(third) + mirrored(second + transposed(fourth))) / 4


def smooth(mean: Tensor) -> Tensor:
    mean = padded(mean, SMOOTHING_RADIUS, SMOOTHING_RADIUS)
    return avg_pool2d(mean, 2 * SMOOTHING_RADIUS + 1, 1)
