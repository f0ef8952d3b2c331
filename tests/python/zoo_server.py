"""A zoo on a real web server on this machine, that can be made to misbehave."""

import contextlib
import http.server
import subprocess
import sys
import threading

from small_models import same

from stemzoo.zoo import index

NAME, VERSION = "denoise-test", "0.0.1"
NETWORK = f"{NAME}/{NAME}-{VERSION}.onnx"


def add_model(zoo, name=NAME, version=VERSION, **promises):
    """A small network and its card, put into the folder of a zoo."""
    folder = zoo / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"# {name}\n")
    path = folder / f"{name}-{version}.onnx"
    path.write_bytes(same("denoise", name=name, version=version, **promises))
    return path


def write_index(zoo, version=1, expires=""):
    (zoo / index.FILE).write_bytes(index.written(index.build(zoo, version, expires)))


def kept(cache):
    """What the cache holds of networks, leftovers included."""
    return sorted(path.name for path in (cache / "models").iterdir())


def cached(zoo, name=NAME, version=VERSION):
    """The name under which the cache keeps a network."""
    stored = index.Stored.of((zoo / name / f"{name}-{version}.onnx").read_bytes())
    return f"{name}-{version}-{stored.sha256}.onnx"


def run(code, *arguments, **options):
    """What another Python says to some code."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, **options
    )


def files_but(folder, *others):
    """All files and folders in a folder, except in some of them."""
    return {p for p in folder.rglob("*") if not any(p.is_relative_to(other) for other in others)}


LITTLE = """
import resource, sys
import stemzoo
from stemzoo.zoo import download
download.TRIES, download.STALL = 1, 5.0
base = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (base + (160 << 20), base + (160 << 20)))
try:
    stemzoo.pull(sys.argv[1])
except stemzoo.ModelError as error:
    print(error)
"""


def refused_with_little_memory(folder):
    """What a process that has little memory says when it pulls the model."""
    answer = run(LITTLE, NAME, cwd=folder)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout
    return answer.stdout


class ZooServer:
    """Serves a folder. `answers` says for a path what else to do with a request for it."""

    def __init__(self, folder):
        self.folder = folder
        self.answers = {}
        self.requests = []  # (path, headers), as they came
        self.piece, self.pause = 1 << 20, 0.0  # bytes sent at once, s between two pieces
        self.stopped = threading.Event()

    def __enter__(self):
        zoo = self

        class Handler(_Handler):
            server_zoo = zoo

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def paths(self):
        return [path for path, _ in self.requests]


class _Handler(http.server.BaseHTTPRequestHandler):
    server_zoo: ZooServer

    def do_GET(self):
        zoo = self.server_zoo
        zoo.requests.append((self.path, dict(self.headers)))
        answer = zoo.answers.get(self.path)
        # Clients of a server that misbehaves hang up; that is what the tests are about.
        with contextlib.suppress(OSError):
            answer(self) if answer else self.file()

    def file(self):
        path = self.server_zoo.folder / self.path.lstrip("/")
        if not path.is_file():
            return self.say(404, b"<html>no such page</html>")
        content, start = path.read_bytes(), 0
        asked = self.headers.get("Range")
        if asked:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        headers = {"ETag": '"an-etag"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self.say(206 if start else 200, content[start:], headers)

    def say(self, status, content=b"", headers=None):
        """A whole answer; a header of None is left out."""
        self.send_response(status)
        given = {"Content-Length": str(len(content))} | (headers or {})
        for name, value in given.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        zoo = self.server_zoo
        for start in range(0, len(content), zoo.piece):
            self.wfile.write(content[start : start + zoo.piece])
            if zoo.pause:
                zoo.stopped.wait(zoo.pause)

    def forever(self, piece, pause=0.0):
        """Sends the piece until the client hangs up."""
        while not self.server_zoo.stopped.wait(pause):
            self.wfile.write(piece)

    def log_message(self, *_):
        pass
