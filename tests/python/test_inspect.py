"""What the recorded data support of a result: the noise, the residual, and what is refused."""

import numpy as np
import pytest
from inspection_cases import PEAK, SIDE, SPACING, afterglow, counts, with_vacancy

import stemzoo
from stemzoo.inference.noise import measure_noise


@pytest.fixture(scope="module")
def truth():
    return with_vacancy()[1].astype(np.float32)


@pytest.fixture(scope="module")
def raw(truth):
    return counts(truth)


def test_a_perfect_result_has_nothing_to_warn_of(raw, truth):
    found = stemzoo.inspect(raw, truth)
    assert found.warnings == ()
    assert found.dose == pytest.approx(PEAK, rel=0.25)
    assert found.spacing == pytest.approx(SPACING, rel=0.05)
    assert found.noise.white
    assert found.noise.gain == pytest.approx(1, rel=0.15)
    assert found.residual.variance == pytest.approx(1, abs=0.1)
    assert found.residual.failed == 0
    assert found.columns.supported.sum() > 0.99 * np.isfinite(found.columns.ratios).sum()
    supported = found.columns.supported.sum()
    assert repr(found).startswith(f"Inspection({SIDE} x {SIDE}, ")
    assert repr(found).endswith(f"{supported} columns supported, 0 contradicted, 0 warnings)")
    for part in (found, found.survey, found.residual, found.columns, found.halves):
        assert len(repr(part)) < 500


@pytest.mark.parametrize(("gain", "offset"), [(1, 0), (37.5, 0), (0.02, 5), (400, 1e5)])
def test_gain_and_offset_are_those_of_the_detector(raw, truth, gain, offset):
    found = stemzoo.inspect(raw * gain + offset, truth * gain + offset)
    assert found.noise.gain == pytest.approx(gain, rel=0.15)
    assert found.noise.offset == pytest.approx(offset, abs=2 * gain)
    assert found.dose == pytest.approx(PEAK, rel=0.3)


def test_readout_noise_is_found(truth):
    read_out = counts(truth) + np.random.default_rng(3).normal(0, 4, truth.shape)
    noise = measure_noise(read_out.astype(np.float32), truth)
    assert noise.readout == pytest.approx(4, rel=0.15)
    assert noise.gain == pytest.approx(1, rel=0.4)


def test_the_colour_of_the_noise_is_found(truth):
    noise = measure_noise(afterglow(counts(truth)), afterglow(truth))
    assert not noise.white
    assert noise.correlation[0, 1] == pytest.approx(np.exp(-1 / 2), abs=0.05)
    assert noise.correlation[1, 0] == pytest.approx(0, abs=0.1)
    assert noise.gain == pytest.approx(1, rel=0.5)  # as many electrons as before


def test_a_blurred_result_lacks_what_the_residual_shows(raw, truth):
    blurred = sum(np.roll(truth, step, (0, 1)) for step in [(0, 3), (0, -3), (3, 0), (-3, 0)]) / 4
    found = stemzoo.inspect(raw, blurred.astype(np.float32))
    assert found.residual.variance > 1.2
    assert found.residual.bragg > 5
    assert any("lacks something that the frame shows" in text for text in found.warnings)
    assert any("part of the lattice is missing" in text for text in found.warnings)


def test_a_result_that_is_half_the_noise_keeps_noise(raw, truth):
    found = stemzoo.inspect(raw, (raw + truth) / 2)
    assert any("still contains noise" in text for text in found.warnings) or not found.noise.counts


def test_seams_between_tiles_are_heard(raw, truth):
    seams = truth.copy()
    seams[:, ::32] += 1.5
    record = {"task": "denoise", "tiling": {"tile": [48, 48], "step": [32, 32]}}
    assert stemzoo.inspect(raw, truth, record=record).residual.tiles < 3
    found = stemzoo.inspect(raw, seams, record=record)
    assert any("may have seams" in text for text in found.warnings)


def test_the_map_shows_where(raw, truth):
    wrong = truth.copy()
    wrong[64:96, 128:160] += 8
    found = stemzoo.inspect(raw, wrong)
    worst = np.unravel_index(np.abs(found.residual.map).argmax(), found.residual.map.shape)
    assert worst[0] in (4, 5)
    assert worst[1] in (8, 9)
    assert any("does not agree with the noise model" in text for text in found.warnings)


def test_halves_of_counts_agree_at_the_lattice(raw, truth):
    halves = stemzoo.inspect(raw, truth).halves
    assert halves.reason == ""
    lattice = np.abs(halves.frequencies - 1 / 14).argmin()
    assert halves.correlation[lattice] > 0.8
    assert np.abs(halves.correlation[-20:]).mean() < 0.2


def coarse(image):
    """Counts in steps of three; an expectation stays as it is."""
    return np.rint(image / 3) * 3 if (image % 1 == 0).all() else image


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda image: image + 0.4 * np.random.default_rng(0).random(image.shape), "multiples"),
        (lambda image: image - 5, "negative"),
        (afterglow, "correlated"),
        (lambda image: image + 40, "does not vanish with the signal"),
        (coarse, "one step of its pixels"),
    ],
)
def test_what_is_no_count_has_no_halves(raw, truth, change, words):
    halves = stemzoo.inspect(change(raw), change(truth)).halves
    assert words in halves.reason
    assert len(halves.correlation) == 0


def test_turned_frames_must_give_turned_results(raw):
    model = stemzoo.load("denoise-live")
    asked = stemzoo.inspect(raw, model(raw), model, orientations=True)
    assert 0 < asked.disagreement < 0.2
    assert np.isnan(stemzoo.inspect(raw, model(raw), model).disagreement)


def test_a_restored_frame_is_inspected_in_its_straight_rows(raw):
    restored = stemzoo.restore(raw, details=True)
    found = stemzoo.inspect(raw, restored)
    np.testing.assert_allclose(found.raw, restored.apply(raw), rtol=1e-6)
    assert found.columns.contradicted.sum() == 0


def test_masked_pixels_are_left_out(raw, truth):
    masked = np.ma.MaskedArray(raw, np.zeros(raw.shape, bool))
    masked[10:20, 10:20] = np.ma.masked
    found = stemzoo.inspect(masked, truth)
    np.testing.assert_array_equal(found.raw[10:20, 10:20], truth[10:20, 10:20])


def test_what_cannot_be_inspected_is_refused(raw, truth):
    with pytest.raises(ValueError, match=r"raw has shape \(3, 192, 192\); expected one frame"):
        stemzoo.inspect(np.stack([raw] * 3), truth)
    with pytest.raises(ValueError, match=r"result \(191, 192\); expected the frame"):
        stemzoo.inspect(raw, truth[1:])
    with pytest.raises(ValueError, match="expected at least 64 px a side"):
        stemzoo.inspect(raw[:40], truth[:40])
    with pytest.raises(ValueError, match="raw holds NaN"):
        stemzoo.inspect(np.where(raw > 20, np.nan, raw), truth)
    with pytest.raises(ValueError, match="orientations need the model"):
        stemzoo.inspect(raw, truth, orientations=True)
    with pytest.raises(ValueError, match="restore-scan restores scans"):
        stemzoo.inspect(raw, truth, "restore-scan", orientations=True)


def test_a_frame_that_is_its_own_result_is_not_misread(raw):
    found = stemzoo.inspect(raw, raw)
    assert np.isnan(found.dose)
    assert found.halves.reason
    assert np.isfinite(found.residual.map).all()


def test_a_constant_frame_has_no_columns():
    flat = np.full((SIDE, SIDE), 7.0, np.float32)
    found = stemzoo.inspect(flat, flat)
    assert found.columns is None
    assert "No ordered columns" in found.summary()


@pytest.mark.parametrize("shape", [(64, 64), (65, 129), (70, 400), (301, 66)])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f8"])
def test_frames_of_any_shape_and_dtype_are_inspected(shape, dtype):
    random = np.random.default_rng(0)
    expected = 20 + 15 * np.cos(np.arange(shape[1]) / 2) * np.cos(np.arange(shape[0]) / 2)[:, None]
    found = stemzoo.inspect(random.poisson(expected).astype(dtype), expected)
    assert found.residual.variance == pytest.approx(1, abs=0.35)
    assert found.html().endswith("</html>\n")


@pytest.mark.parametrize("height", [1, 1e9])
def test_a_single_bright_pixel_is_no_fault(height):
    frame = np.zeros((80, 90))
    frame[40, 40] = height
    assert stemzoo.inspect(frame, frame / 2).columns is None
