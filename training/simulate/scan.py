"""Scan errors: displacement fields of the beam, and pictures sampled along them.

The fast direction is x; time runs along rows and from row to row. Strengths are in pixels, rms for
random errors.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.draw import Mix, log_uniform, normal, uniform
from training.simulate.render import cubic

SCAN: Mix = {
    "drift": (0.2, 6.0, 0.5),  # of the specimen while the frame is scanned
    "row_jitter_x": (0.05, 1.2, 0.6),
    "row_jitter_y": (0.05, 0.6, 0.4),
    "fast_jitter": (0.05, 0.6, 0.4),  # within rows, correlated over 2 to 40 px
    "flyback": (0.3, 4.0, 0.3),  # at the first pixel of a row, decaying along it
    "jump": (0.3, 2.0, 0.1),  # once in the frame
    "wobble": (0.1, 1.0, 0.2),  # sinusoidal, from the mains
}

EDGE = 16  # px of margin around a picture for its scan errors


def displacements(
    batch: int, rows: int, columns: int, random: torch.Generator, strengths: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """(slow, fast), each [B, 2, rows, columns]: true minus nominal position of the beam.

    `slow` is the drift, which one frame cannot distinguish from a distorted crystal; `fast` is what
    a restoring network can correct. Both have zero mean over the frame.
    """
    time = torch.linspace(-0.5, 0.5, rows * columns, device=random.device).view(rows, columns)
    none = torch.zeros(batch, device=random.device)
    slow = time * _direction(strengths.get("drift", none), random)
    fast = torch.zeros(batch, 2, rows, columns, device=random.device)
    for name, error in _ERRORS.items():
        strength = strengths.get(name, none)
        if strength.device.type != "cpu":  # on a GPU, selecting pictures would synchronise
            fast = fast + error(strength, rows, columns, random)
            continue
        some = strength.nonzero()[:, 0]  # most pictures have few errors, and they are slow to draw
        if len(some):
            fast[some] += error(strength[some], rows, columns, random)
    return slow, fast - fast.mean(dim=(2, 3), keepdim=True)


def _direction(length: Tensor, random: torch.Generator) -> Tensor:
    """[B, 2, 1, 1] vectors of lengths [B] in random directions."""
    turn = uniform((len(length),), 0, 2 * math.pi, random)
    return (length * torch.stack([turn.sin(), turn.cos()])).T[:, :, None, None]


def _row_jitter(strength: Tensor, rows: int, random: torch.Generator) -> Tensor:
    """[B, rows] displacements of whole rows: a first-order autoregression from row to row."""
    memory = uniform((len(strength),), 0, 0.9, random)[:, None]
    return strength[:, None] * _autoregression(normal((len(strength), rows), random), memory)


def _row_jitter_x(strength: Tensor, rows: int, columns: int, random: torch.Generator) -> Tensor:
    shift = _row_jitter(strength, rows, random)
    return torch.stack([torch.zeros_like(shift), shift], 1)[..., None]


def _row_jitter_y(strength: Tensor, rows: int, columns: int, random: torch.Generator) -> Tensor:
    shift = _row_jitter(strength, rows, random)
    return torch.stack([shift, torch.zeros_like(shift)], 1)[..., None]


def _autoregression(noise: Tensor, memory: Tensor) -> Tensor:
    """An AR(1) process of unit variance along the last axis, by its impulse response."""
    length = noise.shape[-1]
    lag = torch.arange(length, device=noise.device)
    response = memory**lag * (1 - memory.square()).sqrt()
    spectrum = torch.fft.rfft(noise, 2 * length) * torch.fft.rfft(response, 2 * length)
    process: Tensor = torch.fft.irfft(spectrum, 2 * length)[..., :length]
    return process


def _fast_jitter(strength: Tensor, rows: int, columns: int, random: torch.Generator) -> Tensor:
    """Vibration within rows, correlated along a row and independent between rows."""
    batch = len(strength)
    length = log_uniform((batch, 1, 1, 1), 2, 40, random)
    frequency = torch.fft.rfftfreq(columns, device=random.device)
    response = torch.exp(-2 * (math.pi * length * frequency).square())
    response = response / response.square().mean(dim=-1, keepdim=True).sqrt()
    noise = torch.fft.rfft(normal((batch, 2, rows, columns), random))
    jitter: Tensor = torch.fft.irfft(noise * response, columns)
    return strength[:, None, None, None] * jitter


def _flyback(strength: Tensor, rows: int, columns: int, random: torch.Generator) -> Tensor:
    """The beam lags at the start of every row and recovers exponentially."""
    decay = log_uniform((len(strength), 1, 1), 3, 0.15 * columns + 3, random)
    column = torch.arange(columns, device=random.device)
    late = strength[:, None, None] * torch.exp(-column / decay)
    return torch.stack([torch.zeros_like(late), late], 1)


def _jump(strength: Tensor, rows: int, columns: int, random: torch.Generator) -> Tensor:
    moment = uniform((len(strength), 1, 1, 1), 0.1, 0.9, random) * rows * columns
    time = torch.arange(rows * columns, device=random.device).view(rows, columns)
    return (time > moment) * _direction(strength, random)


def _wobble(strength: Tensor, rows: int, columns: int, random: torch.Generator) -> Tensor:
    """A sine in time, of 0.03 to 3 cycles per row."""
    batch = len(strength)
    cycles = log_uniform((batch, 1, 1, 1), 0.03, 3, random)
    phase = uniform((batch, 1, 1, 1), 0, 2 * math.pi, random)
    row = torch.arange(rows, device=random.device)[:, None]
    column = torch.arange(columns, device=random.device)[None, :] / columns
    wave = torch.sin(2 * math.pi * cycles * (row + column) + phase)
    return math.sqrt(2) * wave * _direction(strength, random)


# Each returns displacements [B, 2 (y, x), rows, columns], or of a shape that broadcasts to it.
_ERRORS = {
    "row_jitter_x": _row_jitter_x,
    "row_jitter_y": _row_jitter_y,
    "fast_jitter": _fast_jitter,
    "flyback": _flyback,
    "jump": _jump,
    "wobble": _wobble,
}


def coefficients(image: Tensor) -> Tensor:
    """Periodic cubic B-spline coefficients of pictures [B, rows, columns], by FFT.

    The influence of the opposite edge decays as 0.27 per pixel, so a margin of EDGE px suffices.
    """
    rows, columns = image.shape[-2:]

    def response(frequency: Tensor) -> Tensor:
        return (2 + torch.cos(2 * math.pi * frequency)) / 3

    fy = response(torch.fft.fftfreq(rows, device=image.device))[:, None]
    fx = response(torch.fft.rfftfreq(columns, device=image.device))[None, :]
    filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(image) / (fy * fx), s=(rows, columns))
    return filtered


def sample(spline: Tensor, displacement: Tensor, edge: int = EDGE) -> Tensor:
    """Pictures [B, rows, columns] sampled at the true positions of the beam, from coefficients that
    extend `edge` px beyond the displacements [B, 2, rows, columns] on every side."""
    batch, height, width = spline.shape
    rows, columns = displacement.shape[-2:]
    reach = edge - 2
    row = torch.arange(rows, device=spline.device)[:, None]
    column = torch.arange(columns, device=spline.device)
    y = row + edge + displacement[:, 0].clamp(-reach, reach)
    x = column + edge + displacement[:, 1].clamp(-reach, reach)
    top, left = y.floor(), x.floor()
    y_weights, x_weights = cubic(y - top), cubic(x - left)
    first = ((top - 1) * width + left - 1).long().view(batch, -1)
    flat = spline.reshape(batch, height * width)
    image = torch.zeros(batch, rows * columns, device=spline.device)
    for i, y_weight in enumerate(y_weights):
        along = torch.zeros_like(image)
        for j, x_weight in enumerate(x_weights):
            # An offset view, so that one index serves all sixteen neighbours.
            taken = flat[:, i * width + j :].gather(1, first)
            along.addcmul_(taken, x_weight.reshape(batch, -1))
        image.addcmul_(along, y_weight.reshape(batch, -1))
    return image.view(batch, rows, columns)
