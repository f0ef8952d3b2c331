"""stemzoo.drift: its arguments, what it refuses, and the command line.

The estimator behind it has tests of its own, and so have networks that read correlations.
"""

import itertools
import math

import numpy as np
import pytest
from moving_specimens import crystal, pair, particle

import stemzoo
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, write
from stemzoo.registration.answers import CHANCE, LIMIT, NOTHING, OTHERS

SHIFT = (5.3, -7.6)
IMAGE = np.random.default_rng(0).random((40, 48))


@pytest.fixture(scope="module")
def frames():
    return pair(crystal(spread=0.3), SHIFT)


def test_any_array_like_of_two_dimensions_will_do(frames):
    expected = stemzoo.drift(*frames, None)
    assert math.dist((expected.dy, expected.dx), SHIFT) < 0.2
    assert stemzoo.drift(frames[0].tolist(), frames[1].astype("u2"), None) == expected
    masked = np.ma.MaskedArray(frames[0], False)
    assert stemzoo.drift(masked, frames[1], model=None, threads=2) == expected


def test_masks_and_borders_are_left_out(frames):
    still = np.ma.MaskedArray(frames[0].copy(), False)
    still[20:23, 30] = np.ma.masked
    still.data[20:23, 30] = np.nan
    moved = frames[1].copy()
    moved[:, :10] = np.nan
    found = stemzoo.drift(still, moved, None)
    assert math.dist((found.dy, found.dx), SHIFT) < 0.2
    with pytest.raises(ValueError, match="every pixel of moving is masked"):
        stemzoo.drift(frames[0], np.ma.MaskedArray(frames[1], True), None)


def test_max_shift_is_how_far_it_looks(frames):
    near = stemzoo.drift(*frames, None, max_shift=4)
    assert max(abs(near.dy), abs(near.dx)) < 7  # refined from within the reach
    for dy, dx, _ in near.candidates:
        assert max(abs(dy), abs(dx)) <= 5
    far = stemzoo.drift(*frames, None, max_shift=127)
    assert math.dist((far.dy, far.dx), SHIFT) < 0.2


@pytest.mark.parametrize("model", ["drift-lattice", "vasudevan-drift", None])
def test_candidates_are_probabilities_whatever_the_model(model):
    found = stemzoo.drift(*pair(crystal(), SHIFT, dose=5), model)
    assert found.ambiguous
    assert all(isinstance(candidate, stemzoo.Candidate) for candidate in found.candidates)
    told = [probability for dy, dx, probability in found.candidates]
    assert len(told) > 1
    assert told == sorted(told, reverse=True)
    assert min(told) > 0
    assert found.probability == pytest.approx(1 - sum(told))
    assert found.probability >= 0


def noise(seed):
    return np.random.default_rng(seed).poisson(20, (128, 128)).astype(float)


@pytest.mark.parametrize("model", ["drift-lattice", None])
@pytest.mark.parametrize("scene", [crystal(spread=0.3), crystal(period=14.3), particle()])
def test_a_correlation_that_chance_reaches_is_ambiguous_and_says_so(model, scene):
    image = scene.image((128, 128)) * 100
    for still, moving in [(image, noise(1)), (noise(2), image), (noise(3), noise(4))]:
        found = stemzoo.drift(still, moving, model)
        assert found.ambiguous
        assert found.reason == CHANCE


@pytest.mark.parametrize("model", ["drift-lattice", None])
def test_two_unrelated_specimens_have_no_sure_drift(model):
    scenes = [crystal(spread=0.3), crystal(period=14.3, spread=0.3), particle(period=9.0)]
    images = [scene.image((128, 128)) for scene in scenes]
    for still, moving in itertools.permutations(images, 2):
        found = stemzoo.drift(still, moving, model)
        assert found.ambiguous
        assert found.reason


@pytest.mark.parametrize("model", ["drift-lattice", None])
def test_an_answer_at_the_limit_of_the_search_is_ambiguous_and_says_so(model):
    frames = pair(particle(), (20.0, -3.0))
    found = stemzoo.drift(*frames, model, max_shift=20)
    assert found.ambiguous
    assert found.reason == LIMIT
    found = stemzoo.drift(*frames, model)
    assert math.dist((found.dy, found.dx), (20, -3)) < 0.2
    assert found.reason in ("", OTHERS)


@pytest.mark.parametrize("model", ["drift-lattice", "vasudevan-drift", None])
def test_a_drift_has_a_reason_where_it_is_ambiguous_and_only_there(model):
    blank = np.full((128, 128), 3.0)
    image = crystal(spread=0.3).image((128, 128))
    assert stemzoo.drift(blank, image, model).reason == NOTHING
    for frames in (pair(crystal(), SHIFT, dose=5), (image, image)):
        found = stemzoo.drift(*frames, model)
        assert bool(found.reason) == found.ambiguous


def test_an_open_drift_says_that_it_is_open():
    assert stemzoo.drift(*pair(crystal(), SHIFT, dose=5), None).reason == OTHERS


@pytest.mark.parametrize("name", ["reference", "moving"])
@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (IMAGE.astype("c8"), "has dtype complex64; expected real"),
        (np.where(IMAGE > 0.9, np.nan, IMAGE), r"masked_invalid\("),
        (np.where(IMAGE > 0.9, np.inf, IMAGE), "holds NaN or infinity"),
    ],
)
@pytest.mark.parametrize("model", [None, "vasudevan-drift"])
def test_what_cannot_be_used_is_named(name, frame, message, model):
    frames = {"reference": IMAGE, "moving": IMAGE, name: frame}
    with pytest.raises(ValueError, match=f"{name}.*{message}|{message}{name}"):
        stemzoo.drift(**frames, model=model)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (IMAGE[0], r"has shape \(48,\); expected a 2-D image"),
        (np.stack([IMAGE, IMAGE]), r"has shape \(2, 40, 48\); expected a 2-D image"),
        (IMAGE[:0], r"has shape \(0, 48\), which holds no pixels"),
        (IMAGE[:1, :1], r"has shape \(1, 1\), which shows no drift"),
        (IMAGE[:1], r"has shape \(1, 48\), which shows no drift.*at least 2 x 2 pixels"),
    ],
)
@pytest.mark.parametrize("model", [None, "vasudevan-drift"])
def test_what_is_no_frame_is_refused(frame, message, model):
    with pytest.raises(ValueError, match=f"reference {message}"):
        stemzoo.drift(frame, frame, model)


@pytest.mark.parametrize("model", [None, "vasudevan-drift"])
def test_shapes_must_agree(model):
    with pytest.raises(ValueError, match=r"reference has shape \(40, 48\) and moving \(40, 40\)"):
        stemzoo.drift(IMAGE, IMAGE[:, :40], model)


@pytest.mark.parametrize("max_shift", [0, 40, -1, 2.5, (3, 4)])
def test_a_wrong_max_shift_says_what_is_right(max_shift):
    with pytest.raises(ValueError, match=r"expected a whole number of pixels from 1 to 39"):
        stemzoo.drift(IMAGE, IMAGE, None, max_shift=max_shift)


def test_a_model_of_another_task_is_refused():
    with pytest.raises(ValueError, match="denoise-live is a model for denoise; drift needs"):
        stemzoo.drift(IMAGE, IMAGE, model="denoise-live")


def test_the_command_line_says_it_in_pixels_and_in_the_unit_of_the_files(frames, tmp_path, capsys):
    model = ["--model", "vasudevan-drift"]
    paths = [tmp_path / "before.tif", tmp_path / "after.tif"]
    for path, frame in zip(paths, frames, strict=True):
        write(path, Micrograph(frame, (0.02, 0.03), "nm", {}, None))
    assert main(["drift", *map(str, paths), *model]) == 0
    said = capsys.readouterr().out
    found = stemzoo.drift(*frames, "vasudevan-drift")
    assert said.startswith(
        f"dy {found.dy:.2f} px, dx {found.dx:.2f} px, sigma {found.sigma[0]:.2f}"
    )
    assert f"dy {found.dy * 0.02:.4g} nm, dx {found.dx * 0.03:.4g} nm" in said
    assert said.count("\n") == 1
    np.save(tmp_path / "after.npy", frames[1])
    assert main(["drift", str(paths[0]), str(tmp_path / "after.npy"), *model]) == 0
    assert " nm" not in capsys.readouterr().out
