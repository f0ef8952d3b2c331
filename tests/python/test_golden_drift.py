"""Pairs and series of every kind are answered as they always were."""

import json
import math

import numpy as np
import pytest
from drift_cases import GOLDEN, answers

pytestmark = pytest.mark.slow

# Float rounding, of whatever instruction set, at least five times what processors differ by.
# Probabilities differ by up to 2e-4: features at a threshold count on one processor and not on
# another.
WITHIN = {
    "shift": 1e-4,
    "sigma": 1e-4,
    "score": 1e-5,
    "rate": 1e-4,
    "rate_sigma": 1e-4,
    "prediction": 1e-4,
    "shifts": 1e-4,
}
PROBABILITY = 1e-3


def numbers(values):
    return np.array(values, dtype=float).ravel()


def compare(name, found, expected):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        if key == "drifts":
            for at, (one, other) in enumerate(zip(found[key], value, strict=True)):
                compare(f"{name}, frame {at + 1}", one, other)
        elif key == "candidates":
            compare_candidates(name, found, expected)
        elif key in WITHIN:
            np.testing.assert_allclose(
                numbers(found[key]), numbers(value), rtol=0, atol=WITHIN[key], err_msg=name
            )
        elif key != "others":
            assert found[key] == value, (name, key)


def compare_candidates(name, found, expected):
    """Candidates that are equally probable may change places, and the least probable come and
    go."""
    assert found["others"] == pytest.approx(expected["others"], abs=2), name
    told = zip(found["candidates"], expected["candidates"], strict=False)
    for (dy, dx, probability), (y, x, other) in told:
        assert probability == pytest.approx(other, abs=PROBABILITY), name
        near = [math.dist((dy, dx), (a, b)) < 0.01 for a, b, _ in expected["candidates"]]
        assert any(near) or found["others"] > 3, (name, (dy, dx), (y, x))


def test_answers_are_what_they_were():
    golden = json.loads(GOLDEN.read_text())
    found = json.loads(json.dumps(dict(answers())))
    assert found.keys() == golden.keys()
    for name, expected in golden.items():
        compare(name, found[name], expected)
