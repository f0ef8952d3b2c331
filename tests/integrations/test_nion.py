"""The plug-in in Nion Swift, headless, at its simulated microscope."""

import json
import pkgutil
import threading
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nion.usim_device", reason="needs stemzoo[nion]: make test-integrations")

from nion.data import Calibration, DataAndMetadata
from nion.swift.model import DataItem
from nion.utils import Registry

import nionswift_plugin
import stemzoo
from nionswift_plugin.stemzoo import drift_tracking, panel
from nionswift_plugin.stemzoo.drift_tracking import DriftTracker
from nionswift_plugin.stemzoo.frames import scan_frames
from nionswift_plugin.stemzoo.motion import Motion
from nionswift_plugin.stemzoo.processing import drift_from_reference
from stemzoo.cli.demo.phantoms import expose, perovskite
from tests.integrations import closed_loop
from tests.integrations.microscope import PIXEL, SIDE, microscope, nion_tracker

pytestmark = pytest.mark.filterwarnings("default")  # Nion Swift's own


@pytest.fixture
def scope(tmp_path):
    with microscope(tmp_path) as scope:
        yield scope


def _waited(scope, condition):
    """Runs the event loop of the application until the condition holds."""
    for _ in range(3000):
        scope.document_controller.periodic()
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("what was waited for has not come")


def _shown(scope, data):
    """A data item with calibrations."""
    xdata = DataAndMetadata.new_data_and_metadata(
        data,
        Calibration.Calibration(1, 2, "counts"),
        [Calibration.Calibration(3, 0.02, "nm"), Calibration.Calibration(4, 0.03, "nm")],
    )
    item = DataItem.new_data_item(xdata)
    scope.document_model.append_data_item(item)
    return scope.document_model.get_display_item_for_data_item(item), item


def _computed(scope, made):
    scope.document_model.recompute_all()
    return made.xdata


def test_nion_swift_finds_the_plug_in():
    found = {module.name for module in pkgutil.iter_modules(nionswift_plugin.__path__)}
    assert {"stemzoo", "usim"} <= found
    manifest = Path(drift_tracking.__file__).with_name("manifest.json")
    assert json.loads(manifest.read_text())["version"] == stemzoo.__version__


def test_what_it_registers_and_takes_back(scope, tmp_path):
    components = Registry.get_components_by_type("processing-component")
    titles = {each.title for each in components if each.processing_id.startswith("stemzoo.")}
    assert titles == {
        "Denoise (stemzoo)",
        "Restore Scan (stemzoo)",
        "Drift from Reference (stemzoo)",
    }
    assert isinstance(scope.scan.drift_tracker, DriftTracker)
    drift_tracking.unregister()
    assert not isinstance(scope.scan.drift_tracker, DriftTracker)
    drift_tracking.register()


@pytest.mark.parametrize(
    ("task", "direct"),
    [
        ("denoise", lambda image: stemzoo.denoise(image)),
        ("restore", lambda image: stemzoo.restore(image)),
    ],
)
def test_an_image_and_its_calibration(scope, task, direct):
    image = expose(perovskite((64, 80), 1).image((64, 80)), 20, np.random.default_rng(1))
    source = _shown(scope, image)
    result = _computed(scope, scope.document_model.get_processing_new(f"stemzoo.{task}", *source))
    np.testing.assert_array_equal(result.data, direct(image))
    given = source[1].xdata
    assert result.dimensional_calibrations == given.dimensional_calibrations
    assert result.intensity_calibration == given.intensity_calibration
    assert result.metadata["stemzoo"]["task"] == task


def test_the_running_scan_denoised_with_its_calibration(scope):
    scope.scan.set_current_frame_parameters(scope.parameters)
    scope.scan.start_playing()
    try:
        _waited(scope, lambda: len(scope.document_model.data_items) > 0)
        live = scope.document_model.data_items[0]
        display_item = scope.document_model.get_display_item_for_data_item(live)
        clean = panel.denoised(scope.document_model, display_item)
        _waited(scope, lambda: clean.xdata is not None and clean.data_shape == (SIDE, SIDE))
        first = np.copy(clean.data)
        _waited(scope, lambda: not np.array_equal(clean.data, first))  # it follows the scan
    finally:
        scope.scan.abort_playing(sync_timeout=30)
    scope.document_model.recompute_all()
    assert clean.xdata.dimensional_calibrations[0].units == "nm"
    assert clean.xdata.dimensional_calibrations[0].scale == pytest.approx(PIXEL)
    np.testing.assert_array_equal(clean.data, stemzoo.denoise(live.data, "denoise-live"))
    assert "denoise-live" in clean.title


def test_drift_from_a_reference(scope):
    specimen, random = perovskite((140, 140), 1), np.random.default_rng(1)
    still = expose(specimen.image((128, 128)), 100, random)
    moving = expose(specimen.image((128, 128), (2.5, -1.5)), 100, random)
    items = [_shown(scope, image)[0] for image in (moving, still)]
    result = _computed(scope, drift_from_reference(scope.document_model, *items))
    found = result.metadata["stemzoo"]["drift"]
    assert not found["ambiguous"]
    assert found["pixels"] == pytest.approx([2.5, -1.5], abs=0.1)
    assert found["shift"] == pytest.approx([0.05, -0.045], abs=0.003)
    assert found["units"] == "nm"
    inner = np.s_[16:-16, 16:-16]
    assert np.corrcoef(result.data[inner].ravel(), still[inner].ravel())[0, 1] > 0.8


def test_a_drift_that_is_ambiguous_moves_nothing(scope):
    random = np.random.default_rng(1)
    still, moving = (random.poisson(9, (96, 96)).astype("f4") for _ in range(2))
    items = [_shown(scope, image)[0] for image in (moving, still)]
    result = _computed(scope, drift_from_reference(scope.document_model, *items))
    assert result.metadata["stemzoo"]["drift"]["ambiguous"]
    np.testing.assert_array_equal(result.data, moving)


@pytest.mark.parametrize("made", [lambda: DriftTracker(None), DriftTracker])
def test_drift_is_measured_and_compensated(scope, made):
    residual, problems = closed_loop.measured_before_each_frame(scope, made(), 25, 1)
    assert set(problems) == {""}
    assert np.sqrt((residual**2).mean()) <= 0.3
    assert np.abs(residual).max() < closed_loop.HOP


def test_nions_own_corrector_in_the_same_loop(scope):
    """Against which ours is compared: if this fails, the loop is at fault."""
    residual, _ = closed_loop.measured_before_each_frame(scope, nion_tracker(), 8, 1)
    assert np.sqrt((residual**2).mean()) < 1


def test_the_live_scan_is_kept_in_place(scope):
    residual, error = closed_loop.followed_live(scope, 15, 1)
    # A step of the random walk cannot be foreseen; what was measured of each frame is exact.
    assert np.sqrt((residual**2).mean()) < 2 * closed_loop.WALK
    assert np.sqrt((error**2).mean()) <= 0.3


def test_the_scan_as_the_source_of_a_stream(scope):
    stop, seen = threading.Event(), []

    def sink(frame):
        seen.append(frame)
        if len(seen) == 4:
            stop.set()

    scope.scan.set_current_frame_parameters(scope.parameters)
    scope.scan.start_playing()
    try:
        source = scan_frames(scope.scan, stop=stop)
        stemzoo.live(source, sink, model=None, drift="classical", stop=stop)
    finally:
        scope.scan.abort_playing(sync_timeout=30)
    numbers = [frame.source.metadata["frame"] for frame in seen]
    assert numbers == sorted(set(numbers))
    assert seen[0].source.pixel_size == pytest.approx((PIXEL, PIXEL))
    assert seen[0].source.unit == "nm"
    assert (seen[-1].drift.dy, seen[-1].drift.dx) == pytest.approx((0, 0), abs=0.1)


def _xdata(image, **scan):
    calibration = [Calibration.Calibration(0, PIXEL, "nm")] * 2
    return DataAndMetadata.new_data_and_metadata(
        image, dimensional_calibrations=calibration, metadata={"scan": scan}
    )


def test_a_frame_that_says_nothing_holds_the_correction_and_is_shown():
    random = np.random.default_rng(1)
    specimen = perovskite((128, 128), 1)
    tracker = DriftTracker(None)
    for shift in (0.0, 1.0, 2.0):
        frame = expose(specimen.image((128, 128), (shift, 0)), 100, random)
        tracker.submit_image(_xdata(frame), 0.0, wait=True)
    assert tracker.problem == ""
    before = tracker.total_delta_nm
    assert before.height == pytest.approx(-2 * PIXEL, abs=0.1 * PIXEL)
    bad = [np.ones((128, 128), "f4"), *random.poisson(9, (4, 128, 128)).astype("f4")]
    for image in bad:
        tracker.submit_image(_xdata(image), 0.0, wait=True)
        assert "correlates" in tracker.problem
        assert tracker.predict_drift(tracker._last_time + timedelta(seconds=5)) == before
    assert tracker.measurement_count == 2


def test_a_scan_that_is_not_calibrated_is_shown_and_moves_nothing():
    frame = np.random.default_rng(1).poisson(9, (64, 64)).astype("f4")
    tracker = DriftTracker(None)
    for _ in range(2):
        tracker.submit_image(DataAndMetadata.new_data_and_metadata(frame), 0.0, wait=True)
    assert "expected nm" in tracker.problem
    assert tracker.measurement_count == 0


def test_a_drift_out_of_range_moves_nothing():
    specimen, random = perovskite((64, 64), 1), np.random.default_rng(1)
    tracker = DriftTracker(None)
    far = 3 * 64 * PIXEL  # nm, by which the scan itself has moved: beyond two fields
    for centre in (0.0, far):
        frame = expose(specimen.image((64, 64)), 200, random)
        tracker.submit_image(_xdata(frame, center_y_nm=centre, center_x_nm=0.0), 0.0, wait=True)
    assert "beyond" in tracker.problem
    assert tracker.total_delta_nm.height == 0


def test_the_panel(scope):
    """What its buttons do."""
    from nion.swift import Facade

    api = Facade.get_api(version="~1.0", ui_version="~1.0")
    made = panel._Panel(api)
    ui = Facade.UserInterface("~1.0", scope.document_controller.ui)
    window = Facade.DocumentWindow(scope.document_controller)
    assert made.create_panel_widget(ui, window) is not None
    assert panel.denoise_live(scope.document_controller) is None  # nothing is chosen
    assert panel.place_on_reference(scope.document_controller) is None
    assert panel.scan_source() is scope.scan
    made._correct("checked")
    assert made._status.text == "Waiting for a frame"
    scope.scan.set_current_frame_parameters(scope.parameters)
    scope.scan.start_playing()
    try:
        _waited(scope, lambda: made._status.text.startswith("Drift"))
    finally:
        scope.scan.abort_playing(sync_timeout=30)
        made.close()
    assert made._status.text == "Drift is not followed"


def _moving(positions):
    motion = Motion()
    for time_, position in enumerate(positions):
        motion.add(float(time_), np.array(position, float))
    return motion


def test_motion_leads_on_and_holds_where_nothing_is_known():
    motion = _moving([(2 * k, -k) for k in range(6)])
    np.testing.assert_allclose(motion.predict(6.0), (12, -6))
    np.testing.assert_allclose(motion.predict(60.0), (16, -8))  # three steps at most
    motion.hold()
    np.testing.assert_allclose(motion.predict(6.0), (10, -5))


def test_motion_decides_only_where_one_candidate_is_left():
    motion = _moving([(2 * k, 0) for k in range(8)])
    here, near, far = np.array([16.2, 0.0]), np.array([18.0, 0.0]), np.array([36.0, 0.0])
    assert motion.chosen(8.0, [far, here], 0.5) == 1
    assert motion.chosen(8.0, [here, near], 0.5) is None  # the other is not ruled out
    assert motion.chosen(8.0, [far], 0.5) is None
    assert _moving([(0, 0)] * 3).chosen(3.0, [here, far], 0.5) is None  # too little is known
