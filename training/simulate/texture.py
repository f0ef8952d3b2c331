"""Background and intensity variations: level, thickness, contamination, amorphous film."""

from __future__ import annotations

import torch
from torch import Tensor

from training.simulate.draw import Mix, log_uniform, normal

# Intensities are relative to the brightest column.
TEXTURE: Mix = {
    "level": (0.0, 0.35, 0.8),  # constant background
    "thickness": (0.03, 0.25, 0.5),  # relative slow variation of the columns' intensity
    "contamination": (0.03, 0.2, 0.4),  # slow variation of the background
    "film": (0.02, 0.15, 0.2),  # speckle of an amorphous film
}


def smooth_field(length: Tensor, size: int, random: torch.Generator) -> Tensor:
    """[B, size, size] Gaussian random fields of unit variance with correlation length `length`."""
    noise = normal((len(length), size, size), random)
    fy = torch.fft.fftfreq(size, device=random.device)[:, None]
    fx = torch.fft.rfftfreq(size, device=random.device)[None, :]
    radius = (fy.square() + fx.square())[None] * length.square()[:, None, None]
    field: Tensor = torch.fft.irfft2(
        torch.fft.rfft2(noise) * torch.exp(-20 * radius), s=(size, size)
    )
    field = field - field.mean(dim=(1, 2), keepdim=True)
    return field / field.std(dim=(1, 2), keepdim=True).clamp(min=1e-6)


def add_texture(image: Tensor, random: torch.Generator, strengths: dict[str, Tensor]) -> Tensor:
    """Add texture of these `strengths` [B] (see TEXTURE) to pictures [B, size, size] of columns."""
    batch, size, _ = image.shape
    none = torch.zeros(batch, device=image.device)

    def strength(name: str) -> Tensor:
        return strengths.get(name, none)[:, None, None]

    def slow() -> Tensor:
        return smooth_field(log_uniform((batch,), 0.15 * size, 0.5 * size, random), size, random)

    image = image * (1 + strength("thickness") * slow()).clamp(min=0)
    background = strength("level") + strength("contamination") * slow()
    if strength("film").any():
        grain = smooth_field(log_uniform((batch,), 1.5, 6, random), size, random)
        # A film's intensity is a sum over few atoms: positive and skewed.
        background = background + strength("film") * (0.5 * grain).exp()
    return (image + background.clamp(min=0)).clamp(min=0)
