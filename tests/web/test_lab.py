"""The page that `stemzoo serve --page` shows: models run there, and results are the same."""

import numpy as np
import pytest
from conftest import PAGE
from playwright.sync_api import expect
from test_page import download, drop, run, tiff  # noqa: F401  # a fixture

from stemzoo.inference.model import load
from stemzoo.io import read
from stemzoo.scan.restoration import restore
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import State
from stemzoo.trust.replay import replay

TOKEN = "0123456789abcdef"


@pytest.fixture
def service():
    with Server("127.0.0.1", 0, State(page=PAGE)).running() as server:
        yield f"http://127.0.0.1:{server.address[1]}/"


def test_models_run_there(service, visit, tiff, tmp_path):  # noqa: F811
    page = visit(service)
    expect(page.locator("#where")).to_contain_text("Runs on 127.0.0.1")
    expect(page.locator("#privacy")).to_contain_text("sent to 127.0.0.1")
    drop(page, tiff)
    run(page)
    result = download(page, tmp_path)
    back, wanted = read(result), load("denoise-live").run(read(tiff).data)
    np.testing.assert_array_equal(back.data, wanted.image)
    assert (back.unit, back.metadata["title"]) == ("nm", "a lattice")
    assert replay(result).identical
    warned = page.locator("#warnings li").all_text_contents()
    assert warned == [text[:1].upper() + text[1:] + "." for text in wanted.warnings]


def test_restoring_with_rows_is_offered_there(service, visit, tiff, tmp_path):  # noqa: F811
    page = visit(service)
    drop(page, tiff)
    run(page, "restore-scan")
    result = download(page, tmp_path)
    assert result.name == "lattice.restored.tif"
    np.testing.assert_array_equal(read(result).data, restore(read(tiff).data))
    assert replay(result).identical


def test_what_the_service_refuses_is_told(visit, tiff):  # noqa: F811
    with Server("127.0.0.1", 0, State(max_frame=1000, page=PAGE)).running() as server:
        page = visit(f"http://127.0.0.1:{server.address[1]}/")
        drop(page, tiff)
        page.select_option("#model", "denoise-live")
        page.click("#run")
        expect(page.locator("#problem")).to_contain_text("larger --max-frame")


def test_with_a_token(visit, tiff):  # noqa: F811
    with Server("127.0.0.1", 0, State(token=TOKEN, page=PAGE)).running() as server:
        named = {"http_credentials": {"username": "anybody", "password": TOKEN}}
        page = visit(f"http://127.0.0.1:{server.address[1]}/", **named)
        drop(page, tiff)
        run(page)
