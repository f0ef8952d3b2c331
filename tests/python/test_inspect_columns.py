"""Columns told apart: invented ones, missing ones, and those that the frame does not decide on."""

import numpy as np
import pytest
from inspection_cases import PEAK, SPACING, afterglow, counts, with_vacancy

import stemzoo
from stemzoo.inference.noise import measure_noise
from stemzoo.trust.columns import SURE, inspect_columns


def same(image):
    return image


def inspected(expected, result, effect=same, seed=1):
    raw, clean = effect(counts(expected, seed)), effect(result.astype(np.float32))
    return inspect_columns(raw, clean, measure_noise(raw, clean), SPACING)


def at(columns, place):
    distance = np.hypot(*(columns.places - place).T)
    assert distance.min() < 0.3 * SPACING
    return int(distance.argmin())


@pytest.mark.parametrize("effect", [same, afterglow])
def test_an_invented_column_is_named_and_no_other(effect):
    holed, full, place = with_vacancy()
    found = inspected(holed, full, effect)
    assert found.contradicted[at(found, place)]
    assert found.contradicted.sum() == 1
    assert found.supported.sum() > 0.97 * np.isfinite(found.ratios).sum()


@pytest.mark.parametrize("effect", [same, afterglow])
def test_a_missing_column_is_named_and_no_other(effect):
    holed, full, place = with_vacancy()
    found = inspected(full, holed, effect)
    assert len(found.missing) == 1
    np.testing.assert_allclose(found.missing[0], place, atol=2.5)
    assert not found.contradicted.any()


def test_at_low_dose_the_frame_does_not_decide():
    holed, full, place = with_vacancy()
    found = inspected(holed * 0.01, full * 0.01)
    assert found.undecided[at(found, place)]
    assert found.undecided.sum() > 0.9 * np.isfinite(found.ratios).sum()


def test_heights_are_as_far_from_the_truth_as_their_sigma_says():
    _, full, _ = with_vacancy()
    deviations = []
    for seed in range(4):
        found = inspected(full, full, seed=seed)
        deviations.append((found.amplitudes - 1) / found.sigma)
    deviations = np.concatenate(deviations)
    deviations = deviations[np.isfinite(deviations)]
    assert len(deviations) > 500
    assert deviations.std() == pytest.approx(1, abs=0.1)
    assert abs(deviations.mean()) < 0.15


def test_a_real_column_is_rarely_contradicted_whatever_its_height():
    """P(likelihood ratio < 1 / SURE | the column is there) <= 1 / SURE, by Markov's inequality."""
    _, full, _ = with_vacancy()
    ratios = []
    for dose in (0.02, 0.05, 0.2, 0.5):
        found = inspected(full * dose, full * dose, seed=int(1000 * dose))
        ratios.append(found.ratios[np.isfinite(found.ratios)])
    ratios = np.concatenate(ratios)
    assert (np.abs(ratios) < np.log(SURE)).mean() > 0.3  # many are faint
    assert (ratios < -np.log(SURE)).mean() < 1.5 / SURE


def test_columns_at_the_edge_are_not_tested():
    _, full, _ = with_vacancy()
    found = inspected(full, full)
    edge = np.isnan(found.ratios)
    assert edge.any()
    nearest = np.minimum(found.places, np.array(full.shape) - 1 - found.places).min(1)
    assert nearest[edge].max() < SPACING
    assert not (found.supported | found.contradicted | found.undecided)[edge].any()


def test_wide_columns_are_tested_on_binned_pixels():
    holed, full, place = with_vacancy()
    wide_holed, wide_full = (np.kron(each, np.ones((3, 3))) for each in (holed, full))
    raw = counts(wide_holed)
    noise = measure_noise(raw, wide_full.astype(np.float32))
    found = inspect_columns(raw, wide_full.astype(np.float32), noise, 3 * SPACING)
    wrong = found.places[found.contradicted]
    assert len(wrong) == 1
    np.testing.assert_allclose(wrong[0], 3 * np.array(place) + 1, atol=4)


def test_the_words_name_the_column():
    holed, full, place = with_vacancy()
    found = stemzoo.inspect(counts(holed), full.astype(np.float32))
    (said,) = [text for text in found.warnings if "contradicts" in text]
    assert "contradicts 1 of" in said
    numbers = [float(part) for part in said.rpartition("= (")[2].rstrip(")").split(", ")]
    np.testing.assert_allclose(numbers, place, atol=2)
    assert found.dose == pytest.approx(PEAK, rel=0.3)
