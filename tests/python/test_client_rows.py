"""Rows of a scan by the client: the service, the C library and Python give the same bits."""

import client_library
import numpy as np
import pytest
import stemzoo_client
from moving_specimens import pair, particle

from stemzoo.registration.correction.rows import straighten
from stemzoo.scan.rows import find_rows
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State


@pytest.fixture(scope="module")
def address():
    with Server("127.0.0.1", 0, State(max_frame=4 * MIB)).running() as server:
        yield server.address


@pytest.fixture(params=["socket", "shared memory"])
def service(address, request):
    shared = request.param == "shared memory"
    with stemzoo_client.connect(*address, shared_memory=shared) as service:
        yield service


@pytest.fixture
def library(monkeypatch):
    opened = stemzoo_client.Library(str(client_library.built()))
    monkeypatch.setattr(stemzoo_client, "_opened", opened)


@pytest.fixture(scope="module")
def scan():
    """A jittered image, its clean pilot, and what another detector recorded with it."""
    clean, _ = pair(particle(), (0.0, 0.0))
    image = np.stack([np.roll(row, 2 * (-1) ** y) for y, row in enumerate(clean)])
    other = np.random.default_rng(5).poisson(50 + 900 * image / image.max())
    return image, clean, other


def test_found_rows_are_the_same(service, library, scan):
    image, clean, _ = scan
    found = service.find_rows(image, clean)
    assert found == stemzoo_client.find_rows(image, clean)
    direct = find_rows(image.astype("f4"), clean.astype("f4"))
    np.testing.assert_array_equal(np.array(found), np.hstack([direct.displacements, direct.sigma]))
    assert np.ptp([row.dx for row in found]) > 1


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "u4", "i8", "f4", "f8"])
def test_another_detector_is_corrected_alike(service, library, scan, dtype):
    image, clean, other = scan
    rows = service.find_rows(image, clean)
    given = (other % 251 if dtype == "u1" else other).astype(dtype)
    straight = service.apply_rows(given, rows)
    assert straight.dtype == "float32"
    np.testing.assert_array_equal(straight, stemzoo_client.apply_rows(given, rows))
    places = np.array(rows)[:, :2]
    np.testing.assert_array_equal(straight, straighten(given.astype("f4"), places))
    assert (straight != given).any()


def test_any_strides_and_no_numpy(service, library, scan):
    image, clean, other = scan
    rows = service.find_rows(image, clean)
    turned = np.asfortranarray(other.astype("u2"))[:, ::-1]
    expected = stemzoo_client.apply_rows(turned, rows)
    np.testing.assert_array_equal(service.apply_rows(turned, rows), expected)
    flat = stemzoo_client.image(turned.tobytes(), turned.shape, "uint16")
    assert service.apply_rows(flat, rows).tolist() == expected.tolist()


def test_unknown_pixels_stay_unknown(service, library, scan):
    image, clean, other = scan
    rows = service.find_rows(image, clean)
    damaged = other.astype("f4")
    damaged[10, 5:9] = np.nan
    straight = service.apply_rows(damaged, rows)
    np.testing.assert_array_equal(straight, stemzoo_client.apply_rows(damaged, rows))
    assert 0 < np.isnan(straight).sum() < 100


def test_what_is_no_row_is_said(service, scan):
    image, clean, _ = scan
    rows = service.find_rows(image, clean)
    with pytest.raises(stemzoo_client.ArgumentError, match=r"2 rows for an image .* expected one"):
        service.apply_rows(image, rows[:2])
    with pytest.raises(stemzoo_client.ArgumentError, match="a row is no Row"):
        service.apply_rows(image, ["abcd"] * len(image))
    far = [rows[0]._replace(dx=np.nan), *rows[1:]]
    with pytest.raises(stemzoo_client.ArgumentError, match="displacement of row 0") as refused:
        service.apply_rows(image, far)
    assert refused.value.status == "value"
    with pytest.raises(stemzoo_client.ArgumentError, match="has a mask"):
        service.apply_rows(np.ma.masked_equal(image, 0), rows)
    assert service.models()
