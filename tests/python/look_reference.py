"""What csrc/drift/look computes, in plain NumPy and float64, over whole spectra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RINGS = 48
CORNER = 0.7072  # cycles per pixel
BRAGG = 3.0
WIDE = 2  # frequencies
CLIPPED = 2.0
ROUNDS = 6
CUTOFF = 0.15  # cycles per pixel
NOISE_FROM = 0.4  # cycles per pixel
COMMON_TO, MOST_COMMON = 0.1, 0.9
MEDIAN_OF_NOISE = 0.9525
TAPER = 0.1


def look(pixels: Array) -> tuple[Array, Array, float]:
    """What is left without the lattice, the frame, and the worth of the first."""
    rows, columns = (side // 4 * 4 for side in pixels.shape)
    image = pixels[:rows, :columns]
    ky, kx = np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)
    radius = np.hypot(ky, kx)
    ring = np.minimum((radius / CORNER * RINGS).astype(int), RINGS - 1)
    spectrum = np.fft.fft2((image - image.mean()) * np.outer(_taper(rows), _taper(columns)))
    height = np.abs(spectrum)
    level, noise = _levels(height, ring)
    kept = ~_widened(height > BRAGG * level[ring])
    passed = spectrum * np.exp(-((radius / CUTOFF) ** 2)) * np.sqrt(image.size) / 2 / noise
    low = (kept & (radius <= COMMON_TO))[: rows // 2 + 1]  # the other half is the same again
    worth = _worth(height[: rows // 2 + 1][low], noise)
    return _halved(passed * kept), np.arcsinh(_halved(passed)), worth


def _levels(height: Array, ring: NDArray[np.int_]) -> tuple[Array, float]:
    """The mean height of each ring, of what is not far above it; and of noise."""
    members = np.bincount(ring.ravel(), minlength=RINGS)
    capped = height.ravel()
    for _ in range(ROUNDS + 1):
        level = np.bincount(ring.ravel(), capped, RINGS) / np.maximum(members, 1)
        capped = np.minimum(height.ravel(), CLIPPED * level[ring.ravel()])
    high = slice(int(NOISE_FROM / CORNER * RINGS) + 1, None)
    return level, float(np.sqrt((members * level**2)[high].sum() / members[high].sum()))


def _widened(high: NDArray[np.bool_]) -> NDArray[np.bool_]:
    wide = np.zeros_like(high)
    for dy in range(-WIDE, WIDE + 1):
        for dx in range(-WIDE, WIDE + 1):
            wide |= np.roll(high, (dy, dx), (0, 1))
    return wide


def _worth(low: Array, noise: float) -> float:
    ratio = MEDIAN_OF_NOISE * noise / np.sort(low)[low.size // 2]
    common = min(1 - ratio**2 - 1.44 / np.sqrt(low.size), MOST_COMMON)
    return float(np.sqrt(common / (1 - common**2))) if common > 0 else 0.0


def _halved(spectrum: NDArray[np.complex128]) -> Array:
    """Back in space at half the resolution, without the highest frequency of either axis."""
    rows, columns = spectrum.shape
    y, x = (np.abs(np.fft.fftfreq(side)) * side < side / 4 for side in (rows, columns))
    half = spectrum[y][:, x]
    # A quarter of the pixels: the transform back divides by fewer. What is cut is put in as zero.
    half = np.insert(np.insert(half, rows // 4, 0, 0), columns // 4, 0, 1)
    return np.fft.ifft2(half).real


def _taper(side: int) -> Array:
    edge = max(1, int(side * TAPER))
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window = np.ones(side)
    window[:edge], window[-edge:] = rise, rise[::-1]
    return window
