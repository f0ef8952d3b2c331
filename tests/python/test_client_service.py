"""The client of one file gets from the frame service what a direct call gives."""

import array
import math
import socket
import threading

import numpy as np
import pytest
import stemzoo_client
from moving_specimens import crystal, pair, particle

import stemzoo
from stemzoo.scan.rows import find_rows
from stemzoo.streaming.service.server import Server
from stemzoo.streaming.service.state import MIB, State

TOKEN = "0123456789abcdef"


@pytest.fixture(scope="module")
def address():
    with Server("127.0.0.1", 0, State(max_frame=4 * MIB)).running() as server:
        yield server.address


@pytest.fixture
def service(address):
    with stemzoo_client.connect(*address) as service:
        yield service


@pytest.fixture(scope="module")
def frame():
    return np.random.default_rng(0).poisson(9, (48, 64)).astype("u2")


def test_what_there_is(service):
    assert service.version == stemzoo.__version__
    assert {"denoise-live", "drift-lattice"} <= {model["name"] for model in service.models()}
    assert service.status()["connections"]["open"] >= 1


def test_an_image_is_denoised_as_by_a_direct_call(service, frame):
    direct = stemzoo.denoise(frame, model="denoise-live")
    clean = service.denoise(frame, model="denoise-live")
    assert type(clean) is np.ndarray
    np.testing.assert_array_equal(clean, direct)
    np.testing.assert_array_equal(
        service.denoise(frame[::-1, ::-1][::-1], "denoise-live"),
        stemzoo.denoise(frame[:, ::-1], "denoise-live"),
    )
    flat = stemzoo_client.image(array.array("H", frame.ravel().tolist()), frame.shape, "uint16")
    assert service.denoise(flat, model="denoise-live").tolist() == direct.tolist()


def test_a_stack_and_settings(service, frame):
    stack = np.stack([frame, frame[::-1]])
    settings = {"model": "denoise-live", "mean": 9.0, "std": 3.0}
    direct = stemzoo.denoise(stack, **settings)
    wide = np.zeros((2, 48, 100), "f4")
    assert service.denoise(stack, out=wide[:, :, 10:74], **settings) is not None
    np.testing.assert_array_equal(wide[:, :, 10:74], direct)
    assert not wide[:, :, :10].any()


def test_restoring(service, frame):
    direct = stemzoo.restore(frame, fast_axis="x")
    np.testing.assert_array_equal(service.restore(frame, fast_axis="x"), direct)


def told(direct):
    return (
        (direct.dy, direct.dx, direct.sigma),
        (direct.ambiguous, direct.score, direct.probability, direct.reason),
    )


@pytest.mark.parametrize("model", ["drift-lattice", None])
def test_drift(service, model):
    for specimen in (particle(), crystal()):
        frames = pair(specimen, (3.25, -2.5))
        found = service.drift(*frames, model=model, max_shift=20)
        direct = stemzoo.drift(*frames, model, max_shift=20)
        assert told(found) == told(direct)
        assert found.candidates == tuple(tuple(other) for other in direct.candidates)


@pytest.mark.parametrize("most", [20, (4, 30)])
def test_a_correlation(service, most):
    frames = pair(particle(), (3.25, -2.5))
    found = service.ncc(*frames, max_shift=most)
    np.testing.assert_array_equal(found, stemzoo.ncc(*frames, most))
    with pytest.raises(stemzoo_client.StemzooError, match="max_shift"):
        service.ncc(*frames, max_shift=len(frames[0]))


def test_rows_of_a_scan(service):
    clean, _ = pair(particle(), (0.0, 0.0))
    image = np.stack([np.roll(row, 2 * (-1) ** y) for y, row in enumerate(clean)])
    found = service.find_rows(image, clean, slow=None)
    direct = find_rows(image, clean, slow=0)
    np.testing.assert_array_equal(
        np.array(found, "f4"), np.hstack([direct.displacements, direct.sigma]).astype("f4")
    )
    assert np.ptp([row.dx for row in found]) > 1
    with pytest.raises(stemzoo_client.ArgumentError, match="one shape"):
        service.find_rows(image, clean[1:])
    with pytest.raises(stemzoo_client.StemzooError, match="reach"):
        service.find_rows(image, clean, reach=(0, len(image)))


def test_nothing_known_comes_as_nan(service):
    blank = np.zeros((64, 64), "u2")
    found = service.drift(blank, blank)
    assert math.isnan(found.dy)
    assert found.sigma == (math.inf, math.inf)
    assert found.ambiguous


def test_a_tracker(service):
    still, moved = pair(particle(), (2.0, 1.0))
    direct = stemzoo.DriftTracker(still, None)
    with service.tracker(still, model=None) as tracker:
        for number, frame in enumerate((still, moved, moved)):
            assert told(tracker.push(frame, time=number)) == told(direct.push(frame, time=number))
        expected = direct.predict(time=3)
        assert tracker.predict(time=3) == (expected.dy, expected.dx, expected.sigma)
    with pytest.raises(stemzoo_client.ArgumentError, match="tracker"):
        tracker.push(moved)


def test_refusals_are_sentences_and_the_connection_stays(service, frame):
    with pytest.raises(stemzoo_client.StemzooError, match="denoise-none") as refused:
        service.denoise(frame, model="denoise-none")
    assert refused.value.status == "model"
    with pytest.raises(stemzoo_client.ArgumentError, match="std") as refused:
        service.denoise(frame, model="denoise-live", mean=1.0)
    assert refused.value.status == "value"
    with pytest.raises(stemzoo_client.ArgumentError, match="has a mask"):
        service.denoise(np.ma.masked_equal(frame, 3))
    with pytest.raises(stemzoo_client.ArgumentError, match="expected two alike"):
        service.drift(frame, frame[:10])
    assert service.version == stemzoo.__version__
    assert service.models()


def test_a_frame_beyond_the_limit_is_not_sent(service, frame):
    large = np.zeros((2048, 2048), "f4")
    with pytest.raises(stemzoo_client.ArgumentError, match=r"16777216 bytes, .* takes 4194304"):
        service.denoise(large, model="denoise-live")
    assert service.drift(frame, frame, model=None).dy == pytest.approx(0, abs=0.01)


def test_what_the_service_refuses_ends_the_connection(service, frame):
    service._most = None
    with pytest.raises(stemzoo_client.StemzooError) as refused:
        service.denoise(np.zeros((2048, 2048), "f4"), model="denoise-live")
    assert refused.value.status in ("too_large", "connection")
    with pytest.raises(stemzoo_client.StemzooError) as refused:
        service.models()
    assert refused.value.status == "connection"


def test_a_service_with_no_place_says_so():
    full = Server("127.0.0.1", 0, State(), connections=1).running()
    with full as server, stemzoo_client.connect(*server.address):
        with pytest.raises(stemzoo_client.StemzooError) as refused:
            stemzoo_client.connect(*server.address)
        assert refused.value.status in ("busy", "connection")


def test_a_token_is_asked_for():
    with Server("127.0.0.1", 0, State(token=TOKEN)).running() as server:
        for token in (None, "wrong" * 5):
            with pytest.raises(stemzoo_client.StemzooError) as refused:
                stemzoo_client.connect(*server.address, token=token)
            assert refused.value.status == "unauthorized"
        with stemzoo_client.connect(*server.address, token=TOKEN) as service:
            assert service.models()


def test_threads_take_turns(service, frame):
    direct = stemzoo.denoise(frame, model="denoise-live")
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(service.denoise(frame, "denoise-live")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all((result == direct).all() for result in results)


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(stemzoo_client.StemzooError, match=f"the service at 127.0.0.1:{port}"):
        stemzoo_client.connect(port=port)


def test_shared_memory_gives_the_same(address, frame):
    direct = stemzoo.denoise(frame, "denoise-live")
    with stemzoo_client.connect(*address, shared_memory=True) as service:
        np.testing.assert_array_equal(service.denoise(frame[::2], "denoise-live").shape, (24, 64))
        first = service._memory
        np.testing.assert_array_equal(service.denoise(frame, "denoise-live"), direct)
        assert service._memory is not first  # it had to grow
        into = np.zeros((50, 100), "f4")
        second = service._memory
        service.denoise(frame, "denoise-live", out=into[1:49, 2:66])
        np.testing.assert_array_equal(into[1:49, 2:66], direct)
        assert service._memory is second
        frames = pair(particle(), (3.25, -2.5))
        assert told(service.drift(*frames, model=None)) == told(stemzoo.drift(*frames, None))
        with service.tracker(frames[0], model=None) as tracker:
            assert not tracker.push(frames[1]).ambiguous
        assert service.models()


def test_shared_memory_of_another_computer():
    with pytest.raises(stemzoo_client.StemzooError, match="connect without shared_memory"):
        stemzoo_client._mapped("no-such-memory", 64)
    with pytest.raises(stemzoo_client.StemzooError, match=r"has the name '\.\./etc/passwd'"):
        stemzoo_client._mapped("../etc/passwd", 64)


def numbered(count, frame):
    """Frames in one buffer, as a camera gives them; a pixel says which."""
    buffer = frame.copy()
    for number in range(count):
        buffer[:] = frame
        buffer[0, 0] = number
        yield buffer


def test_a_live_stream(service, frame):
    expected, seen = [], []
    for each in numbered(6, frame):
        expected.append(stemzoo.denoise(each, "denoise-live"))
    counts = service.live(numbered(6, frame), seen.append, drift="classical", policy="block")
    assert (counts["received"], counts["delivered"], counts["dropped"]) == (6, 6, 0)
    assert [each.id for each in seen] == list(range(6))
    for each, image in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(each.image, image)
    assert (seen[5].reference, seen[5].dropped) == (0, 0)
    assert abs(seen[5].drift.dy) < 0.1
    assert service.models()  # the connection goes on


def test_a_live_stream_without_numpy_model_or_drift(service):
    flat = stemzoo_client.image(bytes(range(200)) * 2, (10, 40))
    seen = []
    service.live([flat] * 3, seen.append, model=None, drift=None, policy="block")
    assert [each.image.tolist() for each in seen] == [flat.pixels.tolist()] * 3
    assert seen[0].drift is None
    seen.clear()
    service.live([flat], seen.append, drift=None, image=False)
    assert [each.image for each in seen] == [None]


def test_a_live_stream_drops_what_waits_too_long(service, frame):
    seen = []

    def slow(result):
        seen.append((result.id, int(result.image[0, 0])))

    counts = service.live(numbered(200, frame), slow, drift=None, model=None)
    assert counts["received"] == 200
    assert counts["delivered"] == len(seen) == 200 - counts["dropped"]
    assert [number for number, _ in seen] == sorted({number for number, _ in seen})
    assert all(number == pixel for number, pixel in seen)


def test_what_goes_wrong_in_a_live_stream(address, service, frame):
    bad = frame.astype("f4")
    bad[3, 3] = np.nan
    reported, seen = [], []
    counts = service.live(
        [frame, bad, frame],
        seen.append,
        drift=None,
        policy="block",
        on_error=lambda number, error: reported.append((number, error.status, str(error))),
    )
    assert [each.id for each in seen] == [0, 2]
    assert counts["failed"] == 1
    assert reported[0][:2] == (1, "value")
    assert "NaN" in reported[0][2]

    def source():
        yield frame
        raise RuntimeError("the camera is off")

    with pytest.raises(RuntimeError, match="the camera is off"):
        service.live(source(), seen.append, drift=None, policy="block")
    assert len(seen) == 3
    with pytest.raises(stemzoo_client.ArgumentError, match="policy is 'oldest'"):
        service.live([frame], seen.append, policy="oldest")
    with pytest.raises(stemzoo_client.ArgumentError, match="has a mask"):
        service.live([np.ma.masked_equal(frame, 3)], seen.append)
    with pytest.raises(stemzoo_client.ArgumentError, match="open another one"):
        service.live([frame], lambda result: service.models(), model=None, drift=None)
    with pytest.raises(stemzoo_client.StemzooError, match="closed"):
        service.models()
    with stemzoo_client.connect(*address) as other:
        stop = threading.Event()

        def endless():
            while True:
                yield frame

        # The service may not yet know that the streams before have ended, hence other names.
        other.live(endless(), lambda result: stop.set(), None, None, stop=stop, name="second")
        with pytest.raises(KeyboardInterrupt):
            other.live(endless(), interrupt, None, None, name="third")


def interrupt(result):
    raise KeyboardInterrupt


def test_a_service_that_dies_in_a_live_stream(frame):
    with Server("127.0.0.1", 0, State()).running() as server:
        service = stemzoo_client.connect(*server.address)
        seen = []

        def endless():
            while len(seen) < 3:
                yield frame
            service._socket.shutdown(socket.SHUT_RDWR)
            yield frame

        with pytest.raises(stemzoo_client.StemzooError, match="the service at") as lost:
            service.live(endless(), seen.append, model=None, drift=None)
        assert lost.value.status == "connection"
