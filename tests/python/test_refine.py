"""Drift refined on the counts: agreement with NumPy, the Cramér-Rao bound, calibration, laws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from stemzoo import _core
from tests.python import refine_reference

pytestmark = pytest.mark.slow

Array = NDArray[np.float64]

PEAK = 10.0
BACKGROUND = 0.05


@dataclass
class Pair:
    """Expected counts of two frames and their gradients along y and x."""

    reference: tuple[Array, Array, Array]
    moving: tuple[Array, Array, Array]
    drift: Array

    def counts(self, rng: np.random.Generator) -> tuple[Array, Array]:
        a, b = (rng.poisson(frame[0]).astype(float) for frame in (self.reference, self.moving))
        return a, b

    def bound(self) -> Array:
        """Standard deviations no estimator of the drift can beat, from the overlap alone."""
        total = np.zeros((2, 2))
        for frame, shift in ((self.reference, -self.drift), (self.moving, self.drift)):
            keep = np.ones(frame[0].shape, bool)
            for axis, by in enumerate(shift):
                x = np.arange(keep.shape[axis])
                inside = (x >= by) & (x <= keep.shape[axis] - 1 + by)
                keep &= inside[:, None] if axis == 0 else inside[None, :]
            gradient = np.stack([frame[1][keep], frame[2][keep]])
            total += np.linalg.inv(gradient / frame[0][keep] @ gradient.T)
        return np.sqrt(np.diag(total))


def columns(rng: np.random.Generator, n: int) -> tuple[Array, Array, float]:
    """A hexagonal lattice, each column of its own height; and the columns' sigma."""
    spacing = rng.uniform(9, 14)
    i, j = np.mgrid[-40:41, -40:41].astype(float)
    lattice = np.stack([i * np.sqrt(3) / 2, j + 0.5 * (i % 2)], -1).reshape(-1, 2) * spacing
    c, s = np.cos(angle := rng.uniform(0, np.pi)), np.sin(angle)
    places = lattice @ np.array([[c, -s], [s, c]]) + n / 2 + rng.uniform(-5, 5, 2)
    places = places[(np.abs(places - n / 2) < n / 2 + 30).all(1)]
    return places, 1 + 0.1 * rng.standard_normal(len(places)), 0.2 * spacing


def make_pair(
    rng: np.random.Generator,
    shape: tuple[int, int] = (96, 96),
    peak: float = PEAK,
    jitter: float = 0.0,
) -> Pair:
    """`jitter` is by how much rows are displaced along y."""
    places, heights, sigma = columns(rng, max(shape))
    drift = rng.uniform(-6, 6, 2)

    def frame(shift: Array) -> tuple[Array, Array, Array]:
        axes = []
        for axis, n in enumerate(shape):
            read = np.arange(n) + (rng.normal(0, jitter, n) if jitter and axis == 0 else 0)
            away = read[:, None] - places[:, axis] - shift[axis]
            value = np.exp(-(away**2) / (2 * sigma**2))
            axes.append((value, value * away / sigma**2))
        (y, slope_y), (x, slope_x) = axes
        scale = peak * (1 - BACKGROUND)
        value = peak * BACKGROUND + scale * (y * heights) @ x.T
        gradient = scale * (slope_y * heights) @ x.T, scale * (y * heights) @ slope_x.T
        return value, *gradient

    return Pair(frame(np.zeros(2)), frame(drift), drift)


def refined(
    a: Array, b: Array, start: Array, mask: NDArray[np.bool_] | None = None
) -> tuple[Array, Array]:
    frames = [_core.DriftFrame(image, mask, 1) for image in (a, b)]
    answer = _core.refine(frames[0], frames[1], (float(start[0]), float(start[1])))
    assert answer is not None
    dy, dx, (yy, yx, xx) = answer
    return np.array([dy, dx]), np.array([[yy, yx], [yx, xx]])


@pytest.mark.parametrize("shape", [(96, 96), (81, 104), (64, 131)])
def test_agrees_with_numpy(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(list(shape))
    pair = make_pair(rng, shape)
    a, b = pair.counts(rng)
    start = pair.drift + np.array([0.25, -0.2])
    d, covariance = refined(a, b, start)
    expected, expected_covariance = refine_reference.refine(a, b, (start[0], start[1]))
    # float32 pixels against float64: a thousandth of the error of the answer.
    assert np.abs(d - expected).max() < 1e-3 * np.sqrt(expected_covariance.max())
    np.testing.assert_allclose(covariance, expected_covariance, rtol=1e-3, atol=1e-8)


def test_errors_are_near_the_bound_and_sigma_says_how_large_they_are() -> None:
    errors, bounds, sigmas = [], [], []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        pair = make_pair(rng)
        a, b = pair.counts(rng)
        d, covariance = refined(a, b, pair.drift + rng.uniform(-0.3, 0.3, 2))
        errors.append(d - pair.drift)
        bounds.append(pair.bound())
        sigmas.append(np.sqrt(np.diag(covariance)))
    error, bound, sigma = (np.array(x) for x in (errors, bounds, sigmas))
    assert np.sqrt(((error / bound) ** 2).mean()) < 1.3
    # 160 errors: their share within one sigma is known to 0.037.
    assert 0.58 < (np.abs(error) < sigma).mean() < 0.78


def test_sigma_knows_that_rows_jitter() -> None:
    off = []
    for seed in range(160):
        rng = np.random.default_rng(seed)
        pair = make_pair(rng, peak=100.0, jitter=0.5)
        d, covariance = refined(*pair.counts(rng), pair.drift)
        off.append((d - pair.drift)[0] / np.sqrt(covariance[0, 0]))
    # Known to 0.06; 1.21 where noise is taken to be as strong at one frequency as at another.
    assert 0.85 < np.sqrt(np.square(off).mean()) < 1.16


def test_gain_and_offset_do_not_matter() -> None:
    rng = np.random.default_rng(5)
    pair = make_pair(rng)
    a, b = pair.counts(rng)
    d, covariance = refined(a, b, pair.drift)
    for gain, offset in ((3e4, 1e6), (1e-6, -1.0)):
        other, other_covariance = refined(a, gain * b + offset, pair.drift)
        np.testing.assert_allclose(other, d, atol=1e-4)
        np.testing.assert_allclose(other_covariance, covariance, rtol=0.01, atol=1e-8)


def test_swapping_the_frames_negates_the_drift() -> None:
    rng = np.random.default_rng(6)
    pair = make_pair(rng)
    a, b = pair.counts(rng)
    forward, covariance = refined(a, b, pair.drift)
    backward, _ = refined(b, a, -pair.drift)
    assert np.abs(forward + backward).max() < 0.3 * np.sqrt(covariance.max())


def test_masked_pixels_do_not_count() -> None:
    rng = np.random.default_rng(7)
    pair = make_pair(rng)
    a, b = pair.counts(rng)
    mask = np.ones(a.shape, bool)
    mask[30:66, 20:70] = False
    mask[70, 12] = False
    ruined = np.where(mask, a, np.nan), np.where(mask, b, 1e9)
    d, covariance = refined(*ruined, pair.drift, mask)
    assert (np.abs(d - pair.drift) < 3.5 * np.sqrt(np.diag(covariance))).all()
    assert covariance[0, 0] > refined(a, b, pair.drift)[1][0, 0]
    same, _ = refined(np.where(mask, a, 0), np.where(mask, b, 0), pair.drift, mask)
    np.testing.assert_array_equal(d, same)


def test_without_noise_the_drift_is_exact() -> None:
    pair = make_pair(np.random.default_rng(8))
    d, _ = refined(pair.reference[0], pair.moving[0], pair.drift + 0.3)
    np.testing.assert_allclose(d, pair.drift, atol=2e-3)


def test_says_when_there_is_nothing_to_refine() -> None:
    rng = np.random.default_rng(9)
    pair = make_pair(rng)
    a, b = (_core.DriftFrame(image) for image in pair.counts(rng))
    constant = _core.DriftFrame(np.full((96, 96), 7.0))
    noise = [_core.DriftFrame(rng.normal(size=(96, 96))) for _ in range(2)]
    assert _core.refine(a, constant, (0.0, 0.0)) is None
    assert _core.refine(constant, constant, (0.0, 0.0)) is None
    assert _core.refine(noise[0], noise[1], (0.0, 0.0)) is None
    assert _core.refine(a, b, (95.0, 0.0)) is None
    assert _core.refine(a, b, (1e9, 0.0)) is None
    hidden = _core.DriftFrame(pair.moving[0], np.zeros((96, 96), bool))
    assert _core.refine(a, hidden, (0.0, 0.0)) is None


def test_wrong_arguments_say_what_is_wrong() -> None:
    frame = _core.DriftFrame(np.eye(32))
    with pytest.raises(ValueError, match=r"expected at least 16"):
        _core.DriftFrame(np.eye(15))
    with pytest.raises(ValueError, match=r"NaN"):
        _core.DriftFrame(np.full((32, 32), np.nan))
    with pytest.raises(ValueError, match=r"expected equal shapes"):
        _core.DriftFrame(np.eye(32), np.ones((16, 32), bool))
    with pytest.raises(ValueError, match=r"expected equal shapes"):
        _core.refine(frame, _core.DriftFrame(np.eye(33)), (0.0, 0.0))
    with pytest.raises(ValueError, match=r"two finite numbers"):
        _core.refine(frame, frame, (np.nan, 0.0))
