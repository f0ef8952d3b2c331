"""Indexes, servers, zips and caches that mean harm: each is refused, by name, and does none."""

import gzip
import io
import json
import os
import stat
import sys
import urllib.request
import warnings
import zipfile

import pytest
from zoo_server import NAME, NETWORK, VERSION, run, write_index

import stemzoo
from stemzoo import download, index
from stemzoo.cli import main

REFUSED = r"the index .* is not to be used: "


@pytest.fixture(autouse=True)
def impatient(server, monkeypatch):
    monkeypatch.setattr(download, "STALL", 1.0)
    monkeypatch.setattr(download, "PACE_SECONDS", 0.3)
    monkeypatch.setattr(download, "TRIES", 2)


@pytest.fixture
def watched(tmp_path, cache, zoo):
    """Holds the test to leaving everything but the cache as it was, and no network in the cache."""
    before = _files(tmp_path, cache, zoo)
    yield
    assert _files(tmp_path, cache, zoo) == before
    assert not list(cache.glob("**/*.onnx"))
    allowed = {"indexes", "models"}
    assert {path.name for path in cache.glob("*")} <= allowed


def _files(folder, *but):
    return {p for p in folder.rglob("*") if not any(p.is_relative_to(other) for other in but)}


# Indexes


def _model(**values):
    def change(listing):
        listing["models"][0].update(values)

    return change


def _file(name):
    return _model(files={name: {"size": 1, "sha256": "0" * 64}})


def _top(**values):
    return lambda listing: listing.update(values)


def _twice(listing):
    listing["models"].append(dict(listing["models"][0], sha256="0" * 64))


def _two_contents(listing):
    other = {"README.md": {"size": 1, "sha256": "0" * 64}}
    listing["models"].append(dict(listing["models"][0], version="0.0.9", files=other))


def _without_sha256(listing):
    del listing["models"][0]["sha256"]


INDEXES = {
    "name climbs": _model(name="../../evil"),
    "name absolute": _model(name="/etc/passwd"),
    "name of Windows": _model(name="c:\\evil"),
    "name of a device": _model(name="con"),
    "name with a line": _model(name="denoise-test\n"),
    "name empty": _model(name=""),
    "name endless": _model(name="a" * 100_000),
    "name no text": _model(name=["denoise-test"]),
    "file climbs": _file("../../evil.md"),
    "file absolute": _file("/tmp/evil.md"),
    "file of Windows": _file("..\\evil.md"),
    "file on a drive": _file("C:evil.md"),
    "file in a stream": _file("README.md:hidden"),
    "file is a device": _file("NUL.txt"),
    "file in a folder": _file("a/b.md"),
    "file hidden": _file(".bashrc"),
    "file with a zero": _file("a\0.md"),
    "file a network": _file("other.onnx"),
    "files a list": _model(files=["README.md"]),
    "files endless": _model(files={f"{n}.md": {"size": 1, "sha256": "0" * 64} for n in range(99)}),
    "version climbs": _model(version="../1.0.0"),
    "version short": _model(version="1.0"),
    "version of other digits": _model(version="1.\u0663.0"),
    "version endless": _model(version="1.0." + "9" * 5000),
    "sha256 short": _model(sha256="abc"),
    "sha256 climbs": _model(sha256="../" * 21 + "a"),
    "sha256 missing": _without_sha256,
    "size zero": _model(size=0),
    "size negative": _model(size=-1),
    "size enormous": _model(size=160 << 30),
    "size a fraction": _model(size=1.5),
    "size a truth": _model(size=True),
    "size text": _model(size="100"),
    "summary for the terminal": _model(summary="\x1b]0;evil\x07"),
    "summary backwards": _model(summary="\u202egnp.exe"),
    "summary half a character": _model(summary="\ud800"),
    "key unknown": _model(url="http://example.org/evil.onnx"),
    "one version twice": _twice,
    "one file, two contents": _two_contents,
    "models a mapping": _top(models={}),
    "models endless": _top(models=[{}] * 10_001),
    "model a number": _top(models=[7]),
    "format of the future": _top(format=2),
    "format a truth": _top(format=True),
    "version of the index text": _top(version="1"),
    "version of the index enormous": _top(version=10**400),
    "expires never": _top(expires="never"),
}


@pytest.mark.parametrize("case", INDEXES)
@pytest.mark.usefixtures("watched")
def test_an_index_that_means_harm_is_refused(case, zoo):
    path = zoo / "index.json"
    listing = json.loads(path.read_text())
    INDEXES[case](listing)
    path.write_text(json.dumps(listing))
    with pytest.raises(stemzoo.ModelError, match=REFUSED) as refused:
        stemzoo.pull(NAME)
    said = str(refused.value)
    assert len(said) < 1000
    assert said.isprintable()


def _good():
    return b'{"format": 1, "version": 1, "expires": "", "models": []}'


TEXTS = {
    "empty": b"",
    "no text": b"\xff\xfe\x00",
    "a page": b"<html>Please log in to the guest network</html>",
    "cut short": _good()[:-3],
    "a list": b"[]",
    "nothing": b"null",
    "NaN": _good().replace(b'"version": 1', b'"version": NaN'),
    "infinity": _good().replace(b'"version": 1', b'"version": 1e999'),
    "ten thousand digits": _good().replace(b'"version": 1', b'"version": ' + b"9" * 10_000),
    "a key twice": _good().replace(b'"version": 1', b'"version": 1, "version": 2'),
    "deep": b"[" * 1_000_000,
    "deep mappings": b'{"a":' * 500_000,
}


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.usefixtures("watched")
def test_what_is_no_index_is_refused(case, zoo):
    (zoo / "index.json").write_bytes(TEXTS[case])
    with pytest.raises(stemzoo.ModelError, match=REFUSED):
        stemzoo.pull(NAME)


def test_an_older_index_is_refused(server, zoo):
    write_index(zoo, 3)
    assert len(stemzoo.models()) == 2
    write_index(zoo, 2)
    with pytest.raises(stemzoo.ModelError, match=r"has version 2, but version 3 .* was seen there"):
        stemzoo.pull(NAME)
    write_index(zoo, 4)
    assert stemzoo.pull(NAME).version == VERSION


@pytest.mark.usefixtures("watched")
def test_another_index_of_the_same_version_is_refused(zoo):
    assert len(stemzoo.models()) == 2
    (zoo / NAME / "README.md").write_text("changed")
    write_index(zoo)
    with pytest.raises(stemzoo.ModelError, match="somebody shows an old or changed zoo"):
        stemzoo.pull(NAME)


# Servers


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


def test_swapped_files_are_not_run(server, zoo):
    other = zoo / "denoise-other" / f"denoise-other-{VERSION}.onnx"
    (zoo / NETWORK).write_bytes(other.read_bytes())
    with pytest.raises(stemzoo.ModelError, match=r"would send .* bytes; expected"):
        stemzoo.pull(NAME)
    listing = json.loads((zoo / "index.json").read_text())
    one, two = listing["models"]
    two |= {"size": one["size"], "sha256": one["sha256"]}
    listing["version"] = 2
    (zoo / "index.json").write_text(json.dumps(listing))
    with pytest.raises(stemzoo.ModelError, match="says of itself that it is denoise-other"):
        stemzoo.pull(NAME)


# Zips


def _zipped(target, zoo, change=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(target, "w", compression) as archive:
        for path in zoo.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(zoo).as_posix())
        if change:
            change(archive)


def _link(archive):
    info = zipfile.ZipInfo(NETWORK)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def _named(name):
    def add(archive):
        with warnings.catch_warnings(action="ignore"):  # it has noticed that there are two
            archive.writestr(name, "evil")

    return add


def _bomb(size):
    return lambda archive: archive.writestr(NETWORK, bytes(size))


ZIPS = {
    "climbs": (_named("../evil.md"), "a name that leads out of it"),
    "climbs within": (_named("denoise-test/../../evil.md"), "a name that leads out of it"),
    "absolute": (_named("/etc/evil"), "a name that leads out of it"),
    "of Windows": (_named("..\\evil.md"), "a name that leads out of it"),
    "on a drive": (_named("C:/evil.md"), "a name that leads out of it"),
    "a second index": (_named("index.json"), r"holds 2 files index\.json; expected one"),
    "a link": (_link, "is a link; expected a file"),
    "a bomb": (_bomb(5 << 20), "5242880 bytes; expected at most"),
    "no index": (None, "is no zip of a zoo: it holds no index"),
    "no zip": (None, "is no zip that can be read"),
    "cut short": (None, "is no zip that can be read"),
}


@pytest.mark.parametrize("case", ZIPS)
@pytest.mark.parametrize("variable", ["STEMZOO_SITE", "STEMZOO_URL"])
def test_a_zip_that_means_harm_is_refused(case, variable, zoo, tmp_path, cache, monkeypatch):
    change, message = ZIPS[case]
    if case in ("a link", "a bomb"):
        (zoo / NETWORK).rename(tmp_path / "elsewhere")
    if case == "no index":
        (zoo / "index.json").unlink()
    target = tmp_path / "zoo.zip"
    _zipped(target, zoo, change, zipfile.ZIP_DEFLATED)
    if case == "no zip":
        target.write_bytes(b"PK" + bytes(1000))
    if case == "cut short":
        target.write_bytes(target.read_bytes()[:-3000])
    monkeypatch.delenv("STEMZOO_URL")
    monkeypatch.setenv(variable, str(target))
    before = _files(tmp_path, cache)
    with pytest.raises(stemzoo.ModelError, match=message):
        stemzoo.load(NAME)
    assert _files(tmp_path, cache) == before
    assert not list(cache.glob("**/*.onnx"))


# What somebody has put into the cache, or where a mirror is to be


def test_nothing_is_written_through_a_link_in_the_cache(cache, tmp_path):
    (tmp_path / "outside").mkdir()
    cache.mkdir()
    (cache / "models").symlink_to(tmp_path / "outside")
    with pytest.raises(stemzoo.ModelError, match="is a link to another folder"):
        stemzoo.pull(NAME)
    assert not list((tmp_path / "outside").iterdir())


def test_a_part_that_is_a_link_is_not_written_to(zoo, cache, tmp_path):
    (tmp_path / "mine").write_text("precious")
    stored = index.Stored.of((zoo / NETWORK).read_bytes())
    (cache / "models").mkdir(parents=True)
    (cache / "models" / f".{stored.sha256[:16]}-x-0-ab.part").symlink_to(tmp_path / "mine")
    stemzoo.pull(NAME)
    assert (tmp_path / "mine").read_text() == "precious"
    assert len(list((cache / "models").iterdir())) == 1


def test_a_mirror_is_not_written_through_links(server, tmp_path, capsys):
    (tmp_path / "outside").mkdir()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / NAME).symlink_to(tmp_path / "outside")
    assert main(["models", "mirror", str(tmp_path / "mirror")]) == 1
    assert "is a link to another folder" in capsys.readouterr().err
    assert not list((tmp_path / "outside").iterdir())


def test_a_pipe_in_a_site_folder_is_not_waited_for(zoo, monkeypatch):
    (zoo / NETWORK).unlink()
    os.mkfifo(zoo / NETWORK)
    monkeypatch.setenv("STEMZOO_SITE", str(zoo))
    with pytest.raises(stemzoo.ModelError, match="is no file that holds anything"):
        stemzoo.load(NAME)


# Where memory is the point: in a process that has little of it


LITTLE = """
import resource, sys
import stemzoo
from stemzoo import download
download.TRIES, download.STALL = 1, 5.0
base = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (base + (160 << 20), base + (160 << 20)))
try:
    stemzoo.pull(sys.argv[1])
except stemzoo.ModelError as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("case", ["index", "announced index", "bomb", "deep", "network", "zip"])
def test_little_memory_is_enough_to_refuse(case, server, zoo, tmp_path, monkeypatch):
    enormous = _raw(OK + b"\r\n", bytes(1 << 20))
    answers = {
        "index": ("/index.json", enormous),
        "announced index": ("/index.json", _raw(OK + b"Content-Length: 99999999999\r\n\r\n")),
        "bomb": ("/index.json", _squeezed),
        "deep": ("/index.json", _say(content=b"[" * index.MAX_BYTES)),
        "network": (f"/{NETWORK}", enormous),
    }
    if case == "zip":
        target = tmp_path / "zoo.zip"
        (zoo / NETWORK).unlink()
        _zipped(target, zoo, _bomb(200 << 20), zipfile.ZIP_DEFLATED)
        monkeypatch.setenv("STEMZOO_URL", str(target))
    else:
        path, answer = answers[case]
        server.answers[path] = answer
    answer = run(LITTLE, NAME, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "index" in answer.stdout or "bytes" in answer.stdout
