"""Rows of a scan by the documented protocol: found, and applied to another image."""

import urllib.request

import numpy as np
import pytest

from stemzoo.registration.correction.rows import straighten
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State
from tests.python.frame_client import Client, message

SIDE = 40
IMAGE = {"version": 1, "id": 1, "call": "rows.apply", "dtype": "uint16", "shape": [SIDE, SIDE]}


@pytest.fixture(scope="module")
def service():
    with Server("127.0.0.1", 0, State(max_frame=MIB)).running() as server:
        yield server


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).poisson(90, (SIDE, SIDE)).astype("<u2")


@pytest.fixture(scope="module")
def rows():
    """dy, dx and their standard deviations."""
    return np.random.default_rng(1).normal(0, 1, (SIDE, 4))


def _answer(service, content):
    with Client(service.address) as client:
        client.socket.sendall(content)
        return client.receive()


@pytest.mark.parametrize("axis", ["x", "y"])
def test_rows_follow_the_image(service, image, rows, axis):
    header = message({**IMAGE, "rows": SIDE, "fast_axis": axis})
    told, straight = _answer(service, header + image.tobytes() + rows.tobytes())
    assert (told["dtype"], told["shape"]) == ("float32", [SIDE, SIDE])
    np.testing.assert_array_equal(straight, straighten(image, rows[:, :2], fast_axis=axis))


def test_found_rows_can_be_sent_back_as_they_came(service, image):
    pilot = np.full_like(image, 90)
    with Client(service.address) as client:
        header, found = client.call("rows", np.stack([image, pilot]))
        assert (header["dtype"], found.shape) == ("float64", (SIDE, 4))
        client.socket.sendall(message(IMAGE | {"rows": SIDE}) + image.tobytes() + found.tobytes())
        np.testing.assert_array_equal(client.receive()[1], straighten(image, found[:, :2]))


def test_over_http(service, image, rows):
    body = message(IMAGE | {"rows": SIDE}) + image.tobytes() + rows.tobytes()
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.address[1]}/call",
        body,
        {"Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(request) as got:
        content = got.read()
    straight = np.frombuffer(content[-4 * image.size :], "<f4").reshape(image.shape)
    np.testing.assert_array_equal(straight, straighten(image, rows[:, :2]))


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"rows": 0}, "protocol", "rows is 0; expected how many rows"),
        ({"rows": True}, "protocol", "rows is True"),
        ({"rows": "40"}, "protocol", "rows is '40'"),
        ({"rows": 65537}, "protocol", "1 to 65536"),
        ({"rows": 40, "dtype": None, "shape": None}, "protocol", "dtype is None"),
        ({"rows": 65536, "shape": [16, 16]}, "too_large", "takes at most 1048576"),
    ],
)
def test_a_number_of_rows_that_is_none(service, changes, code, text):
    error = _answer(service, message(IMAGE | changes))[0]["error"]
    assert (error["code"], text in error["message"]) == (code, True), error


@pytest.mark.parametrize(
    ("changes", "count", "text"),
    [
        ({}, 0, "rows.apply needs the rows of the scan behind the image"),
        ({"rows": SIDE, "call": "denoise"}, SIDE, "denoise takes no rows of a scan"),
        ({"rows": SIDE, "fast_axis": "z"}, SIDE, "fast_axis is 'z'"),
        ({"rows": SIDE - 1}, SIDE - 1, "expected (40, 2)"),
        ({"rows": SIDE, "shape": [1, SIDE, SIDE]}, SIDE, "expected 2-D"),
    ],
)
def test_a_wrong_call_is_told_and_the_connection_goes_on(
    service, image, rows, changes, count, text
):
    with Client(service.address) as client:
        client.socket.sendall(message(IMAGE | changes) + image.tobytes() + rows[:count].tobytes())
        error = client.receive()[0]["error"]
        assert (error["code"], text in error["message"]) == ("value", True), error
        assert "stemzoo" in client.call("hello")[0]


def test_a_live_stream_takes_no_rows(service, image):
    with Client(service.address) as client:
        client.call("live.open", model=None, drift=None)
        client.socket.sendall(message(IMAGE | {"id": 9, "call": "live.push", "rows": SIDE}))
        assert client.receive()[0]["error"]["code"] == "protocol"
