"""The frames of a stream that goes through a frame service, as a source."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from stemzoo.common.errors import StemzooError
from stemzoo.io.micrograph import Micrograph
from stemzoo.streaming.service.messages import Refusal, encoded, read_answer

CONNECTING = 10.0  # s


def watch_service(
    host: str = "127.0.0.1",
    port: int = 7836,
    name: str = "live",
    *,
    what: str = "frame",
    token: str = "",
) -> Iterator[Micrograph]:
    """What others push into the stream `name` of the service at `host` and `port`, until it ends.

    `what` is "frame" for the frames as they were pushed or "result" for what the service made of
    them. Who works too slowly on them misses some; `metadata` has the number of each as `frame`,
    how many were `missed`, and the `drift`. Raises ValueError where there is no such stream.
    """
    connection = socket.create_connection((host, port), CONNECTING)
    try:
        header = {"id": 0, "call": "live.watch", "name": name, "what": what, "token": token}
        for part in encoded(header):
            connection.sendall(part)
        told, _ = _answer(connection)
    except BaseException:
        connection.close()
        raise
    if "error" in told:
        connection.close()
        raise ValueError(told["error"]["message"])
    connection.settimeout(None)  # frames come when they come
    return _watched(connection)


def _watched(connection: socket.socket) -> Iterator[Micrograph]:
    with connection:
        while True:
            told, pixels = _answer(connection)
            if "error" in told:
                raise StemzooError(f"the service says: {json.dumps(told['error'])}")
            if pixels is None:
                return
            metadata = {name: told.get(name) for name in ("frame", "missed", "drift")}
            yield Micrograph(pixels, metadata=metadata)


def _answer(connection: socket.socket) -> tuple[dict[str, Any], NDArray[Any] | None]:
    def read(view: memoryview) -> None:
        while view:
            count = connection.recv_into(view)
            if not count:
                raise ConnectionError("the service has closed the connection")
            view = view[count:]

    try:
        return read_answer(read)
    except Refusal as error:
        raise StemzooError(f"what came is no answer of a frame service: {error}") from error
