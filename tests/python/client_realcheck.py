"""What the client does with the C library itself, under any Python: client_realcheck.py ZOO

Environment: STEMZOO_LIBRARY and, for the networks, STEMZOO_ORT.
"""

import array
import math
import os
import random
import re
import struct
import sys

import stemzoo_client as stemzoo

ZOO = sys.argv[1]


def npy(path):
    """A float32 image of a .npy file, without NumPy."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<H", data[8:10])[0]
    header = data[10 : 10 + size].decode()
    shape = [int(n) for n in re.search(r"'shape': \(([^)]*)\)", header).group(1).split(",") if n]
    assert "'<f4'" in header and "False" in header, header
    return stemzoo.image(data[10 + size :], shape[-2:], "float32")


def columns(shift=(0.0, 0.0), shape=(96, 112)):
    """Counts of a few columns at random places, moved by `shift`."""
    places = random.Random(4)
    spots = [(places.uniform(8, 88), places.uniform(8, 104)) for _ in range(40)]
    counts = array.array("H", [10] * (shape[0] * shape[1]))
    for y, x in spots:
        y, x = y + shift[0], x + shift[1]
        for row in range(max(int(y) - 6, 0), min(int(y) + 8, shape[0])):
            for column in range(max(int(x) - 6, 0), min(int(x) + 8, shape[1])):
                far = ((row - y) ** 2 + (column - x) ** 2) / 8
                counts[row * shape[1] + column] += int(400 * math.exp(-far))
    return stemzoo.image(counts, shape, "uint16")


class Steps:
    def __init__(self):
        self.seen = []

    def __call__(self, done, total):
        self.seen.append((done, total))


def test_the_samples_of_a_model_come_out():
    for name in ("denoise-live", "denoise-atomic"):
        folder = os.path.join(ZOO, name)
        noisy = npy(os.path.join(folder, "sample_input.npy"))
        expected = npy(os.path.join(folder, "sample_output.npy")).pixels.cast("B").cast("f")
        with stemzoo.Model(name) as model:
            assert (model.name, model.task) == (name, "denoise")
            steps = Steps()
            clean = model.run(noisy, progress=steps)
        assert steps.seen[-1][0] == steps.seen[-1][1]
        found = clean.cast("B").cast("f")
        scale = max(map(abs, expected))
        worst = max(abs(a - b) for a, b in zip(found, expected)) / scale
        assert worst < 1e-4, worst


def test_a_run_may_be_stopped_and_go_on_in_place():
    noisy = columns()
    with stemzoo.Model("denoise-live", threads=1, providers=["CPUExecutionProvider"]) as model:

        def stop(done, total):
            raise KeyboardInterrupt

        try:
            model.run(noisy, progress=stop)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("it went on")
        clean = model.run(noisy)
        numbers = array.array("f", noisy.pixels.cast("B").cast("H"))
        place = stemzoo.image(numbers, (96, 112), "float32")
        assert model.run(place, out=place) is place
        assert place.pixels.tolist() == clean.tolist()
    try:
        stemzoo.Model(b"no model at all")
    except stemzoo.StemzooError as error:
        assert error.status == 2, error
    else:
        raise AssertionError("it was opened")


def test_drift_and_tracker():
    still, moved = columns(), columns((3.25, -2.5))
    for model in (None, "drift-lattice"):
        found = stemzoo.drift(still, moved, model=model, max_shift=20)
        assert not found.ambiguous, found
        assert abs(found.dy - 3.25) < 0.05 and abs(found.dx + 2.5) < 0.05, found
    with stemzoo.DriftTracker(still, max_shift=20) as track:
        for number in range(1, 6):
            found = track.push(columns((0.5 * number, -number)), time=0.1 * number)
            assert abs(found.dx + number) < 0.05, found
        ahead = track.predict(time=0.6)
        assert abs(ahead.dx + 6) < 0.2, ahead
    blank = stemzoo.image(bytes(96 * 112), (96, 112))
    unknown = stemzoo.drift(still, blank)
    assert math.isnan(unknown.dy) and unknown.ambiguous and unknown.reason, unknown


def test_ncc():
    surface = stemzoo.ncc(columns(), columns((3, -2)), max_shift=(5, 4))
    assert surface.shape == (11, 9)
    assert surface[8, 2] == max(surface.cast("B").cast("f")) > 0.97


def test_rows():
    still = columns()
    pilot = stemzoo.image(array.array("f", still.pixels.cast("B").cast("H")), (96, 112), "float32")
    rows = stemzoo.find_rows(still, pilot)
    assert len(rows) == 96
    assert max(abs(row.dx) for row in rows) < 0.2
    straight = stemzoo.apply_rows(pilot, [stemzoo.Row(0, 0, 0, 0)] * 96)
    assert straight.tolist() == pilot.pixels.tolist()


kept = []  # left open at exit


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
    assert "numpy" not in sys.modules
    kept.extend((stemzoo.Model("denoise-live"), stemzoo.DriftTracker(columns())))
    print("checked", sys.version.split()[0], stemzoo.open_library().load_runtime())


main()
