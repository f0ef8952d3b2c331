"""What csrc/drift/refine computes, in plain NumPy and float64: frames without masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW = 7
SIGNIFICANCE = 5.0
TAPER = 10.0
MARGIN = 2


def refine(reference: Array, moving: Array, start: tuple[float, float]) -> tuple[Array, Array]:
    """The drift and its covariance."""
    a, b = (image - image.mean() for image in (reference, moving))
    a, b = a / a.std(), b / b.std()
    spectrum_a, spectrum_b = np.fft.fft2(a), np.fft.fft2(b)
    ky = 2 * np.pi * np.fft.fftfreq(a.shape[0])[:, None]
    kx = 2 * np.pi * np.fft.fftfreq(a.shape[1])[None, :]
    noise_a, excess_a = _power(spectrum_a, ky, kx)
    noise_b, excess_b = _power(spectrum_b, ky, kx)

    threshold = SIGNIFICANCE / np.sqrt(2 * WINDOW**2)
    signal = np.maximum((excess_a + excess_b) / 2 - threshold, 0)
    passed = signal / (signal + 0.5)
    gain2 = noise_b * (signal * excess_b).sum() / (noise_a * (signal * excess_a).sum())
    part = noise_b / (noise_a * gain2 + noise_b)
    share = part * (1 - part)
    noise = [share * (passed * _response(k) ** 2).mean() for k in (ky, kx)]

    mean = (noise_a * gain2 + noise_b) / a.size
    variance = (mean, 0.0, mean)
    gradients_b = _gradients(b)
    d = np.array(start)
    for count in range(5):
        shifted_spectrum = spectrum_a * np.exp(-1j * (ky * d[0] + kx * d[1]))
        shifted = np.fft.ifft2(shifted_spectrum).real
        mixed = np.sqrt(gain2) * part * shifted_spectrum + (1 - part) * spectrum_b
        scene = np.fft.ifft2(passed * mixed).real
        instruments = np.stack([np.ones_like(scene), scene, *_gradients(scene)])
        regressors = np.stack([np.ones_like(b), shifted, *(-g for g in gradients_b)])
        weights = np.outer(_taper(d[0], a.shape[0]), _taper(d[1], a.shape[1]))

        w = instruments * weights / _variance_at(scene, variance)
        matrix = np.einsum("iyx,jyx->ij", w, regressors)
        matrix[2, 2] += noise[0] * weights.sum()
        matrix[3, 3] += noise[1] * weights.sum()
        inverse = np.linalg.inv(matrix)
        fit = inverse @ np.einsum("iyx,yx->i", w, b)
        rows = np.einsum("iyx,yx->iy", w, b - np.tensordot(fit, regressors, 1))
        d = d + fit[2:]
        steps = (inverse @ rows)[2:]
        covariance = steps @ steps.T
        still = (np.abs(fit[2:]) < 0.05) | (fit[2:] ** 2 < 0.09 * np.diag(covariance))
        if count > 0 and still.all():
            break
        residual = b - fit[0] - fit[1] * shifted
        residual += fit[2] * instruments[2] + fit[3] * instruments[3]
        for _ in range(2):
            variance = _fitted_variance(residual**2, scene, weights, variance)
    return d, covariance


def _power(spectrum: Array, ky: Array, kx: Array) -> tuple[float, Array]:
    lines = sum(np.roll(np.abs(spectrum) ** 2, i - WINDOW // 2, 1) for i in range(WINDOW))
    corner = (np.abs(ky) > 0.75 * np.pi + 1e-9) & (np.abs(kx) > 0.75 * np.pi + 1e-9)
    half = slice(ky.size // 2 + 1)  # the other half is the same again
    noise = lines[half][corner[half]].mean() / WINDOW
    above = lines[half][np.abs(ky[half, 0]) > 0.75 * np.pi + 1e-9].mean(0) / WINDOW
    level = np.maximum(noise, (above + np.roll(above[::-1], 1)) / 2)
    squares = sum(np.roll(lines, i - WINDOW // 2, 0) for i in range(WINDOW))
    return noise, squares / (level * WINDOW**2) - 1


def _response(k: Array) -> Array:
    return (8 * np.sin(k) - np.sin(2 * k)) / 6


def _gradients(image: Array) -> tuple[Array, Array]:
    def along(axis: int) -> Array:
        near = np.roll(image, -1, axis) - np.roll(image, 1, axis)
        far = np.roll(image, -2, axis) - np.roll(image, 2, axis)
        return (8 * near - far) / 12

    return along(0), along(1)


def _taper(shift: float, n: int) -> Array:
    x = np.arange(n)
    first = max(0.0, shift) + MARGIN - 1
    last = n - MARGIN + min(0.0, shift)
    inside = np.clip(np.minimum(x - first, last - x) / TAPER, 0, 1)
    return 0.5 - 0.5 * np.cos(np.pi * inside)


def _variance_at(scene: Array, variance: tuple[float, float, float]) -> Array:
    constant, slope, mean = variance
    return np.maximum(constant + slope * scene, 0.05 * mean)


def _fitted_variance(
    squares: Array, scene: Array, weights: Array, before: tuple[float, float, float]
) -> tuple[float, float, float]:
    w = np.sqrt(weights) / _variance_at(scene, before)
    design = np.stack([w, w * scene]).reshape(2, -1).T
    constant, slope = np.linalg.lstsq(design, (w * squares).ravel(), rcond=None)[0]
    return constant, slope, (weights * squares).sum() / weights.sum()
