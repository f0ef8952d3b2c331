"""What csrc/drift/look computes, in plain NumPy and float64, over whole spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RINGS = 48
CORNER = 0.7072  # cycles per pixel
BRAGG = 3.5
WIDE, LOWEST = 2, 4  # frequencies
PASSES, ROUNDS_OF_FIT = 2, 6
FARTHEST, BURIED = 48, 0.05
CLIPPED = 2.0
ROUNDS = 6
CUTOFF = 0.3  # cycles per pixel of the look
NOISE_FROM = 0.4  # cycles per pixel
COMMON_TO, MOST_COMMON, LEAST_WORTH = 0.2, 0.9, 0.01
MEDIAN_OF_NOISE = 0.9525
TAPER, FADED = 0.1, 0.5
BETWEEN = 0.3  # of the mean light: what is there where a lattice has no columns
FAINTEST = 0.2  # times a pixel's noise: the mean light at least


def look(pixels: Array, stride: int) -> Array:
    """What is left without the lattice, the lattice, and the first times its worth, without what
    lies between columns."""
    rows, columns = (side // 8 * 8 for side in pixels.shape)
    image = pixels[:rows, :columns]
    ky, kx = np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)
    radius = np.hypot(ky, kx)
    ring = np.minimum((radius / CORNER * RINGS).astype(int), RINGS - 1)
    window = np.outer(_taper(rows), _taper(columns))
    spectrum = np.fft.fft2((image - image.mean()) * window)
    without = _without_waves(spectrum, ring)
    height = np.abs(without)
    level, noise = _levels(height, ring)
    kept = ~_widened(height > BRAGG * level[ring])
    passes = np.exp(-((stride * radius / CUTOFF) ** 2)) * np.sqrt(image.size) / stride / noise
    low = (kept & (radius <= COMMON_TO / stride))[: rows // 2 + 1]  # the other half is the same
    worth = _worth(height[: rows // 2 + 1][low], noise)
    steps = np.outer(*(np.maximum(_taper(n)[::stride], FADED) for n in (rows, columns)))
    rest, whole = (_reduced(part * passes, stride) / steps for part in (without * kept, spectrum))
    lattice = whole - rest
    light = max(-lattice.min(), FAINTEST * stride)
    columns = (lattice + light) / (lattice + light + BETWEEN * light)
    return np.stack([rest, np.arcsinh(lattice), rest * worth * columns])


def _without_waves(spectrum: NDArray[np.complex128], ring: NDArray[np.int_]) -> Any:
    """Each wave is found and subtracted whole, the strongest first, and then once more."""
    rows, columns = spectrum.shape
    height = np.abs(spectrum)
    level, noise = _levels(height, ring)
    left = spectrum.copy()
    waves = {
        place: (0j, 0.0, 0.0)
        for place in sorted(_peaks(height, BRAGG * level[ring]), key=lambda p: -height[p])
    }
    around = np.arange(-WIDE, WIDE + 1)
    for again in range(PASSES):
        for row, column in waves:
            if again:
                left += _wave(spectrum.shape, BURIED * noise, row, column, *waves[row, column])
            there = left[np.ix_((row + around) % rows, (column + around) % columns)]
            found = _fitted(there, spectrum.shape)
            waves[row, column] = found
            left -= _wave(spectrum.shape, BURIED * noise, row, column, *found)
    return left


def _peaks(height: Array, limit: Array) -> list[tuple[int, int]]:
    rows, columns = height.shape
    found = []
    for row, column in np.argwhere(height > limit):
        near = min(column, columns - column)
        twin = row in (0, rows // 2) and 2 * column > columns
        if row > rows // 2 or twin or row**2 + near**2 < LOWEST**2:
            continue
        reach = range(-WIDE, WIDE + 1)
        square = height[
            np.ix_([(row + i) % rows for i in reach], [(column + i) % columns for i in reach])
        ]
        if height[row, column] >= square.max() * (1 - 1e-12):
            found.append((int(row), int(column)))
    return found


def _transform(side: int, away: Array) -> NDArray[np.complex128]:
    """Of the taper, so many frequencies away from its centre."""
    turns = np.exp(-2j * np.pi / side * np.outer(away, np.arange(side)))
    return np.asarray(turns @ _taper(side))


def _fitted(there: NDArray[np.complex128], shape: tuple[int, ...]) -> tuple[complex, float, float]:
    """Height of a wave and how far it is from the middle, by least squares."""
    around = np.arange(-WIDE, WIDE + 1)
    away = np.zeros(2)

    def shaped(down: float, across: float) -> NDArray[np.complex128]:
        # A wave has its phase in the middle, so that its height is free of its place.
        turn = sum(a * (n - 1) / 2 / n for a, n in zip((down, across), shape, strict=True))
        return (
            np.exp(-2j * np.pi * turn)
            * np.outer(
                _transform(shape[0], around - down), _transform(shape[1], around - across)
            ).ravel()
        )

    small, explained = 1e-5, 0.0
    best = 0j, 0.0, 0.0
    for _ in range(ROUNDS_OF_FIT):
        wave = shaped(*away)
        overlap, power = np.vdot(wave, there.ravel()), np.vdot(wave, wave).real
        if abs(overlap) ** 2 / power <= explained:
            break
        explained = abs(overlap) ** 2 / power
        best = overlap / power, *away
        parts = [
            wave,
            (shaped(away[0] + small, away[1]) - shaped(away[0] - small, away[1])) / 2 / small,
            (shaped(away[0], away[1] + small) - shaped(away[0], away[1] - small)) / 2 / small,
        ]
        solved = np.linalg.lstsq(np.stack(parts, 1), there.ravel(), rcond=None)[0]
        away = np.clip(away + (solved[1:] / solved[0]).real, -1, 1)
    return best


def _wave(shape: tuple[int, ...], least: float, row: int, column: int, *found: Any) -> Any:
    """A real wave's transform, as far as its feet are higher than `least`."""
    height, *away = found
    tops = [_taper(side).sum() for side in shape]
    turn, half = 0.0, np.array(height)
    for axis, (side, place) in enumerate(zip(shape, (row, column), strict=True)):
        beyond = (np.arange(side) - place + side // 2) % side - side // 2
        feet = _transform(side, beyond - away[axis])
        feet[np.abs(beyond) > _reach(side, least / (abs(height) * tops[1 - axis]))] = 0
        turn += away[axis] * (side - 1) / 2 / side
        half = np.multiply.outer(half, feet)
    half = half * np.exp(-2j * np.pi * turn)
    return half + np.roll(half[::-1, ::-1], (1, 1), (0, 1)).conj()


def _reach(side: int, least: float) -> int:
    """How far away the taper's transform has become smaller, and stays so."""
    fine = np.abs(_transform(side, np.arange(16 * (FARTHEST + 2) + 1) / 16))
    away = WIDE
    while away < min(FARTHEST, (side - 1) // 2) and fine[16 * away :].max() >= least:
        away += 1
    return away


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
    return max(float(np.sqrt(common / (1 - common**2))), LEAST_WORTH) if common > 0 else LEAST_WORTH


def _reduced(spectrum: NDArray[np.complex128], stride: int) -> Array:
    """Back in space at a lower resolution, without the highest frequency of either axis."""
    ends = [side // stride // 2 for side in spectrum.shape]
    y, x = (
        np.abs(np.fft.fftfreq(side)) * side < end - 0.5
        for side, end in zip(spectrum.shape, ends, strict=True)
    )
    # The transform back divides by fewer pixels. What is cut is put in as zero.
    few = np.insert(np.insert(spectrum[y][:, x], ends[0], 0, 0), ends[1], 0, 1)
    return np.fft.ifft2(few).real


def _taper(side: int) -> Array:
    edge = max(1, int(side * TAPER))
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    window = np.ones(side)
    window[:edge], window[-edge:] = rise, rise[::-1]
    return window
