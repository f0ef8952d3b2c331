"""The live loop: every frame once, in order, in constant memory."""

import sys
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import stemzoo
from benchmarks.streaming import soak
from stemzoo.cli.demo.phantoms import expose, perovskite
from stemzoo.common.errors import FileError
from stemzoo.io import Micrograph


def _numbered(count, size=8):
    """Frames that say which they are, in one buffer, as a camera gives them."""
    buffer = np.zeros((size, size), np.float32)
    for number in range(count):
        buffer[:] = number
        buffer[0, 0] = -1
        yield buffer


def _bare(source, sink, **settings):
    return stemzoo.live(source, sink, model=None, drift=None, **settings)


def test_block_delivers_every_frame_once_and_in_order():
    seen = []
    counted = _bare(_numbered(500), lambda frame: seen.append(frame), policy="block")
    assert [frame.id for frame in seen] == list(range(500))
    assert [frame.image[1, 1] for frame in seen] == list(range(500))
    assert (counted.received, counted.delivered, counted.dropped) == (500, 500, 0)


def test_a_micrograph_is_copied_as_it_comes():
    """A camera that writes frame after frame into one array, and its number beside it."""
    metadata = {}

    def source():
        for number, buffer in enumerate(_numbered(100)):
            metadata["number"] = number
            yield Micrograph(buffer, (0.02, 0.02), "nm", metadata)

    seen = []
    _bare(source(), seen.append, policy="block")
    assert [frame.image[1, 1] for frame in seen] == list(range(100))
    assert [frame.source.metadata["number"] for frame in seen] == list(range(100))
    assert seen[0].source.unit == "nm"


def test_newest_drops_counts_and_never_goes_back():
    """A source that outruns its consumer by ten, in steps rather than seconds."""
    taken, offered = threading.Semaphore(0), threading.Semaphore(0)

    def source():
        for number, frame in enumerate(_numbered(200)):
            yield frame
            if number % 10 == 9:
                offered.release()
                taken.acquire()

    seen = []

    def sink(frame):
        offered.acquire()  # until ten more have come
        seen.append((frame.id, frame.image[1, 1]))
        taken.release()

    counted = _bare(source(), sink, policy="newest")
    ids = [number for number, _ in seen]
    assert all(number == pixel for number, pixel in seen)
    assert ids == sorted(set(ids))
    assert counted.received == 200
    assert counted.delivered == len(seen) <= 40
    assert counted.received == counted.delivered + counted.dropped


@pytest.mark.parametrize("policy", ["newest", "block"])
def test_memory_is_constant(policy):
    """With frames of 1 MB, more than three at a time would show."""
    most = []

    def sink(frame):
        most.append(tracemalloc.get_traced_memory()[1])

    tracemalloc.start()
    try:
        _bare(_numbered(60, 512), sink, policy=policy)
    finally:
        tracemalloc.stop()
    assert max(most) < 8 * 2**20


def test_drift_and_image_of_each_frame():
    specimen = perovskite((128, 128), 3)
    random = np.random.default_rng(1)
    clean = [specimen.image((128, 128), (0.5 * k, -0.25 * k)) for k in range(5)]
    frames = [expose(frame, 200, random) for frame in clean]
    seen = []
    counted = stemzoo.live(frames, seen.append, policy="block", max_shift=9)
    assert counted.failed == 0
    found = [(frame.drift.dy, frame.drift.dx) for frame in seen]
    np.testing.assert_allclose(found, [(0.5 * k, -0.25 * k) for k in range(5)], atol=0.1)
    for frame, noisy in zip(seen, frames, strict=True):
        np.testing.assert_array_equal(frame.image, stemzoo.denoise(noisy, "denoise-live"))
        np.testing.assert_array_equal(frame.source.data, noisy)


def test_the_drift_starts_again_where_the_shape_changes():
    random = np.random.default_rng(0)
    frames = [random.poisson(9, shape).astype("f4") for shape in [(64, 64)] * 2 + [(48, 64)] * 2]
    seen = []
    stemzoo.live(frames, seen.append, model=None, drift="classical", policy="block")
    assert [frame.reference for frame in seen] == [0, 0, 2, 2]


def test_a_frame_that_cannot_be_used_is_reported_and_the_stream_goes_on():
    good = np.random.default_rng(0).poisson(9, (32, 32)).astype("f4")
    bad = good.copy()
    bad[3, 3] = np.nan
    reported, seen = [], []
    frames = [good, bad, good.astype(complex), np.stack([good] * 5), FileError("torn"), good]
    counted = stemzoo.live(
        frames,
        seen.append,
        drift=None,
        policy="block",
        on_error=lambda number, error: reported.append((number, str(error))),
    )
    assert [frame.id for frame in seen] == [0, 5]
    assert [number for number, _ in reported] == [1, 2, 3, 4]
    assert "NaN" in reported[0][1]
    assert "complex" in reported[1][1]
    assert "2-D image" in reported[2][1]
    assert list(counted.errors) == reported
    assert (counted.delivered, counted.failed) == (2, 4)


def test_calibration_travels_with_the_frame():
    frame = Micrograph(np.ones((8, 8), "f4"), (0.1, 0.2), "nm")
    seen = []
    _bare([frame], seen.append)
    assert (seen[0].source.pixel_size, seen[0].source.unit) == ((0.1, 0.2), "nm")


def test_what_the_source_raises_is_raised_after_the_frames_before_it():
    def source():
        yield np.ones((4, 4))
        raise RuntimeError("camera lost")

    seen = []
    with pytest.raises(RuntimeError, match="camera lost"):
        _bare(source(), seen.append, policy="block")
    assert len(seen) == 1


def test_what_the_sink_raises_ends_the_stream():
    def sink(frame):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        _bare(_numbered(10), sink)


def test_stop_ends_an_endless_stream():
    stop = threading.Event()

    def endless():
        while True:
            yield np.ones((4, 4))

    counted = _bare(endless(), lambda frame: frame.id > 5 and stop.set(), stop=stop)
    assert counted.delivered >= 1
    assert counted.ended


def test_a_policy_that_is_none():
    with pytest.raises(ValueError, match="policy is 'oldest'; expected 'newest' or 'block'"):
        _bare([], print, policy="oldest")


def test_many_frames_neither_grow_memory_nor_lose_their_order():
    """The short form of python -m benchmarks.streaming, which has 100,000 of them."""
    watch = soak.Watch()
    counted = _bare(soak.camera(3000), watch, policy="block")
    assert (counted.received, counted.delivered, watch.wrong) == (3000, 3000, 0)
    if sys.platform == "linux":
        assert watch.most - watch.warm < 20e6


def test_the_example_in_the_documentation(capsys):
    text = (Path(__file__).parents[2] / "docs" / "live.md").read_text()
    exec(text.split("```python\n", 1)[1].split("```")[0], {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[-1].startswith("5 0 ")
