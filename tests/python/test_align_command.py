"""stemzoo align: a series in, its average, a table and a picture out."""

import csv
import json

import numpy as np
import pytest
from drifting_series import SHAPE, drifting, steps
from PIL import Image

from stemzoo import align
from stemzoo.cli.main import main
from stemzoo.io import Micrograph, read, write
from stemzoo.plotting.alignment_sheet import save_alignment
from stemzoo.plotting.plots import Plot
from stemzoo.plotting.ring_correlation import resolved_frequency, ring_correlation

PATH = steps(6)


@pytest.fixture(scope="module")
def series():
    return drifting(PATH)


@pytest.fixture
def stack(series, tmp_path):
    path = tmp_path / "series.tif"
    write(path, Micrograph(series, (0.02, 0.03), "nm", {"title": "a series"}, None))
    return path


def run(stack, *more):
    out = stack.with_name("average.tif")
    return main(["align", str(stack), "-o", str(out), "--model", "none", *map(str, more)])


def test_the_average_keeps_calibration_and_says_how(stack, series, capsys):
    assert run(stack, "--max-shift", 16) == 0
    said = capsys.readouterr().out
    assert "6 of 6 frames" in said
    assert " nm" in said
    found = align(series, None, max_shift=16)
    result = read(stack.with_name("average.tif"))
    np.testing.assert_array_equal(result.data, found.average)
    assert result.pixel_size == pytest.approx((0.02, 0.03), rel=1e-6)
    assert result.unit == "nm"
    assert result.metadata["title"] == "a series"
    record = result.metadata["provenance"]
    assert record["task"] == "align"
    assert record["model"] is None
    assert record["input"]["file"] == "series.tif"
    assert record["settings"]["max_shift"] == 16
    np.testing.assert_allclose(record["shifts"], found.shifts, atol=1e-4)
    assert record["rejected"] == []
    assert json.dumps(record)


def test_the_table_and_the_picture_and_the_pairs(stack, series, capsys):
    table, picture, kept = (stack.with_name(name) for name in ("s.csv", "p.png", "k.npz"))
    more = ("--shifts", table, "--picture", picture, "--resume", kept, "--band", 3, "--scan-drift")
    assert run(stack, *more) == 0
    assert run(stack, *more) == 0
    found = align(series, None, band=3, scan_drift=True)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [int(row["frame"]) for row in rows] == list(range(6))
    for name, column in (("dy", found.shifts[:, 0]), ("sigma_dx", found.sigma[:, 1])):
        np.testing.assert_allclose([float(row[name]) for row in rows], column, atol=1e-4)
    np.testing.assert_allclose(
        [float(r["scan_dx"]) for r in rows], found.scan_rate[:, 1], atol=1e-4
    )
    assert {row["rejected"] for row in rows} == {"0"}
    with Image.open(picture) as sheet:
        assert sheet.size[0] > 3 * 360
    assert kept.exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--shifts", "average.tif"), "is shifts and output at once|is output and shifts at once"),
        (("--picture", "series.tif"), "is stack and picture at once"),
        (("--band", "0"), "band is 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(stack, more, message, capsys, monkeypatch):
    monkeypatch.chdir(stack.parent)
    before = stack.read_bytes()
    assert run(stack, *more) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert any(part in said for part in message.split("|"))
    assert stack.read_bytes() == before


def test_one_image_is_no_series(series, tmp_path, capsys):
    np.save(tmp_path / "one.npy", series[0])
    assert run(tmp_path / "one.npy") == 1
    assert "holds one image of shape (96, 80)" in capsys.readouterr().err


def test_a_picture_of_frames_that_were_lost(series, tmp_path):
    stack = series.copy()
    stack[0], stack[2] = np.nan, 0
    save_alignment(tmp_path / "p.png", stack, align(stack, None, max_shift=16))
    with Image.open(tmp_path / "p.png") as sheet:
        six = sheet.size
    # Three frames make no halves to compare.
    save_alignment(tmp_path / "q.png", series[:3], align(series[:3], None, max_shift=16))
    with Image.open(tmp_path / "q.png") as sheet:
        assert sheet.size == six
        pixels = np.asarray(sheet)
    assert (pixels[pixels.shape[0] // 2 + 20 :, 2 * pixels.shape[1] // 3 + 8 :] == 255).all()


def test_a_plot_puts_values_where_its_axes_say():
    plot = Plot((200, 300), "frame", "px")
    plot.limits(np.array([0.0, 10.0]), np.array([-1.0, 1.0]))
    blank = plot.grey().copy()
    plot.rings(np.array([5.0]), np.array([[0.0]]))
    rows, columns = np.nonzero(plot.grey() != blank)
    assert abs(columns.mean() - (46 + 300 - 12) / 2) < 2
    assert abs(rows.mean() - (26 + 200 - 38) / 2) < 2


def test_rings_agree_as_far_as_the_signal_reaches():
    random = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.rfftfreq(256))
    spectrum = np.fft.rfft2(random.normal(size=(256, 256))) * (frequency < 0.2)
    signal = np.fft.irfft2(spectrum) * 10
    one, other = (signal + random.normal(size=signal.shape) for _ in range(2))
    frequencies, agreement = ring_correlation(one, other)
    assert agreement[frequencies < 0.19].min() > 0.9
    assert np.abs(agreement[frequencies > 0.22]).max() < 0.2
    assert resolved_frequency(frequencies, agreement, 256) == pytest.approx(0.2, abs=0.015)


def test_the_first_crossing_counts_and_no_later_agreement():
    frequencies = np.arange(1, 129) / 256
    agreement = np.where(frequencies < 0.1, 0.95, 0.0)
    agreement[(frequencies > 0.29) & (frequencies < 0.31)] = 0.9
    found = resolved_frequency(frequencies, agreement, 256)
    assert found == pytest.approx(0.1, abs=0.005)


def test_a_wiggle_of_the_lowest_rings_is_no_crossing():
    frequencies = np.arange(1, 129) / 256
    agreement = np.where(frequencies < 0.2, 0.95, 0.0)
    agreement[:4] = -0.2  # of a crystal without shading
    agreement[8:10] = 0.05
    found = resolved_frequency(frequencies, agreement, 256)
    assert found == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_noise_agrees_nowhere(seed):
    random = np.random.default_rng(seed)
    one, other = random.normal(size=(2, *SHAPE))
    one[:9] = np.nan
    assert resolved_frequency(*ring_correlation(one, other), min(SHAPE)) == 0
