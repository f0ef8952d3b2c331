import numpy as np
import pytest


@pytest.fixture
def random():
    return np.random.default_rng(5)


@pytest.fixture(scope="session")
def lattice():
    """A small square lattice of Gaussian columns, unit contrast, float64."""
    y, x = np.mgrid[:96, :80]
    return np.exp(4 * (np.cos(2 * np.pi * y / 11.3) + np.cos(2 * np.pi * (x + 0.3 * y) / 11.3)) - 8)
