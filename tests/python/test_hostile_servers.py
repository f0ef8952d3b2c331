"""Servers that mean harm: each is refused, by name, in little time and memory, and does none."""

import gzip
import io
import sys
import urllib.request

import pytest
from zoo_server import NAME, NETWORK, refused_with_little_memory

import stemzoo
from stemzoo.zoo import download, index

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def impatient(server, monkeypatch):
    monkeypatch.setattr(download, "STALL", 1.0)
    monkeypatch.setattr(download, "PACE_SECONDS", 0.3)
    monkeypatch.setattr(download, "TRIES", 2)


def _circle(request):
    request.say(302, headers={"Location": request.path})


def _say(status=200, content=b"", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.say(status, content, named)


def _to(place):
    return _say(302, Location=place)


def _raw(first, piece=b"", pause=0.0):
    """Bytes as they are, and then a piece again and again."""

    def answer(request):
        request.wfile.write(first)
        if piece:
            request.forever(piece, pause)

    return answer


def _chain(request):
    request.say(302, headers={"Location": f"{request.path}x"})


def _chunked(request):
    request.say(200, headers={"Content-Length": None, "Transfer-Encoding": "chunked"})
    request.forever(b"10000\r\n" + bytes(65536) + b"\r\n")


SQUEEZED = gzip.compress(bytes(20 << 20))


def _squeezed(request):
    request.say(200, SQUEEZED, {"Content-Encoding": "gzip"})


OK, LONG = b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 400438\r\n\r\n"
SIZE = 400438

ANYWHERE = {
    "to a file": (
        _to("file:///etc/passwd"),
        "redirects to 'file:///etc/passwd'; expected",
    ),
    "to ftp": (_to("ftp://127.0.0.1/index.json"), "redirects to 'ftp:"),
    "to a password": (
        _to("http://me:hunter2@127.0.0.1/index.json"),
        r"redirects to 'http://\*\*\*@127.0.0.1/index.json'; expected .*, without a password",
    ),
    "to data": (_to("data:application/json,{}"), "redirects to 'data:"),
    "to a script": (_to("JavaScript:alert(1)"), "redirects to 'JavaScript:"),
    "in a circle": (
        lambda request: request.say(302, headers={"Location": request.path}),
        "HTTP 302",
    ),
    "from door to door": (_chain, "HTTP 302"),
    "nowhere": (_say(302), "HTTP 302"),
    "to no address": (_to("http://[::1"), "broke off"),
    "to a split header": (_to("http://127.0.0.1:1/\x01"), "broke off|cannot be reached"),
    "missing": (_say(404, b"<html>" * 1000), "HTTP 404"),
    "forbidden": (_say(403), "HTTP 403"),
    "always busy": (_say(503, Retry_After="86400"), "HTTP 503"),
    "no content": (_say(204), "HTTP 204"),
    "a part not asked for": (_say(206, b"x", Content_Range="bytes 0-0/1"), "HTTP 206"),
    "no http": (_raw(b"220 ftp ready\r\n"), "broke off"),
    "hung up": (_raw(b""), "broke off|cannot be reached"),
    "endless headers": (_raw(OK, b"X-A: b\r\n"), "broke off|cannot be reached"),
    "one endless header": (_raw(OK + b"X: ", bytes(65536)), "broke off|cannot be reached"),
    "slow headers": (_raw(OK + b"X-A: ", b"a", 0.05), "only .* bytes came in|cannot be reached"),
    "silence": (_raw(OK), "ended after 0 bytes|is not to be used"),
    "endless redirect": (
        _raw(b"HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\n", bytes(65536)),
        "broke off|cannot be reached",
    ),
    "compressed": (_squeezed, "comes compressed, which was not asked for"),
    "endless chunks": (_chunked, "sends more than|broke off"),
    "endless trailers": (
        _raw(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: " + b"b" * 60_000 + b"\r\n"),
        "broke off|ended after|is not to be used",
    ),
    "chunks of no size": (
        _raw(OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n"),
        "broke off|ended after|is not to be used",
    ),
}

NETWORK_ONLY = {
    "endless": (_raw(OK + b"\r\n", bytes(65536)), "sends more than 400438 bytes"),
    "slow": (_raw(LONG, b"a", 0.02), r"only \d+ bytes came in"),
    "announced too long": (
        _say(content=bytes(SIZE + 1)),
        "send 400439 bytes; expected 400438",
    ),
    "announced too short": (
        _say(content=bytes(SIZE - 1)),
        "send 400437 bytes; expected 400438",
    ),
    "of no length": (_raw(OK + b"Content-Length: -7\r\n\r\n" + bytes(50)), "ended after 50 bytes"),
    "one byte too many": (_raw(OK + b"\r\n" + bytes(SIZE + 1)), "sends more than 400438"),
    "cut short": (_raw(LONG + bytes(1000)), "ended after 1[0-9]* bytes of 400438"),
    "other bytes": (_say(content=bytes(SIZE)), "is corrupt, or is not the file it is listed as"),
}

SERVERS = [("/index.json", case, *ANYWHERE[case]) for case in ANYWHERE]
SERVERS += [(f"/{NETWORK}", case, *ANYWHERE[case]) for case in ANYWHERE]
SERVERS += [(f"/{NETWORK}", case, *NETWORK_ONLY[case]) for case in NETWORK_ONLY]


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [(path, answer, message) for path, _, answer, message in SERVERS],
    ids=[f"{case} {path.rpartition('.')[2]}" for path, case, *_ in SERVERS],
)
@pytest.mark.usefixtures("watched")
def test_a_server_that_means_harm_is_refused(path, answer, message, server):
    server.answers = dict.fromkeys([path, *(path + "x" * n for n in range(1, 20))], answer)
    server.answers["/a"] = answer
    with pytest.raises(stemzoo.ModelError, match=message) as refused:
        stemzoo.pull(NAME)
    assert str(refused.value).isprintable()
    assert server.url in str(refused.value)
    assert len(server.requests) < 20


@pytest.mark.parametrize("answered", ["bytes 0-{last}/{size}", "bytes {start}-{last}/9", "x", ""])
def test_a_range_answered_wrongly_is_not_joined(answered, server, zoo, monkeypatch):
    content = (zoo / NETWORK).read_bytes()
    start = 100_000

    def wrong(request):
        if "Range" not in request.headers:
            return request.say(200, content[:start], {"Content-Length": str(len(content))})
        server.answers.clear()
        told = answered.format(start=start, last=len(content) - 1, size=len(content))
        return request.say(206, content[start:], {"Content-Range": told})

    server.answers[f"/{NETWORK}"] = wrong
    monkeypatch.setattr(download, "TRIES", 3)
    assert stemzoo.pull(NAME).read() == content


def test_https_is_not_left():
    redirects = download._Redirects()
    request = urllib.request.Request("https://example.org/index.json")
    with pytest.raises(stemzoo.ModelError, match=r"redirects to 'http:.*; expected https"):
        redirects.http_error_302(request, io.BytesIO(), 302, "", {"Location": "http://example.org"})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/zoo",
        "file:///etc",
        "http://",
        "https://me:secret@example.org",
        "https://example.org/zoo?a=b",
    ],
)
def test_an_address_that_is_none_is_named(url, monkeypatch):
    monkeypatch.setenv("STEMZOO_URL", url)
    with pytest.raises(stemzoo.ModelError, match=r"STEMZOO_URL is '.*'; expected"):
        stemzoo.pull(NAME)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("case", ["index", "announced index", "bomb", "deep", "network"])
def test_little_memory_is_enough_to_refuse(case, server, tmp_path):
    enormous = _raw(OK + b"\r\n", bytes(1 << 20))
    answers = {
        "index": ("/index.json", enormous),
        "announced index": ("/index.json", _raw(OK + b"Content-Length: 99999999999\r\n\r\n")),
        "bomb": ("/index.json", _squeezed),
        "deep": ("/index.json", _say(content=b"[" * index.MAX_BYTES)),
        "network": (f"/{NETWORK}", enormous),
    }
    path, answer = answers[case]
    server.answers[path] = answer
    assert "index" in (said := refused_with_little_memory(tmp_path)) or "bytes" in said
