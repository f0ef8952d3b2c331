"""Pictures that a model was not trained for are warned of, and others are not."""

import numpy as np
import pytest
from inspection_cases import SIDE, specimen

import stemzoo
from stemzoo._core import trained_ranges
from stemzoo.cli.demo.phantoms import perovskite
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, write

RANDOM = 11


def exposed(picture, peak):
    return np.random.default_rng(RANDOM).poisson(picture / picture.max() * peak).astype(np.float32)


def crystal():
    return specimen().image((SIDE, SIDE))


def islands():
    """Soft shapes of many sizes, as at low magnification."""
    random = np.random.default_rng(RANDOM)
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)) + 1 / SIDE
    field = np.fft.irfft2(np.fft.rfft2(random.standard_normal((SIDE, SIDE))) / radius**1.8)
    return 1 + np.tanh(2 * field / field.std())


def close_columns():
    return perovskite((SIDE, SIDE), 5, period=2.9, sigma=0.7).image((SIDE, SIDE))


@pytest.fixture(scope="module")
def model():
    return stemzoo.load("denoise-live")


@pytest.mark.parametrize("peak", [2, 20, 1000])
def test_a_picture_in_range_gives_no_warning(model, peak):
    assert model.run(exposed(crystal(), peak)).warnings == ()


@pytest.mark.parametrize(
    ("picture", "peak", "words"),
    [
        (crystal, 0.1, "electrons per pixel at the brightest columns"),
        (islands, 50, "no ordered columns were found"),
        (close_columns, 100, "px apart|no ordered columns"),
        (lambda: np.ones((SIDE, SIDE)), 20, "no ordered columns were found"),
    ],
)
def test_a_picture_out_of_range_is_warned_of(model, picture, peak, words):
    said = model.run(exposed(picture(), peak)).warnings
    assert any(part in text for text in said for part in words.split("|")), said
    assert all("denoise-live was trained" in text for text in said)


def test_a_stack_is_warned_of_by_its_frames(model):
    good, bad = exposed(crystal(), 20), exposed(islands(), 50)
    assert model.run(np.stack([good, good])).warnings == ()
    assert "no ordered columns" in model.run(np.stack([good, good, bad])).warnings[0]


def test_lists_and_masked_pictures_are_judged_as_well(model):
    low = exposed(islands(), 50)
    masked = np.ma.masked_greater(low, np.quantile(low, 0.99))
    for given in (low.tolist(), masked, low.astype("u2")):
        assert "no ordered columns" in model.run(given).warnings[0]


def test_nothing_is_measured_before_it_is_asked_for(model, monkeypatch):
    def refuse(*_):
        raise AssertionError("measured")

    monkeypatch.setattr("stemzoo.inference.suitability.survey", refuse)
    run = model.run(exposed(crystal(), 20))
    with pytest.raises(AssertionError, match="measured"):
        _ = run.warnings


def test_a_restored_frame_is_judged_too():
    from stemzoo.scan.restoration import restored

    run, _ = restored(stemzoo.load("restore-scan"), exposed(islands(), 50))
    assert "restore-scan was trained for columns" in run.warnings[0]


def test_a_series_is_judged_too(model):
    from stemzoo.alignment.series import run_series

    run = run_series(model, np.stack([exposed(islands(), 50)] * 2), shifts=np.zeros((2, 2)))
    assert "no ordered columns" in run.warnings[0]


@pytest.mark.parametrize("command", ["denoise", "restore"])
def test_the_command_prints_the_warning(command, tmp_path, capsys):
    write(tmp_path / "low.tif", Micrograph(exposed(islands(), 50)))
    model = ["--model", "denoise-live"] if command == "denoise" else []
    assert main([command, str(tmp_path / "low.tif"), *model]) == 0
    said = capsys.readouterr()
    assert "low.tif: no ordered columns were found" in said.err
    assert "no ordered columns" not in said.out


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("0.5 to 100,000 electrons per pixel at the brightest column", (0.5, 1e5)),
        ("columns 4 to 240 px apart", (4, 240)),
        ("a microscope of our own", None),
        ("9 to 2 px", None),
        ("1,,, to 2..3", None),
    ],
)
def test_the_range_is_read_from_what_the_model_says(said, found):
    assert trained_ranges({"dose": said}) == (found, None)
    assert trained_ranges({"spacing": said, "rotation": "0 to 45 degrees"}) == (None, found)


def test_a_model_that_names_no_range_is_not_judged(model):
    other = stemzoo.load("buban-autoencoder")
    if any(trained_ranges(other.contract.trained_for)):
        pytest.skip("buban-autoencoder names a range by now")
    assert other.run(exposed(islands(), 50)).warnings == ()
