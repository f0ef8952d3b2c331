"""What the service says over HTTP: a page to look at, its state as JSON, single calls."""

from __future__ import annotations

import base64
import binascii
import io
import json
import socket
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import stemzoo
from stemzoo.common.errors import EXPECTED, reason
from stemzoo.streaming.service.budget import cost
from stemzoo.streaming.service.calls import CALLS, Session, answer
from stemzoo.streaming.service.messages import (
    HEAD,
    LONGEST_HEADER,
    Refusal,
    Request,
    encoded,
    read_payload,
    read_request,
)
from stemzoo.streaming.service.wire import PATIENCE, as_header, refusal_of

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_JSON = "application/json"
_BYTES = "application/octet-stream"
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript"),
}
_STATUS = "/status"  # the page about the service, where / is that of web/
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob:; "
    "frame-ancestors 'none'"
)


class Page(BaseHTTPRequestHandler):
    """One request over HTTP."""

    server_version = f"stemzoo/{stemzoo.__version__}"
    sys_version = ""

    def __init__(self, connection: socket.socket, address: Any, session: Session) -> None:
        self._session = session
        super().__init__(connection, address, session)  # type: ignore[arg-type]  # as a server

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_InTime(self.connection))

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if not self._may():
            return
        page = self._session.state.page
        if path in page:
            shown, kind = page[path]
            self._send(HTTPStatus.OK, kind, shown.read_bytes())
        elif path == "/site.json" and page:
            self._send_json({"service": stemzoo.__version__})
        elif path in _FILES or path == _STATUS:
            name, kind = _FILES["/" if path == _STATUS else path]
            file = resources.files("stemzoo.streaming.service") / name
            self._send(HTTPStatus.OK, kind, file.read_bytes())
        elif path == "/health":
            self._send_json(self._session.state.as_dict())
        elif path == "/models":
            self._send_models()
        elif path == "/picture.png":
            picture = self._session.state.picture()
            found = HTTPStatus.OK if picture else HTTPStatus.NO_CONTENT
            self._send(found, "image/png", picture or b"")
        else:
            places = ", ".join(
                [*_FILES, _STATUS, "/health", "/models", "/picture.png", "POST /call"]
            )
            self._refuse(HTTPStatus.NOT_FOUND, f"there is no {path[:80]}; there are {places}")

    def _send_models(self) -> None:
        try:
            models, _ = CALLS["models"].run(self._session)
        except EXPECTED as error:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, reason(error))
        else:
            self._send_json(models)

    def do_POST(self) -> None:
        if not self._may():
            return
        if urlsplit(self.path).path != "/call":
            self._refuse(HTTPStatus.NOT_FOUND, "requests are posted to /call")
        elif self.headers.get_content_type() != _BYTES:
            # Which a page of another site cannot send without being asked for permission first.
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type must be {_BYTES}")
        else:
            self._call()

    def _call(self) -> None:
        state = self._session.state
        most = HEAD.size + LONGEST_HEADER + state.max_frame
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal() or len(length) > 18 or int(length) > most:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"Content-Length is {length[:80]!r}; expected at most {most}",
            )
            return
        request = None
        try:
            request = read_request(self._read)
            if not self._named:
                state.admit(request)
            if request.layout:
                state.require_size(request.layout, request.id)
            with state.budget.lent(cost(request.layout) if request.layout else 0, request.id):
                message = self._answered(request)
        except ConnectionError:
            state.count("broken")
            return
        except Exception as error:
            refusal = refusal_of(error, request)
            state.count(f"error {refusal.code}")
            message = encoded(as_header(refusal))
        self._send(HTTPStatus.OK, _BYTES, *message)

    def _answered(self, request: Request) -> list[memoryview]:
        call = CALLS.get(request.call)
        if request.in_memory or (call and call.needs_connection):
            raise Refusal(
                "value",
                f"{request.call} needs a connection of its own; speak the frame protocol",
                request.id,
            )
        started = time.perf_counter()
        payload = read_payload(self._read, request.layout) if request.layout else ()
        results, image = answer(self._session, request, payload)
        self._session.state.note_call(request.call, time.perf_counter() - started)
        return encoded({"id": request.id, "call": request.call, **results}, image)

    def _read(self, view: memoryview) -> None:
        while view:
            try:
                count = self.rfile.readinto(view)
            except TimeoutError:
                count = 0
            if not count:
                raise ConnectionError("the message ended too early")
            view = view[count:]

    def _may(self) -> bool:
        """Whether the request is from somebody who may ask; who may not has had an answer."""
        state = self._session.state
        host = self.headers.get("Host", "")
        name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdecimal() else host
        if not state.needs_token and name not in ("", *LOOPBACK):
            # A page whose name was made to point here, so that it may read what we say.
            self._refuse(HTTPStatus.FORBIDDEN, f"Host is {host[:80]!r}; expected localhost")
            return False
        self._named = state.needs_token and state.admits(_token(self.headers.get("Authorization")))
        if state.needs_token and not self._named and self.command == "GET":
            state.count("error unauthorized")
            self.send_response(HTTPStatus.UNAUTHORIZED)
            self.send_header("WWW-Authenticate", 'Basic realm="stemzoo: the token is the password"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False
        return True

    def _send_json(self, told: dict[str, Any]) -> None:
        self._send(HTTPStatus.OK, _JSON, json.dumps(told, allow_nan=False).encode())

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(status, "text/plain; charset=utf-8", message.encode())

    def _send(self, status: HTTPStatus, kind: str, *parts: bytes | memoryview) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(sum(map(len, parts))))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        for part in parts:
            self.wfile.write(part)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests are counted, not logged."""


class _InTime(io.RawIOBase):
    """What comes in over a socket; TimeoutError where the whole takes longer than PATIENCE."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._deadline = time.monotonic() + PATIENCE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            return self._socket.recv_into(buffer)
        finally:
            self._socket.settimeout(PATIENCE)


def _token(authorization: str | None) -> str:
    kind, _, value = (authorization or "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
