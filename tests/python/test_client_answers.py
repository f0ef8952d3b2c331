"""The client over something that answers as no frame service does."""

import contextlib
import socket
import struct
import threading

import numpy as np
import pytest
import stemzoo_client

from tests.python.frame_client import message


@contextlib.contextmanager
def answering(*answers):
    """A server that gives one connection these answers, whatever is asked, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError), listener.accept()[0] as connection:
                for answer in answers:
                    connection.recv(65536)
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
        (b"STZ1" + struct.pack("<I", 60_000) + b"[" * 60_000, "cannot be read"),
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


DRIFT = {"dy": 1, "dx": 2, "sigma": [0.1, 0.1], "ambiguous": False, "score": 1, "candidates": []}
CALLS = {
    "models": ([{}, {"models": 3}], lambda service: service.models()),
    "status": ([{"status": "well"}], lambda service: service.status()),
    "drift": (
        [{}, {"drift": []}, {"drift": DRIFT}, {"drift": {**DRIFT, "sigma": 1}}, {"error": "no"}],
        lambda service: service.drift(np.eye(32), np.eye(32)),
    ),
    "tracker": ([{}, {"tracker": "first"}], lambda service: service.tracker(np.eye(32))),
    "ncc": ([{}, {"dtype": 1, "shape": 2}], lambda service: service.ncc(np.eye(32), np.eye(32))),
}


@pytest.mark.parametrize(
    ("call", "told"), [(call, told) for call, (told, _) in CALLS.items() for told in told]
)
def test_an_answer_that_makes_no_sense_is_the_one_error(call, told):
    hello = message({"id": 1, "stemzoo": "1.0", "max_frame": 1 << 20})
    with answering(hello, message({"id": 2, **told})) as port:
        service = stemzoo_client.connect(port=port, timeout=10)
        with pytest.raises(stemzoo_client.StemzooError, match="the service at") as lost:
            CALLS[call][1](service)
        assert lost.value.status == "connection"
        with pytest.raises(stemzoo_client.StemzooError, match="the connection is closed"):
            service.models()
