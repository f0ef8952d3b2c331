"""Pairs with correlated noise: how they are drawn, and the table of their figures."""

import json

import numpy as np
import pytest

from stemzoo.registration.pair import Drift
from training.drift_page import COLOURS
from training.evaluation.colours import Colour
from training.evaluation.models import drift_colours, drift_trials
from training.evaluation.models.drift_colours import (
    KINDS,
    add_observers,
    measure_colours,
    report_colours,
)
from training.evaluation.models.drift_trials import Setup, trials
from training.simulate.disturbances import Disturbance


def _trial(colour):
    setup = Setup("colours", "one vacancy", (1000.0,), 1, Disturbance(), seed=4, colour=colour)
    ((_, trial),) = trials(setup)
    return trial


def _power(frame):
    """Mean power of low and of high frequencies along both axes."""
    spectrum = np.abs(np.fft.fft2(frame - frame.mean())) ** 2
    return spectrum[20:60, 20:60].mean(), spectrum[100:128, 100:128].mean()


def test_a_zoomed_pair_has_the_drift_and_a_bound_in_pixels_of_the_frame():
    plain, zoomed = _trial(Colour()), _trial(Colour(zoomed=True))
    assert zoomed.reference.shape == plain.reference.shape
    np.testing.assert_allclose(zoomed.drift, plain.drift)
    # A quarter of the counts, of columns that wider pixels smear.
    assert (zoomed.bound > 1.9 * plain.bound).all()
    assert (zoomed.bound < 2.6 * plain.bound).all()
    # The same scene, without its noise.
    assert np.corrcoef(zoomed.reference.ravel(), plain.reference.ravel())[0, 1] > 0.99


def test_a_filter_takes_noise_and_leaves_the_bound():
    plain, smooth = _trial(Colour()), _trial(Colour(sigma=0.9))
    np.testing.assert_allclose(smooth.bound, plain.bound)
    assert _power(smooth.reference)[1] < 0.01 * _power(plain.reference)[1]


def test_every_kind_has_a_row_for_each_dose(monkeypatch):
    answers = lambda still, moved, max_drift: Drift(0.0, 0.0, (0.1, 0.1), True, 0.5, ())  # noqa: E731
    monkeypatch.setattr(drift_colours, "compared_systems", lambda model: {"drift-lattice": answers})
    monkeypatch.setattr(drift_trials, "PAIRS_AT_ONCE", 1)
    found = measure_colours(None, 1)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    text = report_colours(found)
    for name in KINDS:
        assert text.count(f"| {name} |") == len(drift_colours.CASES)
    assert "| 100 / 100 |" in text  # all called ambiguous


@pytest.mark.skipif(not COLOURS.exists(), reason="no figures in this checkout")
def test_the_committed_figures_are_of_these_kinds():
    found = json.loads(COLOURS.read_text())
    assert list(found) == list(drift_colours.CASES)
    for kinds in found.values():
        assert list(kinds) == list(KINDS)
        assert {row["trials"] for rows in kinds.values() for row in rows} == {drift_colours.PAIRS}


def test_an_ideal_observer_of_zoomed_frames_has_a_quarter_of_the_counts(monkeypatch):
    """The rate of an observer that is its dose per px, times the width of its pixels."""
    monkeypatch.setattr(
        drift_colours,
        "observed",
        lambda case, doses, count, seed, pixel: (
            [pixel * x for x in doses] if case == drift_colours.CASES[0] else None
        ),
    )
    rows = {case: {name: [{}, {}] for name in KINDS} for case in drift_colours.CASES}
    add_observers(rows, 1)
    spread, vacancy = (rows[case] for case in drift_colours.CASES)
    assert [row["observer"] for row in spread["white"]] == [3, 10]
    assert [row["observer"] for row in spread["afterglow along x"]] == [3, 10]
    assert [row["observer"] for row in spread["zoomed by two"]] == [1.5, 5]
    assert [row["observer"] for row in spread["white, a quarter of the dose"]] == [0.75, 2.5]
    assert all(row == {} for kind in vacancy.values() for row in kind)
