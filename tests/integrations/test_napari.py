"""The plug-in in napari itself, headless: its viewer without the canvas, which needs OpenGL."""

import os
import threading
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("napari", reason="needs stemzoo[napari]: make test-integrations")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from napari.components import ViewerModel
from napari.qt import get_qapp
from npe2 import PluginManager, PluginManifest
from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import QApplication
from stemzoo_napari import widgets
from stemzoo_napari.running import Job

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.trust.columns import SURE

pytestmark = pytest.mark.filterwarnings("default")  # napari's own

CALIBRATION = {"scale": (0.02, 0.03), "units": ("nm", "nm"), "translate": (1.0, 2.0)}
SHIFTS = np.array([(0, 0), (1.5, -1), (3, -2), (4.5, -2.5), (6, -4)])


@pytest.fixture
def viewer(monkeypatch):
    """What is raised where Qt calls fails the test."""
    get_qapp()
    raised = []
    monkeypatch.setattr("sys.excepthook", lambda kind, error, trace: raised.append(error))
    yield ViewerModel()
    for error in raised:
        raise error


def _picture(shape=(96, 112), shift=(0.0, 0.0), *, dose=30, seed=1):
    image = perovskite((140, 140), 1).image(shape, shift)
    return expose(image, dose, np.random.default_rng(seed)).astype(np.float32)


def _series():
    return np.stack([_picture(shift=shift, seed=k) for k, shift in enumerate(SHIFTS)])


def _shown(viewer, *layers):
    """Selected, and nothing else."""
    viewer.layers.selection = set(layers)


def _waited(condition):
    """Runs the event loop of Qt until the condition holds."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        QApplication.processEvents()
        if condition():
            return
        time.sleep(0.005)
    pytest.fail("what was waited for has not come")


def _run(widget):
    widget.start.changed.emit(True)
    _waited(lambda: widget.start.enabled)


def _same_place(result, source, ndim=2):
    np.testing.assert_array_equal(result.scale, source.scale[-ndim:])
    np.testing.assert_array_equal(result.translate, source.translate[-ndim:])
    assert result.units == source.units[-ndim:]
    assert result.axis_labels == source.axis_labels[-ndim:]
    inner = (10.0, 20.0)
    world = source.data_to_world((*(0,) * (source.ndim - 2), *inner))
    np.testing.assert_allclose(result.data_to_world((*(0,) * (ndim - 2), *inner)), world[-ndim:])


def test_napari_finds_the_plug_in():
    manifest = PluginManifest.from_distribution("stemzoo")
    manifest.validate_imports()
    assert manifest.package_version == stemzoo.__version__
    titles = {each.display_name for each in manifest.contributions.widgets}
    assert titles == {
        "Denoise",
        "Restore scan",
        "Align series",
        "Merge scans",
        "Inspect result",
    }
    PluginManager.instance().discover()
    assert "stemzoo" in PluginManager.instance()


def test_every_widget_of_the_manifest_opens(viewer):
    for each in PluginManifest.from_distribution("stemzoo").contributions.widgets:
        assert isinstance(each.get_callable()(viewer), widgets.Task)


def test_denoised_layers_lie_on_their_sources(viewer):
    first = viewer.add_image(_picture(), name="one", colormap="viridis", **CALIBRATION)
    turned = {
        **CALIBRATION,
        "rotate": 30,
        "shear": [0.1],
        "affine": [[1, 0.1, 3], [0, 2, 4], [0, 0, 1]],
    }
    second = viewer.add_image(_picture(seed=2), name="two", **turned)
    _shown(viewer, first, second)
    widget = widgets.Denoise(viewer)
    assert widget.chosen.value == "one, two"
    _run(widget)
    for source, seed in ((first, 1), (second, 2)):
        made = viewer.layers[f"{source.name} denoised"]
        np.testing.assert_array_equal(made.data, stemzoo.denoise(_picture(seed=seed)))
        _same_place(made, source)
        assert made.colormap.name == source.colormap.name
        record = made.metadata["stemzoo"]
        assert (record["task"], record["source"]) == ("denoise", source.name)
        assert record["model"]["sha256"] == stemzoo.load("denoise-atomic").sha256
    assert widget.status.value == "Denoised by denoise-atomic"


def test_frames_of_a_series_clean_one_another(viewer):
    stack = viewer.add_image(_series(), scale=(1, 0.02, 0.02), units=("s", "nm", "nm"))
    widget = widgets.Denoise(viewer)
    widget._settings["model"].value = "denoise-live"
    widget._settings["series"].value = True
    _run(widget)
    made = viewer.layers[f"{stack.name} denoised"]
    np.testing.assert_array_equal(
        made.data, stemzoo.denoise(_series(), "denoise-live", series=True)
    )
    _same_place(made, stack, 3)


def test_a_restored_scan_keeps_its_rows(viewer):
    layer = viewer.add_image(_picture(), name="scan", **CALIBRATION)
    _run(widgets.Restore(viewer))
    made = viewer.layers["scan restored"]
    np.testing.assert_array_equal(made.data, stemzoo.restore(_picture()))
    _same_place(made, layer)
    assert np.shape(made.metadata["stemzoo"]["scan"]["rows"]) == (1, 96, 2)


def test_an_aligned_series_and_the_path_of_its_drift(viewer):
    layer = viewer.add_image(
        _series(),
        name="series",
        scale=(2, 0.02, 0.03),
        units=("s", "nm", "nm"),
        axis_labels=("time", "y", "x"),
        translate=(5, 1, 2),
    )
    widget = widgets.Align(viewer)
    _run(widget)
    found = stemzoo.align(_series())
    average, frames, path = (
        viewer.layers[f"series {name}"] for name in ("average", "aligned", "drift")
    )
    np.testing.assert_array_equal(average.data, found.average)
    _same_place(average, layer)
    np.testing.assert_array_equal(np.asarray(frames.data), np.asarray(found.images))
    _same_place(frames, layer, 3)
    middle = (np.array([96, 112]) - 1) / 2
    np.testing.assert_allclose(path.data[:, 2:] - middle, SHIFTS, atol=0.2)
    np.testing.assert_array_equal(path.data[:, 1], range(5))
    assert not path.features["ambiguous"].any()
    _same_place(path, layer, 3)
    assert widget.status.value.startswith("5 frames averaged, drift over 7.2 px")


def test_scans_in_two_directions_become_one_picture(viewer):
    scans = [_picture((96, 96)), np.rot90(_picture((96, 96), seed=2))]
    for image in scans:
        viewer.add_image(image, name="scan", **CALIBRATION)
    _shown(viewer, *viewer.layers)
    widget = widgets.Merge(viewer)
    _run(widget)
    made = viewer.layers["scan merged"]
    np.testing.assert_array_equal(made.data, stemzoo.merge_scans(scans).image)
    _same_place(made, viewer.layers[0])
    assert widget.status.value.startswith("2 scans merged")


def test_an_inspection_marks_the_columns(viewer):
    image = _picture((128, 128), dose=40)
    viewer.add_image(image, name="frame", **CALIBRATION)
    _run(widgets.Denoise(viewer))
    _shown(viewer, viewer.layers["frame denoised"])
    widget = widgets.Inspect(viewer)
    assert widget.chosen.value == "frame, frame denoised"
    _run(widget)
    found = stemzoo.inspect(image, viewer.layers["frame denoised"].data, "denoise-atomic")
    assert widget.status.value.splitlines() == [found.summary(), *found.warnings]
    rings = viewer.layers["frame denoised columns"]
    verdicts = rings.features["verdict"]
    assert (verdicts == "supported").sum() == found.columns.supported.sum() > 50
    chosen = rings.features["log_likelihood_ratio"] > np.log(SURE)
    np.testing.assert_array_equal(chosen, verdicts == "supported")
    np.testing.assert_array_equal(rings.data[chosen], found.columns.places[found.columns.supported])
    _same_place(rings, viewer.layers["frame"])
    assert viewer.layers["frame denoised residual"].data.shape == (128, 128)


def test_without_a_selected_image_nothing_is_started(viewer):
    viewer.add_points(np.zeros((1, 2)))
    widget = widgets.Denoise(viewer)
    widget.start.changed.emit(True)
    assert widget.start.enabled
    assert "no image layer is selected" in widget.status.value


def test_what_cannot_be_used_is_said_and_leaves_the_widget_ready(viewer):
    viewer.add_image(np.zeros((40, 40, 3), np.uint8), rgb=True, name="photo")
    denoise, inspect = widgets.Denoise(viewer), widgets.Inspect(viewer)
    for widget, says in ((denoise, "colour picture"), (inspect, "1 image layers are selected")):
        _run(widget)
        assert says in widget.status.value
        assert not widget.stop.enabled
    merge = widgets.Merge(viewer)
    merge._settings["angles"].value = "0, up"
    _run(merge)
    assert "expected degrees" in merge.status.value
    assert len(viewer.layers) == 1


def test_a_cancelled_task_leaves_no_layer(viewer):
    viewer.add_image(np.stack([_picture(seed=k) for k in range(40)]), name="long")
    widget = widgets.Align(viewer)
    widget.start.changed.emit(True)
    _waited(lambda: widget.bar.value > 0)
    assert widget.bar.value < widget.bar.max == 40 * 39 // 2 + 3 * 40
    widget.stop.changed.emit(True)
    _waited(lambda: widget.start.enabled)
    assert [layer.name for layer in viewer.layers] == ["long"]
    assert widget.status.value == "Cancelled"


def test_a_widget_that_is_closed_drops_its_task(viewer):
    layer = viewer.add_image(np.stack([_picture(seed=k) for k in range(20)]), name="long")
    widget = widgets.Align(viewer)
    widget.start.changed.emit(True)
    _waited(lambda: widget.bar.value > 0)
    job = widget._job
    widget.native.deleteLater()
    QCoreApplication.sendPostedEvents(widget.native, QEvent.Type.DeferredDelete)
    _waited(lambda: not job._worker.is_running)
    viewer.layers.selection = set()  # nothing of the widget is called any more
    assert list(viewer.layers) == [layer]


def test_a_job_ends_where_it_tells_its_progress(viewer):
    """And not only once all of it is computed."""
    steps, ended, results = [], [], []
    first = threading.Event()

    def work(progress):
        for step in range(1000):
            first.wait(30)
            steps.append(step)
            progress(step, 1000)

    job = Job(
        work,
        on_progress=lambda done, total: None,
        on_result=results.append,
        on_error=results.append,
        on_end=lambda: ended.append(True),
    )
    job.cancel()
    first.set()
    _waited(lambda: ended)
    assert steps == [0]
    assert not results


def test_the_manifest_is_packaged():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["napari.manifest"] == {"stemzoo": "stemzoo_napari:napari.yaml"}
