"""docs/drift.md, its tables and its picture, with simulated estimators."""

import copy
import json
import math

import numpy as np
import pytest

import stemzoo
from stemzoo.registration.ncc import ncc
from stemzoo.registration.pair import Drift
from stemzoo.registration.shifting import peak
from training.drift_page import PAGE, PICTURE, ZOO, current, draw, page
from training.evaluation.models import drift_lattice, drift_trials
from training.evaluation.models.drift_lattice import SYSTEMS, measure, report
from training.evaluation.models.drift_targets import DETAILED_GROUPS, PURE_LATTICE, WITHIN
from training.evaluation.models.drift_trials import DISTURBANCES, DRIFT_LATTICE
from training.experiments import drift_picture

COMMITTED = (ZOO / DRIFT_LATTICE / "metrics.json").exists()


def _estimate(reference, moving, model):
    """Replaces stemzoo.drift: the highest peak, for any model."""
    dy, dx = peak(ncc(reference, moving, 20))
    return Drift(dy, dx, (0.1, 0.1), False, 0.5, ())


@pytest.fixture(scope="module")
def metrics():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stemzoo, "drift", _estimate)
        return {"name": DRIFT_LATTICE, "version": "9.9.9"} | measure(None, smoke=True)


def _perfect(metrics):
    """The same metrics, of a model that meets every target."""
    cells = copy.deepcopy(metrics["cells"])
    for cases in cells.values():
        for case, rows in cases.items():
            for row in rows.values():
                row[DRIFT_LATTICE] |= {"within": 1.0, "rmse": 1.1, "sigma": 0.68, "contained": 1.0}
                row[DRIFT_LATTICE] |= {"ambiguous": float(case == PURE_LATTICE), "wrong": 0.0}
    return cells


def test_every_system_is_in_every_cell_and_it_is_json(metrics):
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    observed = {"column-intensity spread", "dumbbells", "perovskites"}
    for group, cases in metrics["cells"].items():
        for case, rows in cases.items():
            for row in rows.values():
                best = {"observer"} if case in observed and group in ("lattices", "unseen") else {}
                assert set(row) == {*SYSTEMS, "bound", *best}
                assert len({row[system]["trials"] for system in SYSTEMS}) == 1  # all saw the same
    assert set(metrics["cells"]["robustness"]["one vacancy"]) == set(DISTURBANCES)
    known = {case for group in DETAILED_GROUPS for case in metrics["cells"][group]} - {PURE_LATTICE}
    assert known == set(WITHIN)


def test_the_ideal_observer_has_its_row(metrics):
    rows = [line for line in report(metrics).splitlines() if "observer who knows" in line]
    assert len(rows) == 2  # lattices, and unseen specimens
    assert rows[0].count("| -") == 2  # a particle, and a vacancy
    assert "100" in rows[0]


def test_a_model_that_meets_all_targets_has_no_shortfalls(metrics):
    perfect = {"cells": _perfect(metrics)}
    assert drift_lattice.below_target(perfect) == []
    assert "Nowhere in these tables." in report(perfect)


@pytest.mark.parametrize(
    ("group", "case", "label", "figure", "line"),
    [
        ("lattices", "one vacancy", "10", {"within": 0.995}, "99.5 % within 0.5 px, target 100 %"),
        (
            "jitter",
            "one vacancy",
            "10",
            {"rmse": 1.31},
            "an RMSE of 1.31 bounds, target at most 1.3",
        ),
        ("unseen", "dumbbells", "10", {"sigma": 0.6}, "60 % of the errors within one sigma"),
        ("lattices", "finite particle", "10", {"ambiguous": 0.04}, "4 % called ambiguous, target"),
        ("lattices", PURE_LATTICE, "10", {"ambiguous": 0.9}, "90 % called ambiguous, target 99 %"),
        (
            "jitter",
            PURE_LATTICE,
            "10",
            {"contained": 0.5},
            "50 % with the truth named, target 99 %",
        ),
        ("shapes", "edges", "100", {"within": 0.5}, "edges, dose 100: 50 % within 0.5 px, target"),
        (
            "robustness",
            "one vacancy",
            "fixed stripes",
            {"within": 0.5},
            "fixed stripes: 50 % within 0.5 px",
        ),
    ],
)
def test_a_missed_target_is_told_to_developers_only(metrics, group, case, label, figure, line):
    cells = _perfect(metrics)
    cells[group][case][label][DRIFT_LATTICE] |= figure
    (missed,) = drift_lattice.below_target({"cells": cells})
    assert missed.startswith(f"{drift_lattice.GROUPS[group]}, {case}, ")
    assert line in missed
    text = report({"cells": cells})
    assert "target" not in text
    assert "asked" not in text


def test_unreliable_cells_are_listed(metrics):
    cells = _perfect(metrics)
    figures = {"within": 0.905, "ambiguous": 0.08, "wrong": 0.015}
    cells["lattices"]["one vacancy"]["10"][DRIFT_LATTICE] |= figures
    line = "- one vacancy, dose 10: 90.5 % right, 8 % called ambiguous, 1.5 % wrong unnoticed"
    assert line in report({"cells": cells}).splitlines()


def test_the_page_shows_the_metrics_of_every_system(metrics):
    text = page(metrics)
    assert "## drift-lattice 9.9.9" in text
    assert f"]({PICTURE})" in text
    for title in SYSTEMS.values():
        assert text.count(f"| {title} |") >= 5
    changed = copy.deepcopy(metrics)
    changed["cells"]["lattices"]["one vacancy"]["10"][DRIFT_LATTICE]["within"] = 0.777
    assert "77.7" in page(changed)
    assert "77.7" not in text


def test_the_picture_is_of_a_pair_that_others_get_wrong(monkeypatch, tmp_path):
    monkeypatch.setattr(drift_trials, "PAIRS_AT_ONCE", 4)
    monkeypatch.setattr(drift_picture, "CANDIDATE_PAIRS", 4)
    monkeypatch.setattr(drift_picture, "peers", lambda: {"a peer": lambda still, moved: (1.0, 2.0)})
    known = {trial.moving.tobytes(): trial.drift for trial in drift_picture.candidates()}

    def knowing(reference, moving, model):
        dy, dx = known[moving.tobytes()] if model == "ours" else (0.0, 0.0)
        return Drift(dy, dx, (0.1, 0.1), False, 0.5, ())

    monkeypatch.setattr(stemzoo, "drift", knowing)
    captioned, columns = drift_picture.panels("ours")
    captions = [caption for caption, _ in captioned]
    assert columns == 4
    assert len(captions) == 7
    assert captions[2].startswith(DRIFT_LATTICE)
    assert captions[2].endswith("off by 0.00")
    assert captions[-1].startswith("a peer (1.0, 2.0): off by ")
    assert {picture.shape for _, picture in captioned} == {(256, 256)}
    left = [np.std(picture.astype(float)) for _, picture in captioned[2:]]
    assert left[0] < min(left[1:3])  # the residual of the right drift is noise
    monkeypatch.setattr("training.drift_page.panels", lambda model: (captioned, columns))
    draw("ours", tmp_path / "drift" / "hops.png")
    assert (tmp_path / "drift" / "hops.png").stat().st_size > 10_000


def test_peers_move_the_same_way():
    wide = np.random.default_rng(1).normal(size=(144, 144)).astype(np.float32)
    reference, moving = wide[8:136, 8:136], wide[5:133, 12:140]
    for name, peer in drift_picture.peers().items():
        assert math.dist(peer(reference, moving), (3, -4)) < 0.5, name


@pytest.mark.skipif(not COMMITTED, reason="no figures of drift-lattice in this zoo")
def test_the_page_is_current_with_the_committed_figures():
    assert page(current()) == PAGE.read_text(), "run python -m training.drift_page"
    assert (PAGE.parent / PICTURE).stat().st_size > 10_000
