"""The service on a socket: frames and HTTP on one port, told apart by the first byte."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from stemzoo.streaming.service.calls import Session
from stemzoo.streaming.service.connection import serve_frames
from stemzoo.streaming.service.messages import MAGIC, Refusal, encoded
from stemzoo.streaming.service.pages import Page
from stemzoo.streaming.service.state import State
from stemzoo.streaming.service.wire import PATIENCE, PIECE, Wire, as_header

PORT = 7836  # STEM on the keys of a telephone
CONNECTIONS = 64
GRACE = 5.0  # s that requests in work have when the service stops
SHORTEST_TOKEN = 16
SILENCE = 5.0  # s for which an answered client may send nothing before it is hung up on

_log = logging.getLogger(__name__)


class Server(socketserver.ThreadingTCPServer):
    """Listens from the moment it is made; `running` answers."""

    allow_reuse_address = os.name == "posix"  # elsewhere two programs would share the port
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, state: State, connections: int = CONNECTIONS) -> None:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        self.address_family, _, _, _, address = found[0]
        require_token(host, str(address[0]), state)
        self.state = state
        self._most = connections
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        try:
            super().__init__((str(address[0]), int(address[1])), _Connection)
        except OSError as error:
            raise OSError(
                f"{host}:{port} cannot be listened on ({error}); give another --port, or stop the "
                "program that has this one"
            ) from error

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.server_address[:2]
        return str(host), int(port)

    @contextlib.contextmanager
    def running(self) -> Iterator[Server]:
        """Answers in the background, and stops in order at the end of the block."""
        thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="stemzoo-serve")
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()
            self._part()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.state.count("accepted")
        with self._changed:
            if len(self._open) < self._most:
                self._open.add(request)
                self.state.count("open")
                return True
        self.state.count("refused")
        _refuse(request, self._most)
        return False

    def shutdown_request(self, request: Any) -> None:
        with self._changed:
            if request in self._open:
                self._open.remove(request)
                self.state.count("open", -1)
                self._changed.notify_all()
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What went wrong with one connection, such as one that broke off, ends that alone."""
        self.state.count("broken")
        if not isinstance(sys.exception(), OSError):
            _log.exception("a connection failed")

    def _part(self) -> None:
        """No more requests come in; those in work are answered, if they do not take too long."""
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
            self._changed.wait_for(lambda: not self._open, GRACE)
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, GRACE)


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _notice_silence(connection)
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return
        assert isinstance(self.server, Server)
        local = _is_loopback(str(self.client_address[0]))
        session = Session(self.server.state, local)
        if first == MAGIC[:1]:
            serve_frames(Wire(connection), session)
        elif first:
            Page(connection, self.client_address, session)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            _let_finish(self.request)


def _let_finish(connection: socket.socket) -> None:
    """Reads what the client still sends: left unread, it resets the connection, and the client
    loses the answer."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(SILENCE)
    deadline = time.monotonic() + PATIENCE
    while connection.recv(PIECE) and time.monotonic() < deadline:
        pass


def _notice_silence(connection: socket.socket) -> None:
    """Has the system find out within minutes that the other computer has vanished."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        with contextlib.suppress(AttributeError, OSError):  # where the system lets that be chosen
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def require_token(host: str, address: str, state: State) -> None:
    if not state.needs_token and not _is_loopback(address):
        raise ValueError(
            f"host is {host}, which others can reach, and there is no token; give one with "
            "--token-file FILE, or listen on 127.0.0.1 alone"
        )


def checked_token(token: str) -> str:
    """The token; ValueError for one that could be guessed or not be typed."""
    if (
        len(token) < SHORTEST_TOKEN
        or not token.isascii()
        or not token.isprintable()
        or " " in token
    ):
        raise ValueError(
            f"the token has {len(token)} characters; expected at least {SHORTEST_TOKEN}, printable "
            "ASCII without spaces, such as python -c 'import secrets; print(secrets.token_hex())' "
            "gives"
        )
    return token


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _refuse(connection: socket.socket, most: int) -> None:
    told = as_header(
        Refusal("busy", f"there are {most} connections, as many as there may be; try again later")
    )
    connection.setblocking(False)
    with contextlib.suppress(OSError):
        connection.send(b"".join(encoded(told)))
