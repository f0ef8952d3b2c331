"""clients/digitalmicrograph/live_denoise.py, against a stand-in of DigitalMicrograph's module."""

import runpy
import sys

import client_library
import digitalmicrograph
import numpy as np
import pytest
import stemzoo_client

SCRIPT = client_library.ROOT / "clients" / "digitalmicrograph" / "live_denoise.py"


@pytest.fixture
def view(tmp_path, monkeypatch):
    """The live view of DigitalMicrograph in front; the library doubles every pixel."""
    library = client_library.stub(tmp_path, stemzoo_client.__version__)
    monkeypatch.setattr(stemzoo_client, "_opened", stemzoo_client.Library(str(library)))
    monkeypatch.setenv("STEMZOO_SITE", str(client_library.ROOT / "zoo"))
    monkeypatch.setitem(sys.modules, "DigitalMicrograph", digitalmicrograph)
    image = digitalmicrograph.CreateImage(np.ones((6, 8), "u2"))
    image.SetName("View")
    monkeypatch.setattr(digitalmicrograph, "shown", [image])
    return image


def test_every_frame_is_denoised_in_a_window_of_its_own(view):
    script = runpy.run_path(str(SCRIPT))
    result = digitalmicrograph.shown[-1]
    assert result.name == "View denoised"
    assert result.calibrations == {0: (0.0, 0.02, "nm"), 1: (0.0, 0.02, "um")}
    memory = result.array
    assert (memory == 2).all()
    for value in (5, 9):
        view.array[...] = value
        view.UpdateImage()
        assert (memory == 2 * value).all()
    assert result.array is memory
    assert result.updates == 2
    assert script["live"].model.run(np.ones((2, 2)))[0, 0] == 2  # still open


def test_a_scan_is_denoised_when_its_last_row_has_come(view):
    runpy.run_path(str(SCRIPT))
    result = digitalmicrograph.shown[-1]
    view.array[...] = 5
    view.UpdateImage()
    for rows in (1, 3, 5, 6):
        view.array[:rows] = 8
        view.UpdateImage()
    assert result.updates == 2
    assert (result.array == 16).all()


@pytest.mark.parametrize("closed", [0, 1])
def test_it_ends_with_either_window(view, closed, capsys):
    script = runpy.run_path(str(SCRIPT))
    digitalmicrograph.shown[closed].window.close()
    assert "a window was closed" in capsys.readouterr().out
    assert script["live"].source is None
    view.UpdateImage()  # nobody listens
    with pytest.raises(ValueError, match="this model is closed"):
        script["live"].model.run(view.array)


def test_a_frame_that_cannot_be_used_ends_it_with_a_sentence(view, capsys):
    runpy.run_path(str(SCRIPT))
    view.array = np.ones((6, 9), "u2")  # the scan was changed
    view.UpdateImage()
    assert "expected float32 of shape (6, 9)" in capsys.readouterr().out
    view.UpdateImage()
    assert capsys.readouterr().out == ""
