"""docs/drift.md and what it is made of, with estimators that know the truth, or hop."""

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
from training.figures import drift_picture, drift_trials
from training.figures.drift_lattice import ASKED, BARRED, PURE, WORDS, measure, report, under
from training.figures.drift_trials import OURS, TROUBLES

COMMITTED = (ZOO / OURS / "metrics.json").exists()


def _estimate(reference, moving, model):
    """In the place of stemzoo.drift: the highest peak, for whatever model."""
    dy, dx = peak(ncc(reference, moving, 20))
    return Drift(dy, dx, (0.1, 0.1), False, 0.5, ())


@pytest.fixture(scope="module")
def metrics():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stemzoo, "drift", _estimate)
        return {"name": OURS, "version": "9.9.9"} | measure(None, smoke=True)


def _perfect(metrics):
    """The same figures, of a model that meets every bar."""
    cells = copy.deepcopy(metrics["cells"])
    for cases in cells.values():
        for case, rows in cases.items():
            for row in rows.values():
                row[OURS] |= {"within": 1.0, "rmse": 1.1, "sigma": 0.68, "contained": 1.0}
                row[OURS] |= {"ambiguous": float(case == PURE), "wrong": 0.0}
    return cells


def test_every_system_is_in_every_cell_and_it_is_json(metrics):
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    observed = {"column-intensity spread", "dumbbells", "perovskites"}
    for group, cases in metrics["cells"].items():
        for case, rows in cases.items():
            for row in rows.values():
                best = {"observer"} if case in observed and group in ("lattices", "unseen") else {}
                assert set(row) == {*WORDS, "bound", *best}
                assert len({row[system]["trials"] for system in WORDS}) == 1  # all saw the same
    assert set(metrics["cells"]["robustness"]["one vacancy"]) == set(TROUBLES)
    known = {case for group in BARRED for case in metrics["cells"][group]} - {PURE}
    assert known == set(ASKED)


def test_what_an_observer_can_tell_stands_beside(metrics):
    rows = [line for line in report(metrics).splitlines() if "observer who knows" in line]
    assert len(rows) == 2  # on lattices, and on what training never sees
    assert rows[0].count("| -") == 2  # a particle, and a vacancy
    assert "100" in rows[0]


def test_what_meets_the_bars_is_not_under_them(metrics):
    assert not any(under(_perfect(metrics)).values())
    text = report({"cells": _perfect(metrics)})
    assert "Nothing: every bar holds." in text


@pytest.mark.parametrize(
    ("group", "case", "label", "figure", "line"),
    [
        ("lattices", "one vacancy", "10", {"within": 0.995}, "99.5 % right, asked 100 %"),
        (
            "jitter",
            "one vacancy",
            "10",
            {"rmse": 1.31},
            "an RMSE of 1.31 bounds, asked at most 1.3",
        ),
        ("unseen", "dumbbells", "10", {"sigma": 0.6}, "60 % of the errors within one sigma"),
        ("lattices", "finite particle", "10", {"ambiguous": 0.04}, "4 % called ambiguous, asked"),
        ("lattices", PURE, "10", {"ambiguous": 0.9}, "90 % called ambiguous, asked 99 %"),
        ("jitter", PURE, "10", {"contained": 0.5}, "50 % with the truth named, asked 99 %"),
        ("shapes", "edges", "100", {"within": 0.5}, "edges, dose 100: 50 % right, less than 99 %"),
        (
            "robustness",
            "one vacancy",
            "fixed stripes",
            {"within": 0.5},
            "fixed stripes: 50 % right",
        ),
    ],
)
def test_what_is_under_a_bar_is_said(metrics, group, case, label, figure, line):
    cells = _perfect(metrics)
    cells[group][case][label][OURS] |= figure
    ((place, said),) = ((place, line) for place, found in under(cells).items() for line in found)
    assert place == group
    assert line in said
    assert case in said
    assert f"\n- {said}" in report({"cells": cells})


def test_the_page_shows_what_was_asked_beside_what_was_measured(metrics):
    text = page(metrics)
    assert "## drift-lattice 9.9.9" in text
    assert f"]({PICTURE})" in text
    for words in WORDS.values():
        assert text.count(f"| {words} |") >= 5
    changed = copy.deepcopy(metrics)
    changed["cells"]["lattices"]["one vacancy"]["10"][OURS]["within"] = 0.777
    assert "77.7" in page(changed)
    assert "77.7" not in text


def test_the_picture_is_of_a_pair_that_others_get_wrong(monkeypatch, tmp_path):
    monkeypatch.setattr(drift_trials, "PART", 4)
    monkeypatch.setattr(drift_picture, "TRIED", 4)
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
    assert captions[2].startswith(OURS)
    assert captions[2].endswith("off by 0.00")
    assert captions[-1].startswith("a peer (1.0, 2.0): off by ")
    assert {picture.shape for _, picture in captioned} == {(256, 256)}
    left = [np.std(picture.astype(float)) for _, picture in captioned[2:]]
    assert left[0] < min(left[1:3])  # what a right answer leaves is noise
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
