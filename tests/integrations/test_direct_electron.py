"""A Direct Electron camera as the source of a stream: its server's stand-in, de-twin, by deapi.

Runs where they are: pip install "de-twin[deapi]". The first frame waits for Numba.
"""

import threading
import time

import pytest

pytest.importorskip("de_twin", reason='needs pip install "de-twin[deapi]"')
pytest.importorskip("deapi")

import deapi
import numpy as np
from de_twin import DigitalTwin
from de_twin.faces.deapi_server import TwinDeapiServer

import stemzoo

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # their own
SIDE = 512
STEP = np.array([2e-3, 4e-3])  # um of the stage, (y, x), from frame to frame


@pytest.fixture(scope="module")
def microscope():
    """The microscope, and a client of its camera that reads a part of the sensor."""
    twin = DigitalTwin("Dense Au on holey C", camera="DE16")
    server = TwinDeapiServer(twin, port=13240)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = deapi.Client()
    client.usingMmf = False  # which is for Windows
    while not client.connected:
        try:
            client.connect("127.0.0.1", 13240)
        except ConnectionRefusedError:
            time.sleep(0.1)
    client.set_hw_roi(1792, 1792, SIDE, SIDE)
    client["Frames Per Second"] = 10
    client["Exposure Time (seconds)"] = 0.5
    yield twin, client
    client.disconnect()
    twin.close()


def recorded(twin, client, count):
    """Frames between which the stage moves."""
    stage = twin.column.state().stage
    start = np.array([stage.y_um, stage.x_um])
    for number in range(count):
        y, x = start + number * STEP
        twin.column.move_stage(x=x, y=y)
        client.start_acquisition(1)
        while client.acquiring:
            time.sleep(0.01)
        image, *_ = client.get_result("sumtotal", "FLOAT32")
        yield image


def test_its_frames_are_denoised_and_their_drift_is_that_of_the_stage(microscope):
    seen = []
    stemzoo.live(recorded(*microscope, 5), seen.append, drift="classical", policy="block")
    assert [frame.id for frame in seen] == [0, 1, 2, 3, 4]
    assert {frame.image.shape for frame in seen} == {(SIDE, SIDE)}
    assert not any(frame.drift.ambiguous for frame in seen)
    _, client = microscope
    pixel = 1e-3 * client["Specimen Pixel Size X (nanometers)"]  # um
    found = [(frame.drift.dy, frame.drift.dx) for frame in seen]
    wanted = np.arange(5)[:, None] * STEP / pixel
    # The stage of the simulator has backlash and jitter of its own.
    np.testing.assert_allclose(found, wanted, atol=1.0)
