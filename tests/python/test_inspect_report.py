"""The report of an inspection: one page, on a phone, on paper, and by the command line."""

import base64
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from inspection_cases import counts, with_vacancy
from PIL import Image

import stemzoo
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, write

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
VOID = {"meta", "img", "circle", "polyline", "br", "link"}


class Page(HTMLParser):
    """Every element, with its attributes; and whether they nest."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def found():
    holed, full, _ = with_vacancy()
    return stemzoo.inspect(counts(holed), full.astype(np.float32), "denoise-live")


@pytest.fixture(scope="module")
def text(found):
    return found.html("au <film>", "stemzoo replay clean.tif")


@pytest.fixture
def files(tmp_path):
    holed, _, _ = with_vacancy()
    write(tmp_path / "raw.tif", Micrograph(counts(holed)))
    raw, clean = str(tmp_path / "raw.tif"), str(tmp_path / "clean.tif")
    assert main(["denoise", raw, "-o", clean, "--model", "denoise-live"]) == 0
    return raw, clean, tmp_path


def test_the_page_needs_nothing_but_itself(text):
    page = Page(text)
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not page.all("script")
    assert "http" not in text.replace("http-equiv", "")


def test_the_pictures_are_the_frame_and_its_kin(text, found):
    images = {each["alt"]: each["src"] for each in Page(text).all("img")}
    assert set(images) == {"raw", "result", "residual", "columns", "map"}
    for name, source in images.items():
        with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
            pixels = np.asarray(picture)
        assert pixels.shape == (found.residual.map.shape if name == "map" else found.raw.shape)
        assert pixels.std() > 5


def test_every_column_is_marked(text, found):
    columns = found.columns
    marked = columns.supported.sum() + columns.undecided.sum() + columns.contradicted.sum()
    assert len(Page(text).all("circle")) == marked + len(columns.missing)
    (named,) = re.findall(r'<g class="no">(.*?)</g>', text)
    y, x = columns.places[columns.contradicted][0]
    assert f'cx="{x + 0.5:.1f}" cy="{y + 0.5:.1f}"' in named


def test_it_says_what_it_warns_of_and_how_it_was_made(text, found):
    page = Page(text)
    assert "The frame contradicts 1 of" in page.words
    assert "au <film>" in page.words  # and no element of it
    assert "stemzoo replay clean.tif" in page.words
    assert found.model["sha256"] in page.words
    assert f"stemzoo {stemzoo.__version__}" in page.words
    assert "its settings were not recorded" in page.words


def test_it_is_made_for_a_phone_the_dark_and_paper(text):
    (viewport,) = [each for each in Page(text).all("meta") if each.get("name") == "viewport"]
    assert viewport["content"] == "width=device-width, initial-scale=1"
    for rule in ("@media print", "@page", "prefers-color-scheme: dark", "color-scheme: light dark"):
        assert rule in text


def test_the_command_reports_with_the_record_of_the_result(files, capsys):
    raw, clean, folder = files
    report = folder / "report.html"
    assert main(["inspect", raw, clean, "--report", str(report)]) == 0
    said = capsys.readouterr().out
    assert "The frame supports" in said
    assert "report.html" in said
    words = Page(report.read_text()).words
    model = stemzoo.load("denoise-live")
    made = f"denoise-live {model.contract.version} (sha256 {model.sha256})"
    assert "raw.tif (sha256 " in words
    assert f"was denoised with {made}" in words
    assert "stemzoo replay clean.tif" in words
    assert main(["replay", clean]) == 0
    assert main(["inspect", raw, clean, "--report", str(report)]) == 0  # its own older report


def test_the_command_has_json_for_machines(files, capsys):
    raw, clean, _ = files
    capsys.readouterr()
    assert main(["inspect", raw, clean, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    _, _, vacancy = with_vacancy()
    for place in said["columns"]["contradicted"]:  # the network may fill the vacancy
        np.testing.assert_allclose(place, vacancy, atol=3)
    assert said["spacing"] == pytest.approx(9.9, abs=0.3)
    assert said["residual"]["tiles"] is None
    assert said["orientations"] is None  # not asked for


def test_the_command_overwrites_nothing_of_others(files, capsys):
    raw, clean, folder = files
    mine = folder / "mine.html"
    mine.write_text("<p>mine</p>")
    assert main(["inspect", raw, clean, "--report", str(mine)]) == 1
    assert "is no report of stemzoo inspect" in capsys.readouterr().err
    assert mine.read_text() == "<p>mine</p>"
    assert main(["inspect", raw, clean, "--report", str(folder / "report.pdf")]) == 1
    assert "reports are HTML; name it report.html" in capsys.readouterr().err
    assert main(["inspect", raw, clean, "--report", clean]) == 1


def test_a_stack_is_inspected_frame_by_frame(files, capsys):
    _, clean, folder = files
    np.save(folder / "stack.npy", np.zeros((3, 80, 80)))
    assert main(["inspect", str(folder / "stack.npy"), clean]) == 1
    assert "expected one frame" in capsys.readouterr().err


def browse(text, folder, *options):
    """A page in a browser, which is told to picture or to print it."""
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        pytest.skip(f"no browser is installed: one of {', '.join(BROWSERS)}")
    page = folder / "report.html"
    page.write_text(text, encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={folder / 'profile'}", *options, page.as_uri()]
    answer = subprocess.run(command, capture_output=True, check=False)
    assert answer.returncode == 0, answer.stderr.decode()[-500:]


def test_it_is_printed_on_two_pages(text, tmp_path):
    printed = tmp_path / "report.pdf"
    browse(text, tmp_path, f"--print-to-pdf={printed}")
    assert len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) == 2


@pytest.mark.parametrize(("width", "columns"), [(390, 1), (1200, 3)])
def test_a_browser_shows_it(text, tmp_path, width, columns):
    """The picture of a phone has one column of figures, that of a screen three."""
    shot = tmp_path / "shot.png"
    browse(text, tmp_path, f"--screenshot={shot}", f"--window-size={width},1600")
    with Image.open(shot) as picture:
        pixels = np.asarray(picture.convert("L"), float)
    assert pixels.shape == (1600, width)
    detail = pixels.std(axis=0)  # of the figures' columns; margins and gaps have less
    edges = np.diff((detail > 25).astype(int))
    assert (edges == 1).sum() + (detail[0] > 25) >= columns
    assert detail[-4:].max() < 25  # nothing reaches past the right edge
