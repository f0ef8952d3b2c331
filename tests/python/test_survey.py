"""Frames of every kind are surveyed as they always were."""

import json
from pathlib import Path

import numpy as np
import pytest
from inspection_cases import afterglow, counts, with_vacancy

from stemzoo.cli.demo.phantoms import perovskite
from stemzoo.inference.survey import survey

# By an independent implementation in NumPy.
GOLDEN = Path(__file__).with_name("golden_survey.json")
WITHIN = 1e-3  # relative: float32 here, where that had float64 in places
SHAPE = (192, 175)


def picture(period, sigma):
    return perovskite(SHAPE, 5, period=period, sigma=sigma).image(SHAPE)


def shapes():
    """Soft shapes of many sizes."""
    random = np.random.default_rng(11)
    radius = np.hypot(np.fft.fftfreq(SHAPE[0])[:, None], np.fft.rfftfreq(SHAPE[1])) + 0.005
    spectrum = np.fft.rfft2(random.standard_normal(SHAPE)) / radius**1.8
    field = np.fft.irfft2(spectrum, SHAPE)
    return 1.1 + np.tanh(2 * field / field.std())


def exposed(truth, peak, seed=1):
    clean = truth * (peak / truth.max())
    return counts(clean, seed), clean


def cases():
    """Of each: a frame and its clean estimate."""
    truth = with_vacancy()[0]
    frame = counts(truth)
    yield "crystal", frame, truth
    yield "scaled", 37.5 * frame + 1000, 37.5 * truth + 1000
    yield "afterglow", afterglow(frame), afterglow(truth)
    yield "half of the noise is left", frame, (frame + truth) / 2
    yield "read out", frame + np.random.default_rng(3).normal(0, 4, truth.shape), truth
    yield "low dose", *exposed(picture(14, 2), 0.4)
    yield "few columns", *exposed(picture(110, 14), 40)
    yield "close columns", *exposed(picture(2.9, 0.7), 100)
    yield "shapes", *exposed(shapes(), 50)
    yield "nothing", *exposed(np.ones(SHAPE), 20)
    yield "small", frame[:64, :70], truth[:64, :70]
    yield "its own estimate", frame, frame


def numbers(found):
    noise, spectrum = found.noise, found.noise.spectrum
    return {
        "doses": [found.dose, found.independent_dose],
        "columns": [found.spacing, found.columns, found.peaks, found.atoms],
        "noise": [noise.gain, noise.offset, noise.readout, noise.white, noise.share],
        "variance": [noise.level, noise.slope],
        "spectrum": [spectrum[at] for at in ((0, 0), (0, 32), (32, 0), (16, 16), (5, 60))],
    }


@pytest.mark.parametrize("name", [name for name, _, _ in cases()])
def test_surveys_are_what_they_were(name):
    (pair,) = [(raw, clean) for each, raw, clean in cases() if each == name]
    found = numbers(survey(*(image.astype(np.float32) for image in pair)))
    expected = json.loads(GOLDEN.read_text())[name]
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        # None is NaN.
        np.testing.assert_allclose(
            np.array(found[key], float), np.array(values, float), rtol=WITHIN, atol=1e-6
        )
