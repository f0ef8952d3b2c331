"""What a client may do to the frame service, by mistake or not, without harm to the others."""

import contextlib
import json
import random
import socket
import struct
import time

import numpy as np
import pytest

from stemzoo.streaming.service import pages, server, wire
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State
from tests.python.frame_client import Client, message

LIMIT = 4 * MIB
FRAME = {"version": 1, "id": 1, "call": "denoise", "dtype": "uint8", "shape": [64, 64]}


@pytest.fixture(scope="module")
def service():
    with Server("127.0.0.1", 0, State(max_frame=LIMIT), connections=32).running() as server:
        yield server


@pytest.fixture(autouse=True)
def others_are_served(service):
    """After each test nothing is left of it."""
    yield
    with contextlib.closing(Client(service.address)) as client:
        image = np.random.default_rng(0).poisson(9, (64, 64)).astype("f4")
        assert client.call("denoise", image, model="denoise-live")[1].shape == (64, 64)
        for _ in range(1000):  # a connection that was broken off may take a moment to end
            if client.call("status")[0]["status"]["bytes_in_work"] == 0:
                return
            time.sleep(0.01)
        pytest.fail("memory of a client that has gone is still taken")


def _sent(service, content):
    """The error that answers `content`, after which the server hangs up."""
    with Client(service.address) as client:
        client.socket.sendall(content)
        header, _ = client.receive()
        assert client.receive() is None
        return header["error"]


def _changed(**changes):
    return message({key: value for key, value in (FRAME | changes).items() if value is not None})


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        (b"STZ1" + struct.pack("<I", 0xFFFFFFFF), "protocol", "4294967295 bytes; expected 2 to"),
        (b"STZ1" + struct.pack("<I", 65537), "protocol", "65537 bytes"),
        (b"STZ1" + struct.pack("<I", 0), "protocol", "0 bytes"),
        (b"STZ2" + struct.pack("<I", 2) + b"{}", "protocol", "begins with b'STZ2'"),
        (b"STZ1" + struct.pack("<I", 4) + b"\xff\xfe{}", "protocol", "no JSON"),
        (b"STZ1" + struct.pack("<I", 60000) + b"[" * 60000, "protocol", "no JSON"),
        (message([1, 2]), "protocol", "no JSON object"),
        (_changed(version=2), "protocol", "version is 2"),
        (_changed(version=True), "protocol", "version is True"),
        (_changed(id=None), "protocol", "id is None"),
        (_changed(id=-1), "protocol", "id is -1"),
        (_changed(id=1 << 60), "protocol", "id is 1152921504606846976"),
        (_changed(call=None), "protocol", "call is NoneType"),
        (_changed(token=7), "protocol", "token is int"),
        (_changed(dtype="object"), "protocol", "dtype is 'object'"),
        (_changed(dtype="complex64"), "protocol", "dtype is 'complex64'"),
        (_changed(shape=None), "protocol", "shape is None"),
        (_changed(shape=[64]), "protocol", "shape is [64]"),
        (_changed(shape=[0, 64]), "protocol", "shape is [0, 64]"),
        (_changed(shape=[64, -1]), "protocol", "shape is [64, -1]"),
        (_changed(shape=[64, 1e3]), "protocol", "shape is [64, 1000.0]"),
        (_changed(shape=[True, 64]), "protocol", "shape is [True, 64]"),
        (_changed(shape=[1 << 32, 1]), "protocol", "from 1 to 65536"),
        (_changed(shape=[65536, 65536]), "too_large", "takes 4294967296 bytes"),
        (_changed(shape=[65536, 65536, 65536], dtype="float64"), "too_large", "takes at most"),
        (_changed(memory=True, dtype=None, shape=None), "protocol", "memory needs the dtype"),
        (_changed(call="live.open"), "protocol", "live.open takes no frame"),
    ],
)
def test_a_message_that_is_none(service, content, code, text):
    error = _sent(service, content)
    assert error["code"] == code
    assert text in error["message"]


def test_a_constant_that_is_no_json(service):
    text = b'{"version": 1, "id": 1, "call": "denoise", "mean": NaN}'
    error = _sent(service, b"STZ1" + struct.pack("<I", len(text)) + text)
    assert "NaN is no JSON" in error["message"]


@pytest.mark.parametrize("kept", [1, 6, 20, 200, 2000])
def test_a_client_that_goes_in_the_middle_of_a_message(service, kept):
    content = message(FRAME) + bytes(4096)
    with socket.create_connection(service.address) as connection:
        connection.sendall(content[:kept])


def test_a_client_that_goes_in_the_middle_of_a_stream(service):
    with Client(service.address) as client:
        client.call("live.open", model=None, drift=None)
        client.call("live.push", np.zeros((32, 32), "f4"))
        client.socket.sendall(message(FRAME | {"call": "live.push", "id": 99})[:30])
    with Client(service.address) as client:  # the name is free again, at once or soon
        while "error" in client.call("live.open", model=None, drift=None)[0]:
            pass


@pytest.mark.parametrize("seed", range(5))
def test_garbage(service, seed):
    content = random.Random(seed).randbytes(5000)
    for start in (b"", b"STZ1", b"GET ", b"POST /call HTTP/1.1\r\n"):
        with socket.create_connection(service.address) as connection:
            connection.settimeout(20)
            with contextlib.suppress(OSError):
                connection.sendall(start + content)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999999999", str(LIMIT * 2), ""])
def test_a_body_of_a_length_that_is_none(service, length):
    head = (
        "POST /call HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    with socket.create_connection(service.address) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(100)


@pytest.mark.parametrize("call", ["tracker.push", "memory.open"])
def test_calls_that_need_a_connection(service, call):
    body = message({"version": 1, "id": 1, "call": call})
    head = (
        "POST /call HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(service.address) as connection:
        connection.sendall(head.encode() + body)
        with connection.makefile("rb") as stream:
            content = stream.read()
    answer = json.loads(content[content.index(b"STZ1") + 8 :])
    assert answer["error"]["code"] == "value"


def test_more_connections_than_there_may_be(service):
    clients = [Client(service.address) for _ in range(200)]
    try:
        told = [client.receive() for client in clients[40:]]  # the others wait for a request
        assert {header["error"]["code"] for header, _ in told} == {"busy"}
        assert "stemzoo" in clients[0].call("hello")[0]
    finally:
        for client in clients:
            client.close()
    served = False
    while not served:  # until those that were closed are counted out
        with contextlib.suppress(OSError), Client(service.address) as client:
            client.send("hello")
            served = "stemzoo" in client.receive()[0]


@pytest.fixture
def impatient(monkeypatch):
    for module in (pages, server, wire):
        monkeypatch.setattr(module, "PATIENCE", 0.1)


def test_a_client_that_dribbles(service, impatient):
    with Client(service.address) as client:
        client.socket.sendall(b"STZ1")
        assert client.receive() is None


def _dribble(connection):
    """Each byte comes in time, the whole never does."""
    for _ in range(1000):
        connection.sendall(b"a")
        time.sleep(0.02)


@pytest.mark.parametrize(
    "start", [b"GET /", b"GET / HTTP/1.0\r\nHost: localhost\r\nX: ", b"POST /call HTTP/1.0\r\n"]
)
def test_a_client_that_dribbles_over_http(service, impatient, start):
    with socket.create_connection(service.address, 10) as connection:
        connection.sendall(start)
        with pytest.raises(ConnectionError):
            _dribble(connection)


def test_a_client_that_is_idle_between_messages(service, impatient):
    with Client(service.address) as client:
        for _ in range(2):
            client.call("hello")
            time.sleep(0.3)


def test_a_spectator_that_does_not_read_slows_nobody_down(service):
    frame = np.zeros((900, 900), "f4")
    with Client(service.address) as client, Client(service.address) as spectator:
        client.call("live.open", model=None, drift=None, policy="block", image=False)
        spectator.call("live.watch")
        for _ in range(40):
            client.call("live.push", frame)
        assert client.call("live.close")[0]["statistics"]["delivered"] == 40


def test_more_trackers_than_a_connection_may_have(service):
    frame = np.random.default_rng(0).poisson(9, (16, 16)).astype("u1")
    with Client(service.address) as client:
        for _ in range(16):
            client.call("tracker.open", frame, model=None)
        assert "16 trackers already" in client.refused("tracker.open", frame)["message"]


def test_more_memory_than_there_is(service):
    with Client(service.address) as client:
        error = client.refused("memory.open", bytes=LIMIT + 1)
        assert "bytes is" in error["message"]


def test_a_frame_for_which_there_is_no_room():
    state = State(max_frame=LIMIT, budget=MIB)
    with Server("127.0.0.1", 0, state).running() as server:
        error = _sent(server, _changed(shape=[1024, 1024]))
        assert error["code"] == "too_large"
        assert "needs 9437184 bytes" in error["message"]
