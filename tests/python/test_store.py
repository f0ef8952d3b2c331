"""Getting a model here: downloads that break off, and the cache that keeps what came."""

import errno
import io
import os
from pathlib import Path

import pytest
from zoo_server import NAME, NETWORK, VERSION, cached, kept, run

import stemzoo
from stemzoo.cli.main import main
from stemzoo.zoo import download
from stemzoo.zoo.index import Stored


def test_a_broken_download_goes_on_where_it_ended(server, zoo, cache):
    content = (zoo / NETWORK).read_bytes()

    def break_off(request):
        server.answers.clear()
        headers = {"Content-Length": str(len(content)), "ETag": '"an-etag"'}
        request.say(200, content[:150_000], headers)

    server.answers[f"/{NETWORK}"] = break_off
    assert stemzoo.pull(NAME).read() == content
    _, headers = server.requests[-1]
    assert headers["Range"] == "bytes=150000-"
    assert headers["If-Range"] == '"an-etag"'


def test_what_one_pull_left_the_next_one_finishes(server, zoo, cache, monkeypatch):
    content = (zoo / NETWORK).read_bytes()
    monkeypatch.setattr(download, "TRIES", 1)
    whole = {"Content-Length": str(len(content))}
    server.answers[f"/{NETWORK}"] = lambda request: request.say(200, content[:150_000], whole)
    with pytest.raises(stemzoo.ModelError, match="ended after 150000 bytes of"):
        stemzoo.pull(NAME)
    server.answers.clear()
    assert stemzoo.pull(NAME).read() == content
    assert server.requests[-1][1]["Range"] == "bytes=150000-"
    assert kept(cache) == [cached(zoo)]


def test_a_whole_that_was_resumed_wrongly_is_fetched_anew(server, zoo, cache, monkeypatch):
    content = (zoo / NETWORK).read_bytes()
    monkeypatch.setattr(download, "TRIES", 1)
    whole = {"Content-Length": str(len(content))}
    server.answers[f"/{NETWORK}"] = lambda request: request.say(200, bytes(99), whole)
    with pytest.raises(stemzoo.ModelError, match="ended after 99 bytes"):
        stemzoo.pull(NAME)
    server.answers.clear()
    assert stemzoo.pull(NAME).read() == content
    ranges = [headers.get("Range") for path, headers in server.requests if path == f"/{NETWORK}"]
    assert ranges == [None, "bytes=99-", None]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(status, server):
    def busy(request):
        server.answers.clear()
        request.say(status, headers={"Retry-After": "86400"})

    server.answers["/index.json"] = busy
    assert stemzoo.pull(NAME).version == VERSION
    assert server.paths().count("/index.json") == 2


def test_a_proxy_of_the_environment_is_used(server, monkeypatch):
    monkeypatch.setenv("STEMZOO_URL", "http://zoo.invalid")
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name in ("index.json", NETWORK):
        local = f"/{name}"

        def relay(request, local=local):
            request.path = local
            request.file()

        server.answers[f"http://zoo.invalid{local}"] = relay
    assert stemzoo.pull(NAME).version == VERSION
    assert server.paths() == ["http://zoo.invalid/index.json", f"http://zoo.invalid/{NETWORK}"]


def test_redirects_within_http_are_followed(server, zoo):
    server.answers[f"/{NETWORK}"] = lambda request: request.say(302, headers={"Location": "/moved"})
    server.answers["/moved"] = lambda request: request.say(200, (zoo / NETWORK).read_bytes())
    assert stemzoo.pull(NAME).version == VERSION


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "link"])
def test_a_corrupt_file_is_set_aside_and_fetched_once_more(damage, server, zoo, cache, monkeypatch):
    path = stemzoo.pull(NAME).path
    content = path.read_bytes()
    if damage == "link":
        path.rename(cache / "elsewhere")
        path.symlink_to(cache / "elsewhere")
    else:
        middle = len(content) // 2
        wrong = {"flip": content[:middle] + b"?" + content[middle + 1 :], "cut": content[:-9]}
        path.write_bytes(wrong.get(damage, b""))
    with monkeypatch.context() as patch:
        patch.setenv("STEMZOO_OFFLINE", "1")
        with pytest.raises(stemzoo.ModelError, match="cannot be fetched again: remove") as refused:
            stemzoo.load(NAME)
        assert str(path) in str(refused.value)
    assert main(["models", "verify"]) == 1
    assert stemzoo.load(NAME).path == path
    assert path.read_bytes() == content
    assert kept(cache) == [path.name, path.name + ".corrupt"]
    assert main(["models", "verify"]) == 0


PULL = r"""
import fcntl, os, random, signal, sys
from pathlib import Path
fcntl.flock = fcntl.lockf = lambda *_: None
from stemzoo.zoo import catalogue
catalogue.log.disabled = True
name, cache = sys.argv[1], Path(os.environ["STEMZOO_CACHE"], "models")

def say(info, content):
    os.write(1, f"{info.entry.model.sha256} {len(content)}\n".encode())  # a line at once

def puller(prepare=lambda: None):
    child = os.fork()
    if not child:
        prepare()
        info, content = catalogue.opened(name)
        say(info, content)
        os._exit(0)
    return child
"""

AT_ONCE = """
children = [puller() for _ in range(16)]
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 16
"""

# A moment is a call that the store or the download makes, counted from the start of the pull.
KILLED = """
import itertools
def killed_at(moment):
    calls = itertools.count()
    def count(frame, event, argument):
        if frame.f_code.co_filename.endswith(("store.py", "download.py")) and "call" in event:
            if next(calls) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(count)

for moment in random.Random(4).sample(range(250), 20):
    os.waitpid(puller(lambda: killed_at(moment)), 0)
    before = len(list(cache.glob(".*.part"))) if cache.exists() else 0
    assert before <= 1, before
    info, content = catalogue.opened(name)
    assert [path.name for path in cache.iterdir()] == [info.where.name], list(cache.iterdir())
    info.where.unlink()
    say(info, content)
"""


def _in_a_child(code, tmp_path):
    answer = run(PULL + code, NAME, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split("\n")[:-1]


def test_sixteen_processes_pull_at_once(server, zoo, cache, tmp_path):
    server.piece, server.pause = 100_000, 0.01
    stored = Stored.of((zoo / NETWORK).read_bytes())
    assert _in_a_child(AT_ONCE, tmp_path) == [f"{stored.sha256} {stored.size}"] * 16
    assert kept(cache) == [cached(zoo)]


def test_a_pull_killed_at_any_moment_spoils_nothing(server, zoo, tmp_path):
    server.piece, server.pause = 40_000, 0.008
    stored = Stored.of((zoo / NETWORK).read_bytes())
    said = _in_a_child(KILLED, tmp_path)
    assert set(said) == {f"{stored.sha256} {stored.size}"}
    assert any("Range" in headers for _, headers in server.requests)


class _Full(io.FileIO):
    """A file on a disk that takes no more than 100 kB."""

    def write(self, content):
        if self.tell() > 100_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(bytes(content[:65536]))


@pytest.mark.parametrize("when", ["write", "fsync"])
def test_a_full_disk_is_named_and_nothing_is_left(when, server, cache, monkeypatch):
    stemzoo.pull("denoise-other")
    before = kept(cache)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if when == "fsync":
        monkeypatch.setattr("stemzoo.zoo.store.os.fsync", full)
    else:
        monkeypatch.setattr(
            "stemzoo.zoo.store.os.fdopen", lambda fd, mode: io.BufferedRandom(_Full(fd, mode))
        )
    with pytest.raises(stemzoo.ModelError, match="could not be written: No space left on device"):
        stemzoo.pull(NAME)
    assert kept(cache) == before


def test_a_cache_that_cannot_be_written_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("STEMZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(stemzoo.ModelError, match=r"file/.* could not be written: .*STEMZOO_CACHE"):
        stemzoo.pull(NAME)
    assert (tmp_path / "file").read_text() == "no folder"


def test_without_a_home_only_pulling_fails(server, zoo, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: Path("~/.cache/stemzoo"))
    monkeypatch.delenv("STEMZOO_CACHE")
    with pytest.raises(stemzoo.ModelError, match="no home folder; set STEMZOO_CACHE"):
        stemzoo.pull(NAME)
    monkeypatch.setenv("STEMZOO_SITE", str(zoo))
    assert stemzoo.load(NAME).path == zoo / NETWORK


def test_parts_of_other_machines_are_left_alone_for_a_day(server, cache):
    part = cache / "models" / f".{'0' * 16}-elsewhere-1-ab.part"
    part.parent.mkdir(parents=True)
    part.touch()
    stemzoo.pull("denoise-other")
    assert part.exists()
    os.utime(part, (0, 0))
    stemzoo.pull(NAME)
    assert not part.exists()
