"""Live streams through the frame service."""

import threading

import numpy as np
import pytest

import stemzoo
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import State
from stemzoo.streaming.watching import watch_service
from tests.python.frame_client import Client


@pytest.fixture
def service():
    with Server("127.0.0.1", 0, State()).running() as server:
        yield server


def _frame(number, shape=(32, 40)):
    return np.random.default_rng(number).poisson(9, shape).astype("f4")


def test_every_frame_of_a_blocking_stream_comes_back_in_order(service):
    with Client(service.address) as client:
        opened, _ = client.call("live.open", drift="classical", policy="block")
        assert opened["name"] == "live"
        client.last = 100
        ids = [client.send("live.push", _frame(number)) for number in range(6)]
        for number, identity in enumerate(ids):
            header, image = client.receive()
            assert (header["call"], header["id"], header["frame"]) == (
                "live.result",
                identity,
                number,
            )
            assert (header["dropped"], header["reference"]) == (0, 0)
            assert header["drift"].keys() >= {"dy", "dx", "sigma", "ambiguous", "resolved"}
            np.testing.assert_array_equal(image, stemzoo.denoise(_frame(number), "denoise-live"))
        closed, _ = client.call("live.close")
        counts = {name: closed["statistics"][name] for name in ("received", "delivered", "dropped")}
        assert counts == {"received": 6, "delivered": 6, "dropped": 0}
        assert "stemzoo" in client.call("hello")[0]


def test_a_bad_frame_has_an_error_and_the_stream_goes_on(service):
    with Client(service.address) as client:
        client.call("live.open", drift=None, policy="block", image=False)
        bad = _frame(0)
        bad[3, 3] = np.inf
        first, second = client.send("live.push", bad), client.send("live.push", _frame(1))
        header, _ = client.receive()
        assert (header["id"], header["error"]["code"]) == (first, "value")
        header, image = client.receive()
        assert (header["id"], image, header["drift"]) == (second, None, None)
        assert client.call("live.close")[0]["statistics"]["failed"] == 1


def test_a_client_that_does_not_read_has_drops_counted(service):
    with Client(service.address) as client:
        client.call("live.open", model=None, drift=None, policy="newest")
        frame = np.zeros((700, 700), "f4")
        for _ in range(40):
            client.send("live.push", frame)
        closing = client.send("live.close")
        ids = []
        while (header := client.receive()[0])["call"] == "live.result":
            ids.append(header["id"])
        counted = header["statistics"]
        assert header["id"] == closing
        assert ids == sorted(set(ids))
        assert counted["received"] == 40
        assert counted["delivered"] == len(ids)
        assert counted["delivered"] + counted["dropped"] == 40


def test_spectators_see_what_goes_on(service):
    seen, ready = [], threading.Event()

    def watch():
        with Client(service.address) as spectator:
            spectator.call("live.watch", name="scan", what="frame")
            ready.set()
            while (answer := spectator.receive())[0]["call"] == "live.frame":
                seen.append(answer)

    with Client(service.address) as client:
        client.call("live.open", name="scan", drift=None, policy="block")
        thread = threading.Thread(target=watch)
        thread.start()
        assert ready.wait(10)
        for number in range(5):
            client.call("live.push", _frame(number))
        client.call("live.close")
        thread.join(10)
    frames = [header["frame"] for header, _ in seen]
    assert frames == sorted(set(frames))
    assert frames[-1] == 4
    assert len(frames) + seen[-1][0]["missed"] == 5 or frames[0] > 0
    np.testing.assert_array_equal(seen[-1][1], _frame(4))


def test_the_service_as_the_source_of_a_stream(service):
    """What one program pushes, another works on."""
    seen = []

    def follow(source):
        stemzoo.live(source, seen.append, model=None, drift="classical", policy="block")

    with Client(service.address) as client:
        client.call("live.open", model=None, drift=None, policy="block")
        source = watch_service(*service.address)
        thread = threading.Thread(target=follow, args=(source,))
        thread.start()
        for number in range(5):
            client.call("live.push", _frame(number))
        client.call("live.close")
        thread.join(10)
    assert not thread.is_alive()
    np.testing.assert_array_equal(seen[-1].image, _frame(4))
    assert seen[-1].source.metadata["frame"] == 4


def test_a_stream_that_there_is_not(service):
    with pytest.raises(ValueError, match="there is no stream 'live'; there are: none"):
        watch_service(*service.address)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": "oldest"}, "policy is 'oldest'"),
        ({"name": "a/b"}, "name is 'a/b'"),
        ({"model": "/tmp/a.onnx"}, "model is '/tmp/a.onnx'"),
        ({"image": 1}, "image is 1"),
        ({"colour": 1}, "live.open has no argument 'colour'"),
    ],
)
def test_a_stream_that_cannot_be_opened(service, arguments, message):
    with Client(service.address) as client:
        assert message in client.refused("live.open", **arguments)["message"]
        assert "stemzoo" in client.call("hello")[0]


def test_two_streams_of_one_name(service):
    with Client(service.address) as client, Client(service.address) as other:
        client.call("live.open", model=None, drift=None)
        assert "live already" in other.refused("live.open", model=None)["message"]


def test_ids_must_rise(service):
    with Client(service.address) as client:
        client.call("live.open", model=None, drift=None, policy="block")
        client.call("live.push", _frame(0))
        client.last -= 1
        client.send("live.push", _frame(1))
        assert "ids must rise" in client.receive()[0]["error"]["message"]
        assert client.receive() is None
