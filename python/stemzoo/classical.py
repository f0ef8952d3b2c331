"""Features without a network: what is left of a frame without its lattice, smoothed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.2  # cycles per feature: of a Gaussian that keeps what a probe can show, and less noise


def classical_features(seen: NDArray[np.float32]) -> NDArray[np.float32]:
    """[2, H, W] of a look: one feature, in units in which its correlation by chance is one, and
    none that counts against a drift."""
    rows, columns = seen.shape[1:]
    ky, kx = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :]
    passed = np.fft.rfft2(seen[0]) * np.exp(-(ky**2 + kx**2) / SMOOTHING**2)
    rest = np.fft.irfft2(passed, s=(rows, columns))
    # The correlation of two independent frames has the variance sum |A|^2 |B|^2 / n.
    power = np.abs(np.fft.fft2(rest)) ** 2 / rest.size
    scale = np.sqrt(np.sqrt(np.square(power).sum())) if power.any() else 1.0
    return np.stack([rest / scale, np.zeros_like(rest)]).astype(np.float32)
