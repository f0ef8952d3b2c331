"""What results show in a notebook, and the figures of stemzoo.plot."""

import base64
import importlib
import io
import re
import sys
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

import stemzoo
from stemzoo import plot
from stemzoo.cli.demo.phantoms import expose, perovskite

mpl.use("Agg")

SHIFTS = np.array([(0, 0), (1.5, -1), (3, -2), (4.5, -2.5), (6, -4)])
PICTURE = re.compile(r'src="data:image/png;base64,([^"]+)"')


def frame(shift=(0.0, 0.0), seed=1, shape=(96, 112)):
    image = perovskite((140, 140), 1).image(shape, shift)
    return expose(image, 40, np.random.default_rng(seed)).astype(np.float32)


@pytest.fixture(scope="module")
def aligned():
    return stemzoo.align(np.stack([frame(shift, k) for k, shift in enumerate(SHIFTS)]), None)


@pytest.fixture(scope="module")
def merged():
    return stemzoo.merge_scans([frame(shape=(96, 96)), np.rot90(frame(seed=2, shape=(96, 96)))])


@pytest.fixture(scope="module")
def restored():
    return stemzoo.restore(frame(), details=True)


@pytest.fixture
def shown(request):
    """A result by its name."""
    return request.getfixturevalue(request.param)


class _Balanced(HTMLParser):
    """Fails where an element is closed that is not open."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def card(found):
    """The HTML that a notebook shows, and its pictures."""
    html = found._repr_html_()
    parser = _Balanced()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    assert len(html) < 400_000  # a notebook keeps it
    return html, [Image.open(io.BytesIO(base64.b64decode(each))) for each in PICTURE.findall(html)]


@pytest.mark.parametrize("shown", ["aligned", "merged", "restored"], indirect=True)
def test_a_result_shows_its_picture_and_its_path(shown):
    html, (picture, path) = card(shown)
    assert "px" in html
    assert np.asarray(picture).std() > 10
    assert {np.asarray(path).min(), np.asarray(path).max()} == {30, 255}
    image = shown.average if shown.__class__.__name__ == "Alignment" else shown.image
    rows, columns = image.shape
    assert picture.width * rows == picture.height * columns


def test_an_inspection_shows_frame_result_and_residual_and_warns():
    raw = frame(shape=(96, 96))
    found = stemzoo.inspect(raw, np.full_like(raw, raw.mean()))
    html, pictures = card(found)
    assert len(pictures) == 3
    assert found.warnings
    assert html.count("<li>") == len(found.warnings)


def test_a_drift_shows_where_it_leads_and_what_else_it_could_be():
    candidates = (stemzoo.Candidate(-8.0, 3.0, 0.25),)
    found = stemzoo.Drift(2.0, -1.0, (0.1, 0.2), True, 0.5, candidates, "a < b")
    html, _ = card(found)
    assert "M0 0L-1.000 2.000" in html
    assert 'cx="3.000" cy="-8.000"' in html
    assert "a &lt; b" in html
    unknown = stemzoo.Drift(np.nan, np.nan, (np.inf, np.inf), True, 0.0, (), "blank")
    html, _ = card(unknown)
    assert "<svg" not in html
    assert "blank" in html


def test_a_path_with_its_errors(aligned):
    axes = plot.drift_path(aligned)
    lines = [line for line in axes.get_lines() if line.get_label() in ("dy", "dx")]
    np.testing.assert_array_equal(np.stack([line.get_ydata() for line in lines], 1), aligned.shifts)
    assert axes.get_xlabel() == "frame"
    assert len(axes.collections) == 2  # the bands


@pytest.mark.parametrize(("shown", "count"), [("restored", 2), ("merged", 4)], indirect=["shown"])
def test_displacements_of_rows(shown, count):
    axes = plot.drift_path(shown)
    assert axes.get_xlabel() == "row"
    assert len(axes.get_legend().get_texts()) == count
    with pytest.raises(TypeError, match="found is a ndarray; expected what align"):
        plot.drift_path(np.zeros((4, 2)))


def test_before_and_after_span_their_own_greys(restored):
    raw = frame()
    first, second = plot.before_after(raw, restored)
    np.testing.assert_array_equal(first.images[0].get_array(), raw)
    np.testing.assert_array_equal(second.images[0].get_array(), restored.image)
    assert first.images[0].get_clim()[1] > second.images[0].get_clim()[1]


def test_the_residual_is_grey_about_zero():
    raw = frame()
    clean = stemzoo.denoise(raw)
    axes = plot.residual(raw, clean)
    low, high = axes.images[0].get_clim()
    assert low == -high
    np.testing.assert_allclose(axes.images[0].get_array(), raw - clean, atol=1e-5)
    with pytest.raises(ValueError, match=r"before has shape \(96, 112\) and after \(4, 4\)"):
        plot.residual(raw, np.zeros((4, 4)))


def test_ring_correlation_of_two_exposures():
    axes = plot.ring_correlations(frame(seed=1), frame(seed=2))
    (resolved,) = (line for line in axes.get_lines() if str(line.get_label()).endswith("px"))
    assert 0.1 < resolved.get_xdata()[0] < 0.3  # columns of 3.2 px in width
    with pytest.raises(ValueError, match="expected two images of one shape"):
        plot.ring_correlations(frame(), frame()[:50])


def test_figures_are_drawn_into_the_axes_given(aligned):
    from matplotlib import pyplot

    _, axes = pyplot.subplots()
    assert plot.drift_path(aligned, axes) is axes


def test_without_matplotlib_it_is_said_what_to_install(aligned, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'stemzoo\[plot\]'"):
        plot.drift_path(aligned)


def test_the_public_name_is_the_module():
    assert stemzoo.plot is importlib.import_module("stemzoo.plotting.figures")
