"""Rows of a scan: the laws of finding them and of putting them back."""

import numpy as np
import pytest

from stemzoo.cli.demo.phantoms import expose, perovskite, psnr
from stemzoo.scan import rows as scan

SIDE = 256


def specimen(seed=3):
    return perovskite((SIDE, SIDE), seed)


def recorded(columns, displacements):
    """The specimen without noise, row y displaced by (dy, dx)[y]; columns are Gaussians."""
    y = np.arange(SIDE)[:, None] + displacements[:, :1]
    x = np.arange(SIDE)[None] + displacements[:, 1:]
    image = np.full((SIDE, SIDE), columns.background)
    for cy, cx, weight in zip(columns.y, columns.x, columns.weight, strict=True):
        r = slice(max(0, int(cy) - 18), int(cy) + 19)
        c = slice(max(0, int(cx) - 22), int(cx) + 23)
        away = (y[r] - cy) ** 2 + (x[r, c] - cx) ** 2
        image[r, c] += weight * np.exp(-away / (2 * columns.sigma**2))
    return image


def jitter(rms, seed=1):
    return np.random.default_rng(seed).standard_normal((SIDE, 2)) * rms


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def scene(peak, across=0.0, along=1.0):
    """(counts, true displacements, what the counts are of, the specimen at rest)."""
    truth = recorded(specimen(), jitter((0.0, 0.0)))
    moved = jitter((across, along))
    there = recorded(specimen(), moved)
    counts = np.random.default_rng(7).poisson(there * peak / truth.max()).astype(np.float32)
    return counts, moved, there * peak / truth.max(), truth * peak / truth.max()


def bound(clean):
    """Cramer-Rao bound of each row's displacement along itself, for Poisson counts."""
    slope = np.gradient(clean, axis=1)
    return 1 / np.sqrt((slope**2 / clean).sum(axis=1))


def smoothed(image):
    """A pilot for tests: a Wiener-like filter that keeps strong frequencies."""
    spectrum = np.fft.fft2(np.asarray(image, np.float64))
    power = np.abs(spectrum) ** 2
    noise = np.median(power) / np.log(2)
    return np.fft.ifft2(spectrum * np.clip(1 - 12 * noise / power, 0, 1)).real.astype(np.float32)


@pytest.mark.parametrize("peak", [20, 200, 5000])
def test_a_true_pilot_reaches_the_bound(peak):
    counts, moved, there, clean = scene(peak)
    rows = scan.find_rows(counts, clean, reach=(0, 6), slow=0)
    error = rows.displacements[:, 1] - moved[:, 1]
    inside = np.abs(moved[:, 1]) < 5
    assert rms(error[inside]) < 1.15 * rms(bound(there)[inside])
    assert np.all(rows.displacements[:, 0] == 0)
    assert 0.7 < rms(error) / rms(rows.sigma[:, 1]) < 1.3 or peak == 5000
    assert rows.evidence[1] > 100


def test_displacements_across_rows_are_found_too():
    counts, moved, _, clean = scene(1000, across=0.4)
    rows = scan.find_rows(counts, clean, reach=(2, 6), slow=0)
    assert rms(rows.displacements[:, 1] - moved[:, 1]) < 0.06
    assert rms(rows.displacements[:, 0] - moved[:, 0]) < 0.8 * rms(moved[:, 0])


@pytest.mark.parametrize("peak", [5, 50, 500])
def test_a_steady_scan_stays(peak):
    counts, _, _, clean = scene(peak, along=0.0)
    for pilot in (clean, smoothed(counts)):
        rows = scan.find_rows(counts, pilot)
        assert rms(rows.displacements) < 0.5 * rms(bound(clean))


@pytest.mark.parametrize(("gain", "offset"), [(37.0, -1e3), (1e-4, 5.0), (1.0, 1e6), (-2.0, 10.0)])
def test_gain_and_offset_change_nothing(gain, offset):
    counts, _, _, clean = scene(50)
    one = scan.find_rows(counts, clean, reach=(1, 6))
    pair = (gain * a.astype(np.float64) + offset for a in (counts, clean))
    other = scan.find_rows(*pair, reach=(1, 6))
    assert np.abs(one.displacements - other.displacements).max() < 1e-3
    assert np.abs(one.sigma - other.sigma).max() < 1e-3


def test_coloured_noise_is_not_taken_for_certainty():
    counts, moved, there, clean = scene(50)
    noise = counts - there
    for x in range(1, SIDE):  # afterglow along the row
        noise[:, x] = 0.6 * noise[:, x - 1] + 0.8 * noise[:, x]
    rows = scan.find_rows(there + noise, clean, reach=(0, 6), slow=0)
    error = rms(rows.displacements[:, 1] - moved[:, 1])
    assert 0.7 < error / rms(rows.sigma[:, 1]) < 1.3


def test_the_loop_takes_jitter_out():
    counts, moved, _, clean = scene(200)
    image, rows = scan.straightened(counts, smoothed, slow=0)
    assert rows.fast_axis == "x"
    left = rows.displacements[:, 1] - moved[:, 1]
    assert rms(left - left.mean()) < 0.4
    assert psnr(smoothed(image), clean) > psnr(smoothed(counts), clean) + 2
    assert np.array_equal(image, rows.apply(counts))
    assert np.array_equal(image, scan.straighten(counts, rows.displacements))


def test_the_fast_axis_is_found_and_scans_along_y_are_scans_along_x_turned():
    counts = scene(200)[0]
    image, rows = scan.straightened(counts, smoothed, passes=2)
    turned, columns = scan.straightened(counts.T, smoothed, passes=2)
    assert columns.fast_axis == "y"
    assert np.allclose(columns.displacements[:, ::-1], rows.displacements, atol=0.01)
    assert np.allclose(turned.T, image, atol=0.05 * image.max())
    assert np.array_equal(turned, columns.apply(counts.T))
    assert np.array_equal(turned, scan.straighten(counts.T, columns.displacements, fast_axis="y"))


def test_whole_pixels_are_only_moved_and_there_and_back_is_the_identity():
    image = specimen().image((SIDE, SIDE))
    moved = np.zeros((SIDE, 2))
    assert np.allclose(scan.straighten(image, moved), image, rtol=0, atol=1e-6)
    moved[:, 1] = np.random.default_rng(0).integers(-3, 4, SIDE)
    straight = scan.straighten(image, moved)
    for y in (0, 100, 255):
        wanted = np.roll(image[y], int(moved[y, 1]))
        assert np.allclose(straight[y, 4:-4], wanted[4:-4], atol=1e-5)
    moved = jitter((0.0, 1.0))
    again = scan.straighten(scan.straighten(image, moved), -moved)
    assert np.abs(again - image)[:, 8:-8].max() < 2e-3


def test_rows_displaced_across_are_interpolated():
    columns = specimen()
    moved = jitter((0.3, 0.7))
    straight = scan.straighten(recorded(columns, moved), moved)
    error = (straight - recorded(columns, 0 * moved))[8:-8, 8:-8]
    assert rms(error) < 0.01


def test_unknown_pixels_stay_unknown_and_spoil_no_others():
    counts, moved, _, clean = scene(100)
    holed = counts.copy()
    holed[50] = np.nan
    holed[60, 100:104] = np.nan
    holed[70] = 0
    holed[80, 30] = 1e9
    rows = scan.find_rows(holed, clean, reach=(0, 6), slow=0)
    reference = scan.find_rows(counts, clean, reach=(0, 6), slow=0)
    assert np.all(rows.displacements[[50, 70]] == 0)
    others = np.setdiff1d(np.arange(SIDE), [50, 60, 70, 80])
    assert np.abs(rows.displacements - reference.displacements)[others].max() < 0.02
    assert np.abs(rows.displacements[[60, 80], 1] - moved[[60, 80], 1]).max() < 0.5
    straight = rows.apply(holed)
    assert np.isnan(straight[50]).all()
    assert np.isnan(straight).sum() == SIDE + 4
    image, _ = scan.straightened(holed, smoothed, passes=2)
    assert np.isfinite(image[100]).all()


@pytest.mark.parametrize("image", [np.zeros((64, 64)), np.full((64, 64), np.nan)])
def test_nothing_in_the_frame(image):
    straight, rows = scan.straightened(image, lambda a: a)
    assert np.array_equal(straight, image, equal_nan=True)
    assert np.all(rows.displacements == 0)


def test_saturated_frames_are_straightened():
    counts, moved, _, _ = scene(100)
    _, rows = scan.straightened(np.minimum(counts, 30), smoothed, slow=0)
    left = rows.displacements[:, 1] - moved[:, 1]
    assert rms(left - left.mean()) < 0.5


def test_threads_change_nothing():
    counts, _, _, clean = scene(20)
    one = scan.find_rows(counts, clean, reach=(2, 6), threads=1)
    two = scan.find_rows(counts, clean, reach=(2, 6), threads=2)
    assert np.array_equal(one.displacements, two.displacements)


def test_refusals():
    image = expose(specimen().image((SIDE, SIDE)), 20, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"shape \(256, 256\) and pilot \(256, 255\)"):
        scan.find_rows(image, image[:, 1:])
    with pytest.raises(ValueError, match="complex64"):
        scan.find_rows(image.astype(np.complex64), image)
    with pytest.raises(ValueError, match="expected a 2-D image"):
        scan.straightened(image[None], smoothed)
    holed = image.copy()
    holed[0, 0] = np.nan
    with pytest.raises(ValueError, match="pilot has 1 pixels that are not finite"):
        scan.find_rows(image, holed)
    with pytest.raises(ValueError, match="needs at least 4 rows and 36 columns"):
        scan.find_rows(image[:, :30], image[:, :30])
    with pytest.raises(ValueError, match="reach is -1"):
        scan.find_rows(image, image, reach=(-1, 5))
    with pytest.raises(ValueError, match="fast_axis is 'z'"):
        scan.straightened(image, smoothed, fast_axis="z")
    with pytest.raises(ValueError, match="fast_axis is 'z'"):
        scan.find_rows(image, image, fast_axis="z")
    with pytest.raises(ValueError, match="passes is 0"):
        scan.straightened(image, smoothed, passes=0)
    with pytest.raises(ValueError, match=r"pilot_of made shape \(2, 2\)"):
        scan.straightened(image, lambda a: a[:2, :2])
    with pytest.raises(ValueError, match=r"expected \(256, 2\): \(dy, dx\) of each row"):
        scan.straighten(image, np.zeros((255, 2)))
    with pytest.raises(ValueError, match="displacement of row 3 is"):
        scan.straighten(image, np.where(np.arange(SIDE)[:, None] == 3, np.inf, np.zeros(2)))
