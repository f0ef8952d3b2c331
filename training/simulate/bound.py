"""How well a drift can be known at all: the Cramer-Rao bound of a pair.

A frame of Poisson counts with expectation L knows its own displacement with the Fisher information
F = sum (grad L)(grad L)^T / L, here over the pixels that both frames show. The drift is the
difference of two displacements, so their variances add: F_A^-1 + F_B^-1.

Rows that are displaced at random by j px rms along either axis add to that. An estimate on the
counts is the mean of its rows' displacements, each weighted by its information F_r, so the variance
of the frame's displacement grows by j^2 F^-1 (sum F_r F_r) F^-1. With rows of equal weight this is
j^2 over their number.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.simulate.lattice_pairs import ScenePairs
from training.simulate.scan import EDGE


def bound(rows: Tensor, doses: tuple[float, float], jitter: float = 0.0) -> Tensor:
    """[B, 2]: the least standard deviation of a drift along y and x, in px.

    `rows` is the `information` of a pair, `doses` the counts at a scene of one in the reference and
    in the moving frame, `jitter` in px rms. Infinite where nothing is known along some direction.
    """
    variance = torch.zeros(rows.shape[1], 2, dtype=rows.dtype)
    for frame, dose in zip(rows, doses, strict=True):
        whole = frame.sum(1)
        known = torch.linalg.matrix_rank(whole, hermitian=True) == 2
        covariance = torch.linalg.pinv(whole, hermitian=True)
        shaken = jitter**2 * covariance @ (frame @ frame).sum(1) @ covariance
        variance += (covariance / dose + shaken).diagonal(dim1=1, dim2=2)
        variance[~known] = math.inf
    return variance.sqrt()


def information(scenes: ScenePairs) -> Tensor:
    """[2, B, rows, 2, 2]: of each row of both frames, at a dose of one."""
    frames = (scenes.reference, scenes.drift), (scenes.moving, -scenes.drift)
    return torch.stack([row_information(scene, towards) for scene, towards in frames])


def row_information(scene: Tensor, towards: Tensor) -> Tensor:
    """[B, rows, 2, 2]: what each row of a frame knows of its displacement, at a dose of one.

    Only pixels count that the other frame shows as well, `towards` [B, 2] px away in it.
    """
    wide = scene.double()
    inner = slice(EDGE, -EDGE)
    along_y, along_x = (slope(wide, axis)[:, inner, inner] for axis in (1, 2))
    seen = wide[:, inner, inner]
    weight = both(towards, seen.shape[-1]) / seen.clamp(min=1e-6)
    yy, yx, xx = (
        (weight * a * b).sum(-1)
        for a, b in ((along_y, along_y), (along_y, along_x), (along_x, along_x))
    )
    return torch.stack([torch.stack([yy, yx], -1), torch.stack([yx, xx], -1)], -2)


def both(towards: Tensor, size: int) -> Tensor:
    """[B, size, size]: one where a pixel's place `towards` [B, 2] px away is in the frame, too."""
    there = torch.arange(size)[None, None] + towards[:, :, None]
    inside = ((there >= 0) & (there <= size - 1)).double()
    return inside[:, 0, :, None] * inside[:, 1, None, :]


def slope(image: Tensor, axis: int) -> Tensor:
    """The derivative of the cubic spline through the pixels, by Fourier, edges wrapping; what wraps
    fades as 0.27 per pixel. Plain differences lose a tenth on the sharpest columns."""
    length = image.shape[axis]
    frequency = 2 * math.pi * torch.fft.rfftfreq(length, dtype=image.dtype)
    response = 3j * frequency.sin() / (2 + frequency.cos())
    turned = torch.fft.rfft(image.movedim(axis, -1)) * response
    slopes: Tensor = torch.fft.irfft(turned, length).movedim(-1, axis)
    return slopes
