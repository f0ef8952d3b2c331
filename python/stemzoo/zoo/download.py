"""Files from a web server that may be slow, broken or hostile.

Only http and https, through the proxies of the environment. Never more bytes are read than were
asked for; whatever stalls or trickles ends; what breaks off goes on where it ended.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import IO, Any, BinaryIO

from stemzoo import _core
from stemzoo.common.errors import Interrupted, ModelError
from stemzoo.common.progress import Progress
from stemzoo.zoo.remote import shown

STALL = 30.0  # s without a byte
PACE_SECONDS, PACE_BYTES = 30.0, 30_000  # a server that sends less in that time is given up
TRIES = 5  # that bring less than ENOUGH, one after the other
ENOUGH = 1 << 20  # bytes
WAIT, MAX_WAIT = 0.25, 20.0  # s before the second try, doubled each time; the most that is waited
REDIRECTS = 5
FRAMING = 1 << 20  # bytes of headers and the like beside those of the file
CHUNK = 1 << 16

_AGAIN = (408, 425, 429, 500, 502, 503, 504)  # states that pass


def fetch(url: str, most: int) -> bytes:
    """A small file whole."""
    part = io.BytesIO()
    _Download(url, part, None, most, None).run()
    return part.getvalue()


def download(url: str, part: BinaryIO, size: int, progress: Progress | None = None) -> None:
    """Adds to `part`, an open file, what it lacks of the `size` bytes at `url`."""
    _Download(url, part, size, size, progress).run()


class _Download:
    def __init__(
        self, url: str, part: BinaryIO, size: int | None, most: int, progress: Progress | None
    ) -> None:
        self.url, self.part, self.size, self.most = url, part, size, most
        self.progress = progress
        self.opener = _opener(most + FRAMING)
        self.etag = ""

    def run(self) -> None:
        tries = 0
        while True:
            start = self._start()
            if start == self.size:
                return
            try:
                return self._try(start)
            except Interrupted as broken:
                tries = 1 if self.part.tell() - start >= ENOUGH else tries + 1
                if tries >= TRIES:
                    raise
                asked = WAIT * 2 ** (tries - 1) if broken.wait is None else broken.wait
                time.sleep(min(asked, MAX_WAIT))

    def _start(self) -> int:
        """Where to go on: at the end of what there is, if that can be."""
        have = self.part.seek(0, os.SEEK_END)
        if self.size is None or have > self.size:
            self._restart()
            return 0
        return have

    def _restart(self) -> None:
        self.part.seek(0)
        self.part.truncate()

    def _try(self, start: int) -> None:
        headers = {"User-Agent": f"stemzoo/{_core.__version__}", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            headers |= {"If-Range": self.etag} if self.etag else {}
        request = urllib.request.Request(self.url, headers=headers)
        with self._network():
            response = self.opener.open(request, timeout=STALL)
        with response:
            self._take(response, self._begin(response, start))

    def _begin(self, response: Any, start: int) -> int:
        """Makes sure of what the server is about to send; where in the file that begins."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise ModelError(f"{self.url} comes compressed, which was not asked for")
        if response.status == 206 and start:
            expected = rf"bytes {start}-{self.most - 1}/({self.most}|\*)"
            if not re.fullmatch(expected, response.headers.get("Content-Range", "")):
                self._restart()
                raise Interrupted(f"{self.url} goes on elsewhere than it was asked to")
        elif response.status == 200:
            self._restart()
            start = 0
        else:
            raise ModelError(f"{self.url} answers HTTP {response.status}; expected 200")
        length, left = response.length, self.most - start
        if length is not None and (length > left or (self.size is not None and length != left)):
            raise ModelError(
                f"{self.url} would send {length} bytes; expected "
                f"{'at most ' if self.size is None else ''}{left}"
            )
        etag = response.headers.get("ETag", "")
        self.etag = etag if re.fullmatch(r'"[!-~]{0,200}"', etag) else ""  # a weak one will not do
        return start

    def _take(self, response: Any, done: int) -> None:
        length = response.length
        end = None if length is None else done + length
        while True:
            with self._network():
                chunk = response.read1(CHUNK)
            if not chunk:
                break
            done += len(chunk)
            if done > self.most:
                raise ModelError(f"{self.url} sends more than {self.most} bytes")
            self.part.write(chunk)
            if self.progress and self.size:
                self.progress(done, self.size)
        if done < (self.size or end or 0):
            raise Interrupted(f"{self.url} ended after {done} bytes of {self.size or end}")

    @contextlib.contextmanager
    def _network(self) -> Iterator[None]:
        """What goes wrong between here and the server, in our words."""
        try:
            yield
        except urllib.error.HTTPError as error:
            error.close()
            raise self._status(error) from None
        except ssl.SSLCertVerificationError as error:
            raise ModelError(f"{self.url}: the server does not prove who it is: {error}") from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise ModelError(
                    f"{self.url}: the server does not prove who it is: {error.reason}"
                ) from None
            raise Interrupted(f"{self.url} cannot be reached: {error.reason}") from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            # repr, since what a server sends may be in there and would go to a terminal.
            raise Interrupted(f"{self.url} broke off: {error!r:.200}") from None

    def _status(self, error: urllib.error.HTTPError) -> ModelError:
        said = f"{self.url} answers HTTP {error.code}"
        if error.code == 416:
            self._restart()
        if error.code not in (*_AGAIN, 416):
            return ModelError(said)
        again = Interrupted(said)
        asked = error.headers.get("Retry-After", "") if error.headers else ""
        again.wait = float(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else None
        return again


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = REDIRECTS
    max_repeats = 2

    def http_error_302(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage
    ) -> Any:
        to = headers.get("Location", headers.get("URI", ""))
        scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", to)
        safe = {"https"} if req.type == "https" else {"http", "https"}
        if (scheme and scheme[1].lower() not in safe) or re.search("//[^/]*@", to):
            fp.close()
            raise ModelError(
                f"{shown(req.full_url)} redirects to {shown(to)[:200]!r}; "
                f"expected {' or '.join(sorted(safe))}, without a password"
            )
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except BaseException:
            fp.close()  # which is left open where there is no such address
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


class _Paced(io.RawIOBase):
    """Reads from a server, for as long as it keeps to pace and to the bytes it is allowed."""

    def __init__(self, raw: io.RawIOBase, most: int) -> None:
        self.raw, self.left = raw, most
        self.since, self.bytes = time.monotonic(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self.raw.readinto(buffer) or 0
        self.left -= count
        if self.left < 0:
            raise OSError("it sends more than a file of this size can take")
        self.bytes += count
        elapsed = time.monotonic() - self.since
        if elapsed > PACE_SECONDS:
            if count and self.bytes < PACE_BYTES:
                raise TimeoutError(f"only {self.bytes} bytes came in {elapsed:.0f} s")
            self.since, self.bytes = time.monotonic(), 0
        return count

    def close(self) -> None:
        self.raw.close()
        super().close()


def _opener(most: int) -> urllib.request.OpenerDirector:
    """Knows http, https and proxies, and neither files nor ftp as urllib's own does."""

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            super().__init__(sock, *arguments, **options)
            self.fp: Any = io.BufferedReader(_Paced(self.fp.detach(), most))

    class Plain(http.client.HTTPConnection):
        response_class = Response

    class Secure(http.client.HTTPSConnection):
        response_class = Response

    class Http(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Plain, req)

    class Https(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Secure, req, context=ssl.create_default_context())

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        Http(),
        Https(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
