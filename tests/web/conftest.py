"""What the tests of the page share: the built page on a server, and Chromium."""

import contextlib
import functools
import http.server
import importlib.util
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "build" / "web"

# Without the page or the package that drives Chromium, there is nothing to test.
ready = (PAGE / "index.html").exists() and importlib.util.find_spec("playwright")
collect_ignore_glob = [] if ready else ["test_*.py"]


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


class Site(http.server.ThreadingHTTPServer):
    """A plain web server, that counts what it sends and can be told to spoil a file."""

    daemon_threads = True

    def __init__(self, folder):
        self.requests, self.spoilt, self.sent = [], {}, 0
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=folder))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
    }

    def do_GET(self):
        name = self.path.partition("?")[0].lstrip("/")
        self.server.requests.append(("GET", name))
        if name in self.server.spoilt:
            content = self.server.spoilt[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        else:
            super().do_GET()

    def do_POST(self):
        self.server.requests.append(("POST", self.path))
        self.send_error(405)

    def copyfile(self, source, outputfile):
        self.server.sent += os.fstat(source.fileno()).st_size
        with contextlib.suppress(ConnectionError):
            super().copyfile(source, outputfile)

    def log_message(self, format, *arguments):
        pass


@pytest.fixture
def site():
    assert (PAGE / "index.html").exists(), "make web builds the page first"
    with Site(PAGE) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=120_000)
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "the tests of the page need Chromium: on Debian, apt install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, tmp_path):
    """Opens pages, each on a device of its own; none may log an error."""
    contexts, errors = [], []

    def opened(url, *, ready=True, expect_errors=False, **device):
        context = chromium.new_context(accept_downloads=True, **device)
        context.set_default_timeout(120_000)
        contexts.append(context)
        page = context.new_page()
        if not expect_errors:
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on(
                "console", lambda said: errors.append(said.text) if said.type == "error" else None
            )
        page.goto(url)
        if ready:
            page.locator("#where[data-ready]").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def random():
    return np.random.default_rng(5)
