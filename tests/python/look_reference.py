"""Plain NumPy beside csrc/drift/look.cpp: two of its channels.

Correlation of a crystal is ruled by its Bragg peaks, and they are the same for every drift that is
a lattice vector longer. So the first channel has them taken out: wherever the spectrum stands far
above its surroundings at that distance from the centre. The second is the frame itself, compressed.
Both have half the frame's resolution and are in units of the frame's white noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RINGS = 48  # over which the level of a spectrum is taken, from its centre to its corner
BRAGG = 3.0  # times the level of its ring: what stands higher is the lattice
CLIPPED = 2.0  # times the level, beyond which a frequency does not count for the level
ROUNDS = 6  # of working the level out without what stands high
CUTOFF = 0.15  # cycles per pixel: Gaussian low-pass before the resolution is halved
NOISE_FROM = 0.4  # cycles per pixel: only noise is left beyond
TAPER = 0.08  # of each side: fades out, so that the frame's edges make no cross in its spectrum


def look(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """[2, H / 2, W / 2] of a clean frame whose sides are multiples of four."""
    rows, columns = pixels.shape
    ky = np.fft.fftfreq(rows)[:, None]
    kx = np.fft.rfftfreq(columns)[None, :]
    radius = np.sqrt(ky**2 + kx**2)
    centred = pixels - pixels.mean(dtype=np.float64)
    spectrum = np.fft.rfft2(centred * _taper(rows)[:, None] * _taper(columns))
    height = np.abs(spectrum)
    ring = np.minimum((radius / 0.7072 * RINGS).astype(int), RINGS - 1)
    level = np.maximum(_levels(height, ring)[ring], 1e-30)
    bragg = _widened(height > BRAGG * level)
    noise = max(float(height[radius > NOISE_FROM].mean()), 1e-30)
    passed = spectrum * (np.exp(-((radius / CUTOFF) ** 2)) * np.sqrt(pixels.size) / 2 / noise)
    rest = _halved(np.where(bragg, 0, passed), rows, columns)
    return np.stack([rest, np.arcsinh(_halved(passed, rows, columns))]).astype(np.float32)


def _levels(height: NDArray[np.float64], ring: NDArray[np.int_]) -> NDArray[np.float64]:
    """The mean height of each ring, of what is not far above it."""
    members = np.maximum(np.bincount(ring.ravel(), minlength=RINGS), 1)
    capped = height.ravel()
    for _ in range(ROUNDS + 1):
        mean = np.bincount(ring.ravel(), capped, RINGS) / members
        capped = np.minimum(height.ravel(), CLIPPED * mean[ring.ravel()])
    return np.asarray(mean, np.float64)


def _widened(high: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """And the eight neighbours of each: a tapered peak is three frequencies wide."""
    padded = np.pad(high, 1)
    rows, columns = high.shape
    wide = np.zeros_like(high)
    for dy in range(3):
        for dx in range(3):
            wide |= padded[dy : dy + rows, dx : dx + columns]
    return wide


def _halved(spectrum: NDArray[np.complex128], rows: int, columns: int) -> NDArray[np.float64]:
    """Back in space at half the resolution, without the highest frequency of either axis."""
    half, across = rows // 2, columns // 2
    kept = np.concatenate([spectrum[: half // 2], spectrum[rows - half // 2 :]])[
        :, : across // 2 + 1
    ]
    kept[half // 2] = 0
    kept[:, -1] = 0
    return np.asarray(np.fft.irfft2(kept, s=(half, across)), np.float64)


def _taper(side: int) -> NDArray[np.float64]:
    edge = max(1, int(side * TAPER))
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window = np.ones(side)
    window[:edge], window[-edge:] = rise, rise[::-1]
    return window
