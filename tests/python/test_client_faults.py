"""What a host may do to the client, and a network to its connection, and the words it then gets."""

import contextlib
import json
import socket
import struct
import threading

import client_library
import numpy as np
import pytest
import stemzoo_client
from moving_specimens import pair, particle

from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State


@pytest.fixture
def library(monkeypatch):
    opened = stemzoo_client.Library(str(client_library.built()))
    monkeypatch.setattr(stemzoo_client, "_opened", opened)


@pytest.fixture(scope="module")
def address():
    with Server("127.0.0.1", 0, State(max_frame=MIB)).running() as server:
        yield server.address


@pytest.fixture(scope="module")
def frames():
    return [np.round(60 * frame).astype("u2") for frame in pair(particle(), (3.0, -2.0))]


def message(header):
    text = json.dumps(header).encode()
    return b"STZ1" + struct.pack("<I", len(text)) + text


HELLO = message({"version": 1, "id": 1, "stemzoo": "0.1.0", "max_frame": MIB})


@contextlib.contextmanager
def answering(*answers, asked=None):
    """A service that gives these answers to the first requests, and none to the others."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with listener.accept()[0] as connection:
                for answer in answers:
                    connection.recv(65536)
                    connection.sendall(answer)
                if asked is not None:
                    connection.recv(65536)
                    asked.set()
                over.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


def test_numpy_integers_are_integers(library, frames):
    eight = np.int64(8)
    found = stemzoo_client.drift(*frames, max_shift=eight, threads=np.int32(1))
    assert found == stemzoo_client.drift(*frames, max_shift=8, threads=1)
    expected = stemzoo_client.ncc(*frames, max_shift=8)
    np.testing.assert_array_equal(stemzoo_client.ncc(*frames, max_shift=eight), expected)
    np.testing.assert_array_equal(stemzoo_client.ncc(*frames, max_shift=(eight, 8)), expected)
    shape = tuple(np.array(frames[0].shape))
    assert stemzoo_client.Estimator(shape, max_shift=8).run(*frames) == found


@pytest.mark.parametrize("most", [1.5, True, "8", (1, 2, 3), (1, -1), None, -1, (1, None)])
def test_a_max_shift_that_is_none_is_said(library, address, frames, most):
    with pytest.raises(stemzoo_client.ArgumentError, match="max_shift is "):
        stemzoo_client.ncc(*frames, max_shift=most)
    raises = pytest.raises(stemzoo_client.ArgumentError, match="max_shift is ")
    with stemzoo_client.connect(*address) as service, raises:
        service.ncc(*frames, max_shift=most)


@pytest.mark.parametrize("reach", [(-1, 5), (0, 1.5), 5, (1, 2, 3), "ab", (0, None), (0, 0)])
def test_a_reach_that_is_none_is_said(library, address, frames, reach):
    with pytest.raises(stemzoo_client.ArgumentError, match="reach"):
        stemzoo_client.find_rows(*frames, reach=reach)
    raises = pytest.raises(stemzoo_client.ArgumentError, match="reach")
    with stemzoo_client.connect(*address) as service, raises:
        service.find_rows(*frames, reach=reach)


@pytest.mark.parametrize("settings", [{"slow": 0}, {"slow": None}, {"reach": None}, {"slow": 7}])
def test_rows_are_found_alike_by_library_and_service(library, address, frames, settings):
    image = np.stack([np.roll(row, (-1) ** y) for y, row in enumerate(frames[0])])
    with stemzoo_client.connect(*address) as service:
        assert service.find_rows(image, frames[0], **settings) == stemzoo_client.find_rows(
            image, frames[0], **settings
        )


def test_slow_0_leaves_nothing_to_the_specimen(library, frames):
    image = np.stack([np.roll(row, (-1) ** y) for y, row in enumerate(frames[0])])
    nothing = stemzoo_client.find_rows(image, frames[0], slow=None)
    assert stemzoo_client.find_rows(image, frames[0], slow=0) == nothing
    with pytest.raises(stemzoo_client.ArgumentError, match="slow is"):
        stemzoo_client.find_rows(image, frames[0], slow=-1)


def test_a_mask_of_one_row_is_a_mask(library, frames):
    row = np.arange(frames[0].shape[1]) < 9
    mask = np.broadcast_to(row, frames[0].shape)
    whole = stemzoo_client.image(frames[0], mask=np.ascontiguousarray(mask))
    broadcast = stemzoo_client.image(frames[0], mask=mask)
    assert stemzoo_client.drift(broadcast, frames[1]) == stemzoo_client.drift(whole, frames[1])


def test_memory_that_was_released_is_called_so(library, frames):
    view = memoryview(frames[0])
    view.release()
    with pytest.raises(stemzoo_client.ArgumentError, match=r"image cannot be read .*released"):
        stemzoo_client.find_rows(view, frames[0], reach=(0, 5))


def test_what_is_closed_says_what_to_do(library, frames):
    estimator = stemzoo_client.Estimator(frames[0].shape)
    estimator.close()
    with pytest.raises(stemzoo_client.ArgumentError, match="estimator is closed; make another"):
        estimator.run(*frames)


@pytest.mark.parametrize("port", [99999, 0, -1, 1 << 70])
def test_a_port_that_is_none(port):
    with pytest.raises(stemzoo_client.ArgumentError, match=f"port is {port}; expected 1 to 65535"):
        stemzoo_client.connect(port=port)


def test_closing_does_not_wait_for_an_answer():
    asked, lost = threading.Event(), []

    def call(service):
        try:
            service.models()
        except stemzoo_client.StemzooError as error:
            lost.append(error)

    with answering(HELLO, asked=asked) as port:
        service = stemzoo_client.connect(port=port, timeout=None)
        caller = threading.Thread(target=call, args=(service,), daemon=True)
        caller.start()
        assert asked.wait(10)
        closer = threading.Thread(target=service.close, daemon=True)
        closer.start()
        closer.join(10)
        caller.join(10)
        assert not closer.is_alive()
        assert not caller.is_alive()
    assert lost[0].status == "connection"
    assert "the connection is closed; connect again" in str(lost[0])


def test_a_call_of_another_thread_does_not_wait_for_a_stream(address, frames):
    refused, streaming, over = [], threading.Event(), threading.Event()

    def call():
        streaming.wait(10)
        try:
            service.models()
        except stemzoo_client.StemzooError as error:
            refused.append(str(error))
        over.set()

    def source():
        yield frames[0]
        streaming.set()
        assert over.wait(10), "the call waits"

    with stemzoo_client.connect(*address) as service:
        thread = threading.Thread(target=call)
        thread.start()
        service.live(source(), lambda result: None, model=None, drift=None, policy="block")
        thread.join()
        assert service.models()
    assert "open another one" in refused[0]


def test_a_result_too_large_for_shared_memory_comes_by_the_socket(address):
    frame = np.random.default_rng(0).poisson(9, (700, 700)).astype("u1")  # float32: 1.9 MiB
    with stemzoo_client.connect(*address) as service:
        direct = service.denoise(frame, "denoise-live")
    with stemzoo_client.connect(*address, shared_memory=True) as service:
        np.testing.assert_array_equal(service.denoise(frame, "denoise-live"), direct)


@pytest.mark.parametrize("answer", [{}, {"memory": "x"}, {"memory": 5, "bytes": None}])
def test_memory_that_is_none(answer, frames):
    told = message({"version": 1, "id": 2, **answer})
    with answering(HELLO, told) as port:
        service = stemzoo_client.connect(port=port, timeout=10, shared_memory=True)
        with pytest.raises(stemzoo_client.StemzooError, match="the service at") as lost:
            service.drift(*frames)
        assert lost.value.status == "connection"
        service.close()


def test_an_answer_that_does_not_come():
    with answering(HELLO, asked=threading.Event()) as port:
        service = stemzoo_client.connect(port=port, timeout=0.2)
        with pytest.raises(stemzoo_client.StemzooError, match=r"no answer within 0\.2 s; "):
            service.models()


def test_a_service_that_was_restarted(frames):
    with Server("127.0.0.1", 0, State()).running() as server:
        service = stemzoo_client.connect(*server.address)
    for _ in range(2):
        with pytest.raises(stemzoo_client.StemzooError, match="connect again") as lost:
            service.drift(*frames, model=None)
        assert lost.value.status == "connection"


def test_a_vanished_service_is_noticed(address):
    """By the operating system, while a live stream waits for frames."""
    with stemzoo_client.connect(*address) as service:
        assert service._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
