"""The probe, as a transfer function in Fourier space.

Diffraction at an aperture with aberrations, a Gaussian source, and a wide tail. Scaled so that a
column of weight one has about unit peak height in a perfect probe.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import Mix

# Aberrations are phases in radians at the edge of the aperture.
PROBE: Mix = {
    "diffraction": (0.3, 0.8, 0.5),  # fraction of the width due to the aperture
    "defocus": (-4.0, 4.0, 0.3),
    "astigmatism": (0.3, 2.0, 0.3),
    "coma": (0.5, 4.0, 0.2),  # also the effect of a tilted beam or specimen
    "ellipticity": (0.0, 0.12, 0.5),  # of the source
    "tail": (0.0, 0.08, 0.5),  # fraction of the intensity in a halo three times as wide
}

AIRY_SIGMA = 0.218  # of a diffraction-limited spot, in 1 / aperture radius
WIDEST_APERTURE = 0.24  # cycles per pixel; a wider one would not fit the pixel grid


def transfer(
    sigma: Tensor, angle: Tensor, size: int, strengths: dict[str, Tensor] | None = None
) -> Tensor:
    """[B, size, size // 2 + 1] for spots of standard deviation `sigma` [B] px.

    `angle` [B] is the direction of the anisotropic parts; `strengths` [B] are named in PROBE.
    """
    given = strengths or {}
    none = torch.zeros_like(sigma)
    share = given.get("diffraction", none)
    edge = AIRY_SIGMA / (share * sigma).clamp(min=1e-6)
    share = torch.where(edge > WIDEST_APERTURE, none, share)
    width = sigma * (1 - share.square()).sqrt()
    response = _source(width, given.get("ellipticity", none), angle, size)
    tail = given.get("tail", none)[:, None, None]
    if tail.any():
        response = (1 - tail) * response + tail * _source(3 * sigma, none, angle, size)
    diffracting = share > 0
    if diffracting.any():
        lens = _aperture(edge[diffracting], angle[diffracting], size, given, diffracting)
        response = response.to(lens.dtype)
        response[diffracting] *= lens
    return response * (2 * math.pi * sigma.square())[:, None, None]


def _frequencies(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    fy = torch.fft.fftfreq(size, device=device)[:, None]
    return fy, torch.fft.rfftfreq(size, device=device)[None, :]


def _source(sigma: Tensor, ellipticity: Tensor, angle: Tensor, size: int) -> Tensor:
    """An elliptic Gaussian."""
    fy, fx = _frequencies(size, sigma.device)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    along = (cos * fx + sin * fy) * (1 + ellipticity)[:, None, None]
    across = (cos * fy - sin * fx) * (1 - ellipticity)[:, None, None]
    square = (along.square() + across.square()) * sigma.square()[:, None, None]
    return torch.exp(-2 * math.pi**2 * square)


def _aperture(
    edge: Tensor, angle: Tensor, size: int, given: dict[str, Tensor], which: Tensor
) -> Tensor:
    """Transfer of |probe|^2 behind a round aperture of radius `edge` [B] with aberrations."""
    frequency = torch.fft.fftfreq(size, device=edge.device)
    fy, fx = frequency[None, :, None], frequency[None, None, :]
    radius = (fy.square() + fx.square()).sqrt() / edge[:, None, None]
    azimuth = torch.atan2(fy, fx) - angle[:, None, None]

    def phase(name: str) -> Tensor:
        return given.get(name, torch.zeros_like(which, dtype=edge.dtype))[which][:, None, None]

    chi = radius.square() * (phase("defocus") + phase("astigmatism") * torch.cos(2 * azimuth))
    chi = chi + phase("coma") * radius**3 * torch.cos(azimuth)
    # A soft edge: on a coarse grid, the size of a hard-edged aperture would change in jumps.
    inside = torch.sigmoid((1 - radius) * edge[:, None, None] * size / 0.5)
    wave = torch.fft.ifft2(torch.polar(inside, chi))
    spot = torch.fft.rfft2(wave.abs().square())
    response: Tensor = spot / spot[:, :1, :1].real
    return response
