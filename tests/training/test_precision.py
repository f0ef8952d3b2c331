"""The gate before less than float32: what is measured, and what that decides."""

import json

import numpy as np
import pytest

import stemzoo
from stemzoo.inference import precision
from training.evaluation.precision import MOST_LOSS, compare


def smooth(image):
    padded = np.pad(np.asarray(image, float), 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    return windows.mean((2, 3))


def test_the_same_loses_nothing():
    figures = compare(smooth, smooth, (96, 96))
    assert figures["passed"]
    assert figures["worst_loss_db"] == 0


def test_what_rounds_too_much_does_not_pass():
    def coarse(image):
        result = smooth(image)
        step = np.ptp(result) / 16
        return np.round(result / step) * step

    figures = compare(smooth, coarse, (96, 96))
    assert not figures["passed"]
    assert figures["worst_loss_db"] > MOST_LOSS
    assert figures["largest_difference"] > 0.01


def test_a_broken_answer_does_not_pass():
    assert not compare(smooth, lambda image: smooth(image) * np.nan, (96, 96))["passed"]


def test_what_was_measured_decides(tmp_path, monkeypatch):
    sha256 = stemzoo.load("denoise-live").sha256
    file = tmp_path / "precision.json"
    monkeypatch.setattr(precision, "FILE", file)
    figures = compare(smooth, smooth, (96, 96))
    file.write_text(json.dumps({sha256: {"tf32": figures}}))
    precision.require_passed("tf32", "denoise-live", sha256)
    figures |= {"passed": False, "worst_loss_db": 0.5}
    file.write_text(json.dumps({sha256: {"tf32": figures}}))
    with pytest.raises(stemzoo.ModelError, match=r"loses 0\.50 dB in tf32, more than the 0\.01 dB"):
        precision.require_passed("tf32", "denoise-live", sha256)
