"""The client of one file gets from the frame service what a direct call gives."""

import array
import contextlib
import math
import socket
import struct
import threading

import numpy as np
import pytest
import stemzoo_client
from moving_specimens import crystal, pair, particle

import stemzoo
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State

TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def address():
    with Server("127.0.0.1", 0, State(max_frame=4 * MIB)).running() as server:
        yield server.address


@pytest.fixture
def service(address):
    with stemzoo_client.connect(*address) as service:
        yield service


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(0).poisson(9, (48, 64)).astype("u2")


def test_what_there_is(service):
    assert service.version == stemzoo.__version__
    assert {"denoise-live", "drift-lattice"} <= {model["name"] for model in service.models()}
    assert service.status()["connections"]["open"] >= 1


def test_an_image_is_denoised_as_by_a_direct_call(service, frame):
    direct = stemzoo.denoise(frame, model="denoise-live")
    clean = service.denoise(frame, model="denoise-live")
    assert type(clean) is np.ndarray
    np.testing.assert_array_equal(clean, direct)
    np.testing.assert_array_equal(
        service.denoise(frame[::-1, ::-1][::-1], "denoise-live"),
        stemzoo.denoise(frame[:, ::-1], "denoise-live"),
    )
    flat = stemzoo_client.image(array.array("H", frame.ravel().tolist()), frame.shape, "uint16")
    assert service.denoise(flat, model="denoise-live").tolist() == direct.tolist()


def test_a_stack_and_settings(service, frame):
    stack = np.stack([frame, frame[::-1]])
    settings = {"model": "denoise-live", "mean": 9.0, "std": 3.0}
    direct = stemzoo.denoise(stack, **settings)
    wide = np.zeros((2, 48, 100), "f4")
    assert service.denoise(stack, out=wide[:, :, 10:74], **settings) is not None
    np.testing.assert_array_equal(wide[:, :, 10:74], direct)
    assert not wide[:, :, :10].any()


def test_restoring(service, frame):
    direct = stemzoo.restore(frame, fast_axis="x")
    np.testing.assert_array_equal(service.restore(frame, fast_axis="x"), direct)


def told(direct):
    return (
        (direct.dy, direct.dx, direct.sigma),
        (direct.ambiguous, direct.score, direct.probability, direct.reason),
    )


@pytest.mark.parametrize("model", ["drift-lattice", None])
def test_drift(service, model):
    for specimen in (particle(), crystal()):
        frames = pair(specimen, (3.25, -2.5))
        found = service.drift(*frames, model=model, max_shift=20)
        direct = stemzoo.drift(*frames, model, max_shift=20)
        assert told(found) == told(direct)
        assert found.candidates == tuple(tuple(other) for other in direct.candidates)


def test_nothing_known_comes_as_nan(service):
    blank = np.zeros((64, 64), "u2")
    found = service.drift(blank, blank)
    assert math.isnan(found.dy)
    assert found.sigma == (math.inf, math.inf)
    assert found.ambiguous


def test_a_tracker(service):
    still, moved = pair(particle(), (2.0, 1.0))
    direct = stemzoo.DriftTracker(still, None)
    with service.tracker(still, model=None) as tracker:
        for number, frame in enumerate((still, moved, moved)):
            assert told(tracker.push(frame, time=number)) == told(direct.push(frame, time=number))
        expected = direct.predict(time=3)
        assert tracker.predict(time=3) == (expected.dy, expected.dx, expected.sigma)
    with pytest.raises(stemzoo_client.ArgumentError, match="tracker"):
        tracker.push(moved)


def test_refusals_are_sentences_and_the_connection_stays(service, frame):
    with pytest.raises(stemzoo_client.StemzooError, match="denoise-none") as refused:
        service.denoise(frame, model="denoise-none")
    assert refused.value.status == "model"
    with pytest.raises(stemzoo_client.ArgumentError, match="std") as refused:
        service.denoise(frame, model="denoise-live", mean=1.0)
    assert refused.value.status == "value"
    with pytest.raises(stemzoo_client.ArgumentError, match="has a mask"):
        service.denoise(np.ma.masked_equal(frame, 3))
    with pytest.raises(stemzoo_client.ArgumentError, match="expected two alike"):
        service.drift(frame, frame[:10])
    assert service.version == stemzoo.__version__
    assert service.models()


def test_a_frame_beyond_the_limit_is_not_sent(service, frame):
    large = np.zeros((2048, 2048), "f4")
    with pytest.raises(stemzoo_client.ArgumentError, match=r"16777216 bytes, .* takes 4194304"):
        service.denoise(large, model="denoise-live")
    assert service.drift(frame, frame, model=None).dy == pytest.approx(0, abs=0.01)


def test_what_the_service_refuses_ends_the_connection(service, frame):
    service._most = None
    with pytest.raises(stemzoo_client.StemzooError) as refused:
        service.denoise(np.zeros((2048, 2048), "f4"), model="denoise-live")
    assert refused.value.status in ("too_large", "connection")
    with pytest.raises(stemzoo_client.StemzooError) as refused:
        service.models()
    assert refused.value.status == "connection"


def test_a_service_with_no_place_says_so():
    full = Server("127.0.0.1", 0, State(), connections=1).running()
    with full as server, stemzoo_client.connect(*server.address):
        with pytest.raises(stemzoo_client.StemzooError) as refused:
            stemzoo_client.connect(*server.address)
        assert refused.value.status in ("busy", "connection")


def test_a_token_is_asked_for():
    with Server("127.0.0.1", 0, State(token=TOKEN)).running() as server:
        for token in (None, "wrong" * 5):
            with pytest.raises(stemzoo_client.StemzooError) as refused:
                stemzoo_client.connect(*server.address, token=token)
            assert refused.value.status == "unauthorized"
        with stemzoo_client.connect(*server.address, token=TOKEN) as service:
            assert service.models()


def test_threads_take_turns(service, frame):
    direct = stemzoo.denoise(frame, model="denoise-live")
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(service.denoise(frame, "denoise-live")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all((result == direct).all() for result in results)


@contextlib.contextmanager
def answering(answer):
    """A server that gives everybody the same answer, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no stemzoo service"),
        (b"STZ1" + struct.pack("<I", 2**32 - 1), "no stemzoo service"),
        (b"STZ1" + struct.pack("<I", 4) + b"nonsense", "service at 127.0.0.1"),
        (b"STZ1" + struct.pack("<I", 2) + b"{}", "service at 127.0.0.1"),
        (b"STZ1" + struct.pack("<I", 2) + b"[]", "service at 127.0.0.1"),
        (b"STZ1" + struct.pack("<I", 9) + b'{"id": 7}', "answer 7 came to request 1"),
        (b"STZ1" + struct.pack("<I", 9) + b'{"id": 1}', "no stemzoo service"),
        (b"STZ", "closed the connection"),
        (b"", "closed the connection"),
    ],
)
def test_what_is_no_service_is_said(answer, words):
    with answering(answer) as port, pytest.raises(stemzoo_client.StemzooError, match=words) as lost:
        stemzoo_client.connect(port=port, timeout=10)
    assert lost.value.status == "connection"


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(stemzoo_client.StemzooError, match=f"the service at 127.0.0.1:{port}"):
        stemzoo_client.connect(port=port)
