"""Images displaced by fractions of a pixel, and peaks found between pixels."""

import numpy as np
import pytest

from stemzoo.registration.shifting import moved, peak


def test_moving_is_exact_for_what_the_pixels_hold():
    y, x = np.mgrid[:64, :48]
    wave = np.cos(2 * np.pi * (3 * y / 64 + 5 * x / 48))
    expected = np.cos(2 * np.pi * (3 * (y - 0.7) / 64 + 5 * (x + 1.2) / 48))
    np.testing.assert_allclose(moved(wave, 0.7, -1.2), expected, atol=1e-9)


def test_the_peak_is_found_between_pixels():
    y, x = np.mgrid[-8:9, -8:9]
    surface = 1 - 0.01 * ((y - 2.3) ** 2 + (x + 1.6) ** 2)
    assert peak(surface.astype("f4")) == pytest.approx((2.3, -1.6), abs=1e-3)
