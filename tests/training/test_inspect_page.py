"""docs/inspect.md and the measurements behind it, with a stand-in for the denoiser."""

import json

import numpy as np
import pytest

from training import inspect_page
from training.evaluation import inspection_columns, inspection_frames
from training.evaluation.cases import CASE_SEED, perovskite_scene
from training.evaluation.inspection_columns import NOISE, SHARE, STRONG, verdicts
from training.evaluation.inspection_frames import BATCH, range_frames
from training.inspect_page import FIGURES, PAGE, PICTURE, _scored, page

SIDE = 96  # px, of the frames here


def test_there_are_frames_of_every_kind(monkeypatch):
    monkeypatch.setattr(inspection_frames, "SIDE", SIDE)
    monkeypatch.setattr(inspection_frames, "SPACING_BANDS", (((7.0, 12.0), 1.0),))
    frames = list(range_frames(1))
    kinds = {}
    for frame in frames:
        kinds[frame.kind] = kinds.get(frame.kind, 0) + 1
        assert frame.raw.shape == (SIDE, SIDE)
        assert frame.raw.dtype == np.float32
        assert np.isfinite(frame.raw).all()
    assert set(kinds) == {
        "in range",
        "dose too low",
        "columns too close",
        "low magnification",
        "SEM",
    }
    assert min(kinds.values()) >= BATCH


@pytest.fixture(scope="module")
def judged():
    """Verdicts on one scene at two doses, of a denoiser that knows the answer."""
    scene = perovskite_scene(CASE_SEED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspection_columns, "PEAKS", (0.2, 20.0))
        patch.setattr(inspection_columns, "specimen_scenes", lambda quick: ())
        known = {}

        def exact(raw):
            return known["truth"].astype(np.float32)

        coloured = inspection_columns.coloured

        def remembered(scene, colour, peak, seed):
            noisy, truth = coloured(scene, colour, peak, seed)
            if seed == CASE_SEED + 700:
                known["truth"] = truth
            return noisy, truth

        patch.setattr(inspection_columns, "coloured", remembered)
        found = list(verdicts(exact))
    assert [(each.noise, each.peak) for each in found] == [
        (name, peak) for name in NOISE for peak in (0.2, 20.0)
    ]
    assert scene.spacing is not None
    return found


def test_planted_columns_are_named_at_a_fair_dose(judged):
    for each in judged:
        if each.peak == 20:
            assert (each.invented == "contradicted").mean() >= 0.95
            assert (each.real == "contradicted").mean() <= 0.01
            assert each.missing.mean() >= 0.9
        else:
            assert (each.real == "supported").mean() < 0.9
        assert len(each.invented) > 0.5 * SHARE * STRONG * len(each.real)


def test_scores_are_those_of_the_verdicts(judged):
    row = _scored([judged[1]])
    assert row["recall"] == (judged[1].invented == "contradicted").mean()
    assert row["false_alarms"] == (judged[1].real == "contradicted").mean()
    assert row["within"][0] < row["within"][1] < row["within"][2] <= 1
    assert json.loads(json.dumps(row)) == row


def test_the_page_is_that_of_the_committed_figures():
    assert PAGE.read_text() == page(json.loads(FIGURES.read_text()))
    assert PICTURE.is_file()
    assert PICTURE.stat().st_size < 500_000


def test_the_committed_figures_are_good():
    figures = json.loads(FIGURES.read_text())
    for row in figures["columns"]:
        assert row["false_alarms"] <= 0.01
        if row["peak"] >= 20:
            assert row["recall"] >= 0.95
    for kind, each in figures["ranges"]["warned"].items():
        warned, total = np.sum(list(each.values()), axis=0)
        assert warned / total <= 0.05 if kind == "in range" else warned / total >= 0.95
    assert max(figures["seconds"].values()) <= 3


def test_without_a_browser_there_is_no_picture(monkeypatch, tmp_path):
    monkeypatch.setattr(inspect_page, "BROWSERS", ("no-such-browser",))
    with pytest.raises(SystemExit, match="no browser: install one of no-such-browser"):
        inspect_page.draw(tmp_path / "a.png")
