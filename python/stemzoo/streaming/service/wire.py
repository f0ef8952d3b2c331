"""A socket that messages are read from and written to, and what a client is told of errors."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from stemzoo.common.errors import StemzooError, reason
from stemzoo.streaming.service.calls import Session
from stemzoo.streaming.service.messages import Refusal, Request, encoded, read_payload

PATIENCE = 30.0  # s for which a message may be on its way

PIECE = 1 << 20  # bytes that are sent within PATIENCE

_log = logging.getLogger(__name__)


class Wire:
    """A socket from which whole messages are read, and to which they are written."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        self._socket = connection
        self._deadline: float | None = None  # none before the first byte of a message

    def begin(self) -> None:
        """What is read next is a new message."""
        self._deadline = None

    def read(self, view: memoryview) -> None:
        """Fills the view. ConnectionError where the other side ends or is too slow."""
        while view:
            try:
                count = self._socket.recv_into(view)
            except TimeoutError:
                count = -1
            if count == 0:
                raise ConnectionError("the other side has closed the connection")
            if count > 0:
                view = view[count:]
                self._deadline = self._deadline or time.monotonic() + PATIENCE
            if self._deadline and time.monotonic() > self._deadline:
                raise ConnectionError(f"a message took more than {PATIENCE:g} s")

    def send(self, header: Mapping[str, Any], pixels: NDArray[Any] | None = None) -> None:
        for part in encoded(header, pixels):
            for start in range(0, len(part), PIECE):  # patience is for each
                self._socket.sendall(part[start : start + PIECE])

    def is_closed(self) -> bool:
        """Whether the other side, of which nothing is expected now, has gone."""
        self._socket.setblocking(False)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self._socket.settimeout(PATIENCE)


def payload_of(wire: Wire, session: Session, request: Request) -> tuple[NDArray[Any], ...]:
    """The pixels of a request, and rows where there are any, from wherever they are."""
    if request.layout is None:
        return ()
    if not request.in_memory:
        return read_payload(wire.read, request.layout)
    if session.segment is None:
        raise Refusal("value", "there is no shared memory; open it with memory.open", request.id)
    return session.segment.payload(request.layout, request.id)


def refusal_of(error: Exception, request: Request | None) -> Refusal:
    """What a client is told of what went wrong with its request."""
    identity = request.id if request else None
    if isinstance(error, Refusal):
        return Refusal(
            error.code, str(error), identity if error.identity is None else error.identity
        )
    if isinstance(error, ValueError | TypeError):
        return Refusal("value", reason(error), identity)
    if isinstance(error, StemzooError):
        return Refusal("model", reason(error), identity)
    if isinstance(error, MemoryError):
        return Refusal("busy", "there is no memory left; try again later", identity)
    _log.error("a request failed", exc_info=error)
    return Refusal("internal", "the service has failed at this; its log says more", identity)


def as_header(refusal: Refusal) -> dict[str, Any]:
    return {
        "id": refusal.identity,
        "error": {"code": refusal.code, "message": str(refusal)[:2000]},
    }
