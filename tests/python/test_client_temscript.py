"""clients/temscript/drift_correct.py on a null microscope whose specimen drifts."""

import importlib.util
import threading

import client_library
import numpy as np
import pytest
import stemzoo_client
from moving_specimens import crystal, particle

temscript = pytest.importorskip("temscript", reason="temscript is not installed")

SCRIPT = client_library.ROOT / "clients" / "temscript" / "drift_correct.py"
PIXELS = 2e9 * np.array([[0.5, 0.8], [-0.9, 0.4]])  # px along (y, x) per metre along (x, y)


@pytest.fixture
def script(monkeypatch):
    library = stemzoo_client.Library(str(client_library.built()))
    monkeypatch.setattr(stemzoo_client, "_opened", library)
    spec = importlib.util.spec_from_file_location("drift_correct", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class DriftingMicroscope(temscript.NullMicroscope):
    """It moves by `rate` px a frame, and with the deflector; where `hidden`, it is blank."""

    def __init__(self, specimen, rate=(0.0, 0.0), deflector="beam"):
        super().__init__(wait_exposure=False)
        self.specimen, self.rate, self.deflector = specimen, np.array(rate), deflector
        self.frames = 0
        self.jump = np.zeros(2)
        self.hidden = ()
        self.random = np.random.default_rng(3)

    @property
    def where(self):
        """How far the specimen is from where it was, px."""
        shift = getattr(self, f"get_{self.deflector}_shift")()
        return self.rate * self.frames + self.jump + PIXELS @ shift

    def acquire(self, *detectors):
        self.frames += 1
        image = self.specimen.image((128, 128), tuple(self.where))
        counts = self.random.poisson(100 * image).astype("i4")
        if self.frames in self.hidden:
            counts[...] = 0
        return {name: counts for name in detectors if name in ("HAADF", "CCD")}


def moved(microscope, deflector="beam"):
    return np.hypot(*getattr(microscope, f"get_{deflector}_shift")())


def test_a_drift_is_held_below_a_pixel_or_so(script, capsys):
    microscope = DriftingMicroscope(particle(), rate=(0.7, -0.4))
    assert script.main(["HAADF", "--frames", "30"], microscope) == 0
    assert "30 of 30 frames corrected" in capsys.readouterr().out
    start = 4 * microscope.rate  # of the first frame of the series, after three of calibration
    assert np.hypot(*(microscope.where - start)) < 1.2
    assert np.hypot(*(microscope.rate * 30)) > 24


def test_through_temscripts_server(script, capsys):
    from temscript.server import MicroscopeServer

    microscope = DriftingMicroscope(particle(), (0.7, -0.4), "image")
    server = MicroscopeServer(("127.0.0.1", 0), lambda: microscope)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        remote = f"127.0.0.1:{server.server_address[1]}"
        arguments = ["CCD", "--deflector", "image", "--frames", "8", "--remote", remote]
        assert script.main(arguments) == 0
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)
    assert "8 of 8 frames corrected" in capsys.readouterr().out
    assert np.hypot(*(microscope.where - 4 * microscope.rate)) < 1.2


def calibrated(script, microscope, reach=500e-9):
    deflector = script.Deflector(microscope, "beam", reach)

    def acquire():
        return microscope.acquire("HAADF")["HAADF"]

    deflector.calibrate(acquire, 5e-9)
    return deflector, acquire


def test_the_calibration_is_that_of_the_microscope(script):
    microscope = DriftingMicroscope(particle())
    deflector, _ = calibrated(script, microscope)
    found = [[deflector._yx, deflector._yy], [deflector._xx, deflector._xy]]
    np.testing.assert_allclose(found, PIXELS, rtol=0.02)
    assert moved(microscope) == 0


def test_nothing_moves_where_the_drift_is_not_certain(script, capsys):
    microscope = DriftingMicroscope(particle())
    deflector, acquire = calibrated(script, microscope)
    microscope.hidden = range(5, 50)
    assert script.correct(acquire, deflector, 3, 50, None) == 0
    assert capsys.readouterr().out.count("not corrected:") == 3
    assert moved(microscope) == 0


def test_nothing_moves_by_more_than_is_allowed(script, capsys):
    microscope = DriftingMicroscope(particle())
    deflector, acquire = calibrated(script, microscope)
    microscope.hidden = ()

    def jumping():
        frame = acquire()
        microscope.jump = np.array([12.0, 5.0])
        return frame

    assert script.correct(jumping, deflector, 2, 10, None) == 0
    assert "13.0 px is more than 10" in capsys.readouterr().out
    assert moved(microscope) == 0


def test_the_deflector_stays_within_reach(script, capsys):
    microscope = DriftingMicroscope(particle(), rate=(1.0, 0.0))
    deflector, acquire = calibrated(script, microscope, reach=3e-9)
    assert 0 < script.correct(acquire, deflector, 14, 50, None) < 14
    assert "the deflector would be out of reach" in capsys.readouterr().out
    assert 0 < moved(microscope) <= 3e-9


def test_a_crystal_without_landmarks_is_not_calibrated_on(script, capsys):
    microscope = DriftingMicroscope(crystal())
    assert script.main(["HAADF"], microscope) == 1
    assert "moved the picture by no certain distance" in capsys.readouterr().err
    assert moved(microscope) == 0


def test_blank_frames_and_unknown_detectors_are_said(script, capsys):
    blank = temscript.NullMicroscope(wait_exposure=False)
    blank.set_camera_param("CCD", {"binning": 8})
    assert script.main(["CCD"], blank) == 1
    assert "moved the picture by no certain distance" in capsys.readouterr().err
    assert script.main(["HAADF"], blank) == 1
    assert "no detector HAADF" in capsys.readouterr().err
    assert moved(blank) == 0


def test_a_frame_that_fails_does_not_end_the_series(script, capsys):
    microscope = DriftingMicroscope(particle())
    deflector, acquire = calibrated(script, microscope)
    frames = iter([acquire(), acquire()[:64], acquire()])
    assert script.correct(lambda: next(frames), deflector, 2, 50, None) == 1
    assert "1 not corrected:" in capsys.readouterr().out


def test_it_uses_the_client_of_this_tree(script):
    assert script.stemzoo is stemzoo_client
