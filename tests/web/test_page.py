"""The page in Chromium, on files that microscopes have written, beside Python."""

import hashlib
import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.ndimage import shift

from stemzoo.cli.demo.phantoms import perovskite
from stemzoo.inference.model import load
from stemzoo.inference.suitability import comparable
from stemzoo.inference.survey import survey
from stemzoo.io import Micrograph, read, write
from stemzoo.scan.restoration import restore
from stemzoo.trust.replay import replay
from stemzoo.zoo import index
from tests.python.microscope_files import write_dm

AGREE = 1e-3  # of the range: what the page may differ from Python by
FIRST_LOAD = 8_000_000  # bytes, beside the model
MODEL = "denoise-live"


@pytest.fixture(scope="module")
def model():
    return load(MODEL)


@pytest.fixture
def tiff(tmp_path, random):
    """A lattice at a few electrons per pixel, calibrated."""
    y, x = np.mgrid[:150, :170]
    columns = np.cos(2 * np.pi * y / 11.3) * np.cos(2 * np.pi * (x + 0.3 * y) / 12)
    counts = random.poisson(6 * np.exp(3 * columns - 3) + 0.3).astype("u2")
    path = tmp_path / "lattice.tif"
    write(path, Micrograph(counts, (0.021, 0.02), "nm", {"title": "a lattice", "stage": 12.5}))
    return path


def drop(page, *files):
    before = page.locator("#files li").count()
    page.set_input_files("#file", list(files))
    expect(page.locator("#files canvas, #files .failed")).to_have_count(before + len(files))


def run(page, model=MODEL):
    page.select_option("#model", model)
    page.click("#run")
    page.locator("#download:visible, #problem:visible").first.wait_for(timeout=120_000)
    assert page.text_content("#problem") == ""


def download(page, folder):
    with page.expect_download() as found:
        page.click("#download")
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def require_same(result, wanted):
    assert result.dtype == np.float32
    assert np.abs(result - wanted).max() <= AGREE * np.ptp(wanted)


def require_same_judgement(page, frame, run):
    """The page says of a frame and its result what Python does."""
    # Python names an option of its commands besides.
    plain = [re.sub(r" \(--bin \d+\)", "", text) for text in run.warnings]
    warned = page.locator("#warnings li").all_text_contents()
    assert warned == [text[:1].upper() + text[1:] + "." for text in plain]
    found = survey(*comparable(frame, run.image))
    facts = page.locator("#facts").text_content()
    apart = f"Columnsabout {found.spacing:.3g} px apart"
    assert (apart in facts) if found.atoms else "Columns" not in facts
    assert f"Doseabout {found.independent_dose:.2g} electrons" in facts


def test_a_tiff(site, visit, model, tiff, tmp_path):
    page = visit(site.url)
    drop(page, tiff)
    run(page)
    result = download(page, tmp_path)
    assert result.name == "lattice.denoised.tif"
    back, wanted = read(result), model.run(read(tiff).data)
    require_same(back.data, wanted.image)
    assert back.pixel_size == pytest.approx((0.021, 0.02))
    assert (back.unit, back.metadata["title"], back.metadata["stage"]) == ("nm", "a lattice", 12.5)
    record = back.metadata["provenance"]
    assert record["input"]["sha256"] == hashlib.sha256(tiff.read_bytes()).hexdigest()
    assert record["model"]["sha256"] == model.sha256
    assert record["normalisation"]["mean"] == pytest.approx(
        wanted.settings["normalisation"]["mean"], rel=1e-12
    )
    assert record["tiling"]["tile"] == list(wanted.settings["tiling"]["tile"])
    assert replay(result).agrees
    require_same_judgement(page, read(tiff).data, wanted)


@pytest.mark.parametrize(("period", "peak"), [(2.9, 100), (70, 0.1), (400, 20)])
def test_pictures_out_of_range_are_warned_of(site, visit, model, random, tmp_path, period, peak):
    """Columns too close, too few electrons, columns too far apart."""
    picture = perovskite((256, 230), 5, period=period, sigma=0.24 * period).image((256, 230))
    frame = random.poisson(picture / picture.max() * peak).astype("u2")
    write(tmp_path / "frame.tif", Micrograph(frame))
    page = visit(site.url)
    drop(page, tmp_path / "frame.tif")
    run(page)
    wanted = model.run(frame)
    assert wanted.warnings
    require_same_judgement(page, frame, wanted)


def test_files_of_microscopes(site, visit, model, real_files, tiff, tmp_path):
    """A DM4 of a Gatan system, a DM3 and a TIFF; the result of a result keeps the first record."""
    names = ("dm4_2D_data-test-MonarcCL_mono-image.dm4", "dm3_2D_data-test_STEM_image.dm3")
    files = [real_files / name for name in names]
    files.append(real_files / "tiff_files-test_loading_image_saved_with_imageJ.tif")
    # What microscopes wrote there is small; of more pixels, this one is.
    files.append(tmp_path / "large.dm4")
    write_dm(files[-1], [read(tiff).data], version=4)
    page = visit(site.url)
    drop(page, *files)
    page.select_option("#model", MODEL)
    page.click("#run-all")
    expect(page.locator("#files .state", has_text="Done")).to_have_count(4)
    for number, path in enumerate(files):
        page.locator("#files button").nth(number).click()
        given, back = read(path), read(download(page, tmp_path))
        require_same(back.data, model(given.data))
        assert back.unit == given.unit
        assert back.pixel_size == pytest.approx(given.pixel_size, rel=1e-5)
    again = tmp_path / files[0].with_suffix(".denoised.tif").name
    drop(page, again)
    page.locator("#files button").nth(4).click()
    run(page)
    record = read(download(page, tmp_path)).metadata["provenance"]
    assert record["input"]["provenance"]["input"]["file"] == files[0].name


@pytest.mark.parametrize("name", ["denoise-atomic", "vasudevan-denoise", "lobato-restore"])
def test_other_models(site, visit, tiff, tmp_path, name):
    page = visit(site.url)
    drop(page, tiff)
    run(page, name)
    require_same(read(download(page, tmp_path)).data, load(name)(read(tiff).data))


def test_tiles(site, visit, tiff, tmp_path):
    """More windows than fit one batch: the loop is taken several times."""
    page = visit(site.url)
    frame = np.tile(read(tiff).data, (3, 3))
    write(tmp_path / "large.tif", Micrograph(frame))
    drop(page, tmp_path / "large.tif")
    run(page, "buban-autoencoder")
    require_same(read(download(page, tmp_path)).data, load("buban-autoencoder")(frame))


@pytest.fixture
def jittered(random):
    """A scan at 50 electrons per pixel whose rows, along x, lie a pixel rms from their place."""
    shape, moved = (160, 144), random.normal(0, 1, 160)
    truth = perovskite(shape, 91).image(shape)
    seen = [shift(row, -d, mode="reflect") for row, d in zip(truth, moved, strict=True)]
    return random.poisson(np.maximum(seen, 0) * (50 / truth.max())).astype("u2"), moved


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_scan_is_straightened(site, visit, jittered, tmp_path, axis):
    frame, moved = jittered
    frame = frame if axis == "x" else frame.T
    write(tmp_path / "scan.tif", Micrograph(frame))
    page = visit(site.url)
    drop(page, tmp_path / "scan.tif")
    run(page, "restore-scan")
    result = download(page, tmp_path)
    wanted = restore(frame, details=True)
    require_same(read(result).data, wanted.image)
    scan = read(result).metadata["provenance"]["scan"]
    assert (scan["fast_axis"], scan["denoiser"]) == (axis, load("restore-scan").contract.denoiser)
    (rows,) = np.array(scan["rows"])
    assert np.abs(rows - wanted.rows).max() < 1e-3
    assert np.corrcoef(rows[:, 1 if axis == "x" else 0], moved)[0, 1] > 0.9
    assert replay(result).agrees


@pytest.mark.parametrize("shape", [(20, 70), (90, 70)])
def test_what_shows_no_moved_rows_is_only_denoised(site, visit, random, tmp_path, shape):
    """Too small to look for rows, or blank; with pixels of another type than the networks'."""
    frame = random.poisson(20, shape).astype("i4")
    write(tmp_path / "still.tif", Micrograph(frame))
    page = visit(site.url)
    drop(page, tmp_path / "still.tif")
    run(page, "restore-scan")
    result = read(download(page, tmp_path))
    require_same(result.data, restore(frame))
    assert not np.any(result.metadata["provenance"]["scan"]["rows"])


def test_all_models_of_images_are_offered(site, visit, tiff):
    page = visit(site.url)
    drop(page, tiff)
    offered = page.locator("#model option").all_text_contents()
    assert offered[0] == f"denoise-atomic {load('denoise-atomic').contract.version}"
    listed = {model["name"] for model in _listed(site) if model["task"] in ("denoise", "restore")}
    assert {name.split()[0] for name in offered} == listed


def test_a_frame_of_a_stack(site, visit, model, tiff, tmp_path):
    stack = np.stack([read(tiff).data, read(tiff).data[::-1], read(tiff).data[:, ::-1]])
    write(tmp_path / "stack.tif", Micrograph(stack))
    page = visit(site.url)
    drop(page, tmp_path / "stack.tif")
    page.fill("#frame", "2")
    page.keyboard.press("Tab")
    run(page)
    result = download(page, tmp_path)
    require_same(read(result).data, model(stack[1]))
    assert read(result).metadata["provenance"]["input"]["frame"] == 1
    assert replay(result).agrees


def test_nothing_is_uploaded_and_the_first_load_is_small(site, visit, tiff):
    page = visit(site.url)
    assert site.sent < FIRST_LOAD
    drop(page, tiff)
    run(page)
    assert all(method == "GET" for method, _ in site.requests)


def test_offline_once_loaded(site, visit, tiff):
    page = visit(site.url)
    drop(page, tiff)
    run(page)
    page.context.set_offline(True)
    site.spoilt = {name: b"nobody is here" for _, name in site.requests}
    page.reload()
    page.locator("#where[data-ready]").wait_for()
    drop(page, tiff)
    run(page)


def test_threads_after_the_first_visit(site, visit):
    """The service worker sends the headers that wasm needs for more than one thread."""
    page = visit(site.url)
    page.reload()
    page.locator("#where[data-ready]").wait_for()
    assert page.evaluate("() => crossOriginIsolated") is True


def test_a_changed_model_is_refused(site, visit, tiff):
    version = load(MODEL).contract.version
    (entry,) = [e for e in _listed(site) if (e["name"], e["version"]) == (MODEL, version)]
    site.spoilt[f"zoo/{MODEL}/{MODEL}-{version}.onnx"] = bytes(entry["size"])
    page = visit(site.url)
    drop(page, tiff)
    page.select_option("#model", MODEL)
    page.click("#run")
    expect(page.locator("#problem")).to_contain_text("sha256 differs")
    expect(page.locator("#download")).to_be_hidden()


def _listed(site):
    from conftest import PAGE

    return json.loads((PAGE / "zoo" / index.FILE).read_bytes())["models"]


def test_cancel(site, visit, tiff, tmp_path):
    page = visit(site.url)
    write(tmp_path / "large.tif", Micrograph(np.tile(read(tiff).data, (8, 6))))
    drop(page, tmp_path / "large.tif", tiff)
    page.select_option("#model", "denoise-atomic")
    page.click("#run")
    expect(page.locator("#doing")).to_contain_text("Running")
    page.click("#cancel")
    expect(page.locator("#files .state").first).to_have_text("Cancelled")
    page.locator("#files button").nth(1).click()
    run(page)  # and what comes next is not hurt


def test_files_that_cannot_be_used_say_why(site, visit, tiff, tmp_path):
    (tmp_path / "cut.tif").write_bytes(tiff.read_bytes()[:9000])
    (tmp_path / "notes.docx").write_bytes(b"PK\3\4 and so on")
    write(tmp_path / "holes.tif", Micrograph(np.full((70, 70), np.nan, "f4")))
    page = visit(site.url)
    drop(page, tmp_path / "cut.tif", tmp_path / "notes.docx", tmp_path / "holes.tif")
    expect(page.locator("#problem")).to_contain_text("cut.tif cannot be read: it is cut off")
    page.locator("#files button").nth(1).click()
    expect(page.locator("#problem")).to_contain_text("reads TIFF, PNG, DM3, DM4 and MRC")
    page.locator("#files button").nth(2).click()
    page.click("#run")
    expect(page.locator("#problem")).to_contain_text("Image holds NaN or infinity")


def test_keys_alone(site, visit, tiff):
    page = visit(site.url)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.dataset.do") == "choose"
    drop(page, tiff)
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("() => document.activeElement.id || document.activeElement.name"))
    assert {"model", "run", "mode"} <= set(seen)
    page.focus("#run")
    page.keyboard.press("Enter")
    expect(page.locator("#download")).to_be_visible()
    divider = page.locator("#divider")
    divider.focus()
    page.keyboard.press("End")
    expect(divider).to_have_attribute("aria-valuenow", "100")
    zoom = page.text_content("#zoom")
    page.locator("#view canvas").focus()
    page.keyboard.press("+")
    assert page.text_content("#zoom") != zoom
    page.keyboard.press("0")
    assert page.text_content("#zoom") == zoom


def test_a_phone(site, visit, tiff):
    page = visit(site.url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    drop(page, tiff)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    run(page)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    for button in page.locator("button:visible").all():
        assert button.bounding_box()["height"] >= 34
