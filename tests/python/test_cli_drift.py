"""`stemzoo drift A B` as people and machines call it."""

import json
import math

import numpy as np
import pytest
from PIL import Image

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, write
from stemzoo.plotting.pictures import CAPTION, GAP
from stemzoo.registration.answers import OTHERS
from stemzoo.registration.pair import Candidate, Drift

SHIFT = (5.0, -7.0)
OPEN = Drift(
    5.0,
    -7.0,
    (0.1, 0.2),
    True,
    0.4,
    (Candidate(-5.0, 3.0, 0.3), Candidate(5.0, 13.0, 0.25)),
    OTHERS,
)
NOTHING = Drift(math.nan, math.nan, (math.inf, math.inf), True, 0.0, ())


def drift(*words):
    return main(["drift", *words, "--model", "none"])


@pytest.fixture
def files(tmp_path):
    specimen = perovskite((96, 80), seed=4, spread=0.3)
    paths = [tmp_path / "before.tif", tmp_path / "after.tif"]
    for number, path in enumerate(paths):
        clean = specimen.image((80, 64), SHIFT if number else (0, 0))
        counts = expose(clean, 400, np.random.default_rng(number))
        write(path, Micrograph(counts, (0.02, 0.03), "nm", {}, None))
    return list(map(str, paths))


@pytest.fixture
def answer(monkeypatch):
    """Says what stemzoo.drift answers, whatever it is asked; keeps what it was asked."""

    def says(found):
        asked = {}
        monkeypatch.setattr(stemzoo, "drift", lambda *a, **options: asked.update(options) or found)
        return asked

    return says


def test_candidates_are_listed_where_the_answer_is_open(files, answer, capsys):
    answer(OPEN)
    assert drift(*files) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("dy 5.00 px, dx -7.00 px")
    assert "ambiguous" in first
    assert others == [
        f"ambiguous: {OTHERS}",
        "it could as well be:",
        "  dy -5.00 px, dx 3.00 px, probability 0.300",
        "  dy 5.00 px, dx 13.00 px, probability 0.250",
    ]


def test_max_shift_is_handed_on(files, answer, capsys):
    asked = answer(OPEN)
    assert drift(*files, "--max-shift", "9") == 0
    assert asked["max_shift"] == 9
    assert drift(*files) == 0
    assert asked["max_shift"] is None


def test_a_max_shift_that_cannot_be_is_one_line(files, capsys):
    assert drift(*files, "--max-shift", "0") == 1
    assert "max_shift is 0" in capsys.readouterr().err


def test_machines_read_json(files, capsys):
    assert drift(*files, "--json") == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    record = json.loads(said)
    images = [stemzoo.io.read(path).data for path in files]
    found = stemzoo.drift(*images, None)
    assert (record["dy"], record["dx"]) == pytest.approx((found.dy, found.dx))
    assert record["sigma"] == pytest.approx(found.sigma)
    assert record["ambiguous"] == found.ambiguous
    assert record["reason"] == (found.reason or None)
    assert record["candidates"] == [
        {"dy": dy, "dx": dx, "probability": probability} for dy, dx, probability in found.candidates
    ]
    assert record["pixel_size"] == pytest.approx([0.02, 0.03], rel=1e-5)
    assert record["unit"] == "nm"
    assert record["model"] is None


def test_the_model_is_handed_on_and_named(files, capsys):
    assert main(["drift", *files, "--json", "--model", "vasudevan-drift"]) == 0
    assert json.loads(capsys.readouterr().out)["model"].startswith("vasudevan-drift@")


def test_what_is_not_known_is_null(files, answer, tmp_path, capsys):
    answer(NOTHING)
    np.save(tmp_path / "after.npy", np.ones((80, 64)))
    assert drift(files[0], str(tmp_path / "after.npy"), "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["dy"], record["sigma"]) == (None, [None, None])
    assert (record["pixel_size"], record["unit"]) == (None, None)


def panels(path, shape):
    """The pictures of a sheet of two columns, without their captions."""
    with Image.open(path) as sheet:
        values = np.asarray(sheet, float)
    height, width = shape
    return [
        values[GAP + row * (height + CAPTION + GAP) :, GAP + column * (width + GAP) :][
            :height, :width
        ]
        for row in range(2)
        for column in range(2)
    ]


def test_the_picture_shows_what_is_left_after_moving_back(files, answer, tmp_path, capsys):
    answer(Drift(*SHIFT, (0.1, 0.1), False, 0.9, ()))
    assert drift(*files, "--picture", str(tmp_path / "pair.png")) == 0
    assert "pair.png" in capsys.readouterr().out
    *_, before, after = panels(tmp_path / "pair.png", (80, 64))
    assert before.std() > 30
    assert after[:-6, 8:].std() < 0.25 * before.std()
    assert np.ptp(after[-5:]) == np.ptp(after[:, :7]) == 0  # nothing is known there


def test_without_a_drift_there_is_nothing_to_move_back(files, answer, tmp_path):
    answer(NOTHING)
    assert drift(*files, "--json", "--picture", str(tmp_path / "pair.png")) == 0
    last = panels(tmp_path / "pair.png", (80, 64))[-1]
    assert (last == 255).all()


def test_a_stack_is_no_pair(files, tmp_path, capsys):
    np.save(tmp_path / "stack.npy", np.ones((3, 80, 64)))
    assert drift(files[0], str(tmp_path / "stack.npy")) == 1
    assert "stack of shape (3, 80, 64)" in capsys.readouterr().err
