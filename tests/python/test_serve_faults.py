"""What may go wrong with the frame service over days, and what it then says."""

import errno
import os
import socket
import struct
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest

from stemzoo.cli.main import main
from stemzoo.streaming.service import budget, streaming
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State
from tests.python.frame_client import Client, message

FRAME = np.random.default_rng(0).poisson(9, (48, 64)).astype("u2")
PAIR = np.stack([FRAME, FRAME])


@pytest.fixture(scope="module")
def service():
    with Server("127.0.0.1", 0, State(max_frame=4 * MIB)).running() as server:
        yield server


@pytest.fixture
def client(service):
    with Client(service.address) as client:
        yield client


@pytest.mark.parametrize(
    ("call", "frame", "arguments", "text"),
    [
        ("rows", PAIR, {"slow": "x"}, "slow is 'x'; expected a number of rows, 0 or more"),
        ("rows", PAIR, {"slow": None}, "slow is None; expected a number of rows"),
        ("rows", PAIR, {"slow": [1]}, "slow is [1]; expected"),
        ("rows", PAIR, {"slow": 10**400}, "expected a number of rows"),
        ("rows", PAIR, {"reach": ["a", 5]}, "reach is ['a', 5]; expected (y, x), in whole pixels"),
        ("rows", PAIR, {"reach": [0.5, 5]}, "reach is [0.5, 5]; expected (y, x)"),
        ("rows", PAIR, {"reach": None}, "reach is None; expected (y, x)"),
        ("rows", PAIR, {"reach": 7}, "reach is 7; expected (y, x)"),
        ("denoise", FRAME, {"details": "no"}, "details is 'no'; expected true or false"),
        ("restore", FRAME, {"details": 1}, "details is 1; expected true or false"),
        ("denoise", FRAME, {"mean": 1, "std": 10**400}, "expected a positive and finite number"),
        ("live.open", None, {"max_shift": "a"}, "max_shift is 'a'; expected a whole number"),
        ("live.open", None, {"max_shift": True}, "max_shift is True; expected a whole number"),
        ("live.open", None, {"max_shift": 0}, "max_shift is 0; expected a whole number"),
    ],
)
def test_a_wrong_argument_is_named(client, call, frame, arguments, text):
    error = client.refused(call, frame, **arguments)
    assert (error["code"], text in error["message"]) == ("value", True), error
    assert "stemzoo" in client.call("hello")[0]


def test_a_token_that_is_no_text_is_refused():
    running = Server("127.0.0.1", 0, State("0123456789abcdef")).running()
    with running as server, Client(server.address, "\ud800" * 16) as client:
        assert client.refused("denoise", FRAME)["code"] == "unauthorized"
        assert client.receive() is None


def test_a_live_stream_keeps_nothing_of_the_frames_that_are_done(service, monkeypatch):
    pushed = []
    made = streaming._Pushed.__init__
    monkeypatch.setattr(
        streaming._Pushed,
        "__init__",
        lambda self, *given: (made(self, *given), pushed.append(self))[0],
    )
    with Client(service.address) as client:
        client.call("live.open", model=None, drift=None, policy="block", image=False)
        for _ in range(50):
            client.call("live.push", FRAME)
        client.call("live.close")
    assert len(pushed[0]._identities) < 10


def test_a_frame_that_comes_after_the_end_of_a_stream_takes_no_memory():
    """As when the client reads no results while it sends a larger frame."""
    state = State()
    pushed = streaming._Pushed(None, type("S", (), {"state": state})(), {})
    pushed._hold(1000, 1)
    pushed.release()
    with pytest.raises(ConnectionError):
        pushed._hold(5000, 2)
    assert state.budget.taken == 0


@pytest.mark.parametrize("post", [False, True])
def test_a_client_that_sends_all_of_a_frame_too_large_still_reads_why(service, post):
    header = {"version": 1, "id": 1, "call": "denoise", "dtype": "uint8", "shape": [4096, 8192]}
    whole = message(header) + bytes(32 * MIB)
    if post:
        url = "http://{}:{}/call".format(*service.address)
        request = urllib.request.Request(url, whole, {"Content-Type": "application/octet-stream"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=30)
        assert "expected at most" in caught.value.read().decode()
    else:
        with Client(service.address) as client:
            client.socket.sendall(whole)
            assert "larger --max-frame" in client.receive()[0]["error"]["message"]


def test_a_frame_that_will_never_fit_is_not_told_to_wait():
    running = Server("127.0.0.1", 0, State(max_frame=MIB, budget=MIB)).running()
    with running as server, Client(server.address) as client:
        header = {"version": 1, "id": 1, "call": "denoise", "dtype": "uint8"}
        client.socket.sendall(message(header | {"shape": [1024, 1024]}))
        error = client.receive()[0]["error"]
    assert error["code"] == "too_large"
    assert "start it with a larger --memory" in error["message"]


def test_a_frame_that_finds_no_room_now_is_told_to_wait(monkeypatch):
    monkeypatch.setattr(budget, "PATIENCE", 0.01)
    state = State(budget=MIB)
    running = Server("127.0.0.1", 0, state).running()
    with state.budget.lent(MIB), running as server, Client(server.address) as client:
        client.send("denoise", FRAME)
        error = client.receive()[0]["error"]
    assert error["code"] == "busy"
    assert "try again later" in error["message"]


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="no file system of shared memory here")
def test_shared_memory_that_the_computer_has_not(monkeypatch):
    """Written to, memory that was only promised would kill the service."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    state = State()
    with Server("127.0.0.1", 0, state).running() as server:
        before = set(os.listdir("/dev/shm"))
        with Client(server.address) as client:
            client.send("memory.open", bytes=1000)
            error = client.receive()[0]["error"]
        assert set(os.listdir("/dev/shm")) <= before
    assert error["code"] == "busy"
    assert "1000 bytes of shared memory" in error["message"]
    assert state.budget.taken == 0


def test_a_client_that_vanished_is_noticed(service, client):
    client.call("hello")
    for connection in service._open:
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@pytest.mark.parametrize("port", ["99999", "-1", "65536"])
def test_a_port_that_is_none(port, capsys):
    assert main(["serve", "--port", port]) == 1
    assert f"--port is {port}; expected 1 to 65535" in capsys.readouterr().err


def test_a_port_that_is_taken(service, capsys):
    port = str(service.address[1])
    assert main(["serve", "--port", port]) == 1
    message = capsys.readouterr().err
    assert f"127.0.0.1:{port} cannot be listened on" in message
    assert "another --port" in message


def test_http_says_what_went_wrong(service, monkeypatch):
    def broken():
        raise ValueError("the index is damaged")

    monkeypatch.setattr("stemzoo.zoo.catalogue.models", broken)
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(f"http://127.0.0.1:{service.address[1]}/models")
    assert failed.value.code == 500
    assert b"the index is damaged" in failed.value.read()
    failed.value.close()


def test_a_slow_reader_gets_all_of_a_large_result(monkeypatch):
    """Patience is for a message that stands still, not for one on a slow network."""
    from stemzoo.streaming.service.wire import Wire

    here, there = socket.socketpair()
    sent = []
    with here, there:
        wire = Wire(here)
        here.settimeout(0.5)
        image = np.zeros((1500, 2000), "f4")
        sender = threading.Thread(target=lambda: sent.append(wire.send({"id": 1}, image)))
        sender.start()
        (length,) = struct.unpack("<4xI", there.recv(8, socket.MSG_WAITALL))
        left = length + image.nbytes
        pause = threading.Event()
        while left > 0 and (got := there.recv(300_000)):
            left -= len(got)
            pause.wait(0.04)
        sender.join()
    assert (left, sent) == (0, [None])
