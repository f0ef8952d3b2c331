import numpy as np
import pytest
from zoo_server import ZooServer, add_model, files_but, write_index

from stemzoo.zoo import catalogue, download


@pytest.fixture
def random():
    return np.random.default_rng(5)


@pytest.fixture(scope="session")
def lattice():
    """A small square lattice of Gaussian columns, unit contrast, float64."""
    y, x = np.mgrid[:96, :80]
    return np.exp(4 * (np.cos(2 * np.pi * y / 11.3) + np.cos(2 * np.pi * (x + 0.3 * y) / 11.3)) - 8)


@pytest.fixture
def zoo(tmp_path):
    """A folder with two models: one of 400 kB to be pulled, and another."""
    folder = tmp_path / "zoo"
    add_model(folder, size=400_000)
    add_model(folder, "denoise-other")
    write_index(folder)
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Where models are kept that are pulled. No others are at hand."""
    monkeypatch.setenv("STEMZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STEMZOO_SITE", "")
    monkeypatch.setattr(catalogue, "BUNDLED", tmp_path / "bundled")
    return tmp_path / "cache"


@pytest.fixture
def server(zoo, cache, monkeypatch):
    """The zoo at STEMZOO_URL; nobody waits for it for long."""
    monkeypatch.setattr(download, "WAIT", 0.01)
    monkeypatch.setattr(download, "MAX_WAIT", 0.05)
    monkeypatch.setattr(download, "STALL", 5.0)
    with ZooServer(zoo) as server:
        monkeypatch.setenv("STEMZOO_URL", server.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server


@pytest.fixture
def watched(tmp_path, cache, zoo):
    """Holds the test to leaving everything but the cache as it was, and no network in the cache."""
    before = files_but(tmp_path, cache, zoo)
    yield
    assert files_but(tmp_path, cache, zoo) == before
    assert not list(cache.glob("**/*.onnx"))
    allowed = {"indexes", "models"}
    assert {path.name for path in cache.glob("*")} <= allowed
