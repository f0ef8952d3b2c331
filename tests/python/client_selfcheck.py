"""What the client must do under every Python: client_selfcheck.py STUB, a library of client_stub.c.

Runs under Python 3.7 and later, without packages; with NumPy where that is installed.
"""

import array
import ctypes
import gc
import sys
import threading

import stemzoo_client as stemzoo

STUB = stemzoo.open_library(sys.argv[1])
alive = ctypes.CDLL(sys.argv[1]).stub_alive


def refused(words, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except (stemzoo.StemzooError, ValueError) as error:
        if words in str(error):
            return error
        raise
    raise AssertionError("not refused: " + words)


def values(rows, columns, code="f"):
    return array.array(code, [7 * y + x for y in range(rows) for x in range(columns)])


def doubled(rows, columns):
    return [[2.0 * (7 * y + x) for x in range(columns)] for y in range(rows)]


class Interface:
    """What old array libraries have in place of the buffer protocol."""

    def __init__(self, numbers, shape, typestr, strides=None):
        self.numbers = numbers
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "typestr": typestr,
            "strides": strides,
            "data": (numbers.buffer_info()[0], False),
        }


def test_every_kind_of_buffer_is_read():
    with stemzoo.Model(b"ON\0X") as model:
        for name, code in stemzoo._DTYPES:
            flat = values(5, 6, code)
            for buffer in (flat, flat.tobytes(), bytearray(flat.tobytes()), memoryview(flat)):
                read = stemzoo.image(buffer, (5, 6), name)
                assert model.run(read).tolist() == doubled(5, 6), name
        table = (ctypes.c_uint16 * 6 * 5).from_buffer_copy(values(5, 6, "H"))
        assert model.run(table).tolist() == doubled(5, 6)
        flat = values(5, 6, "i")
        assert model.run(Interface(flat, (5, 6), "<i4")).tolist() == doubled(5, 6)
        turned = Interface(flat, (3, 2), "<i4", (24, 4))
        assert model.run(turned).tolist() == doubled(3, 2)


def test_a_result_is_written_where_it_is_wanted():
    with stemzoo.Model(b"ON\0X") as model:
        place = array.array("f", bytes(4 * 30))
        out = stemzoo.image(place, (5, 6), "float32")
        frame = stemzoo.image(values(5, 6), (5, 6), "float32")
        assert model.run(frame, out=out) is out
        assert out.pixels.tolist() == doubled(5, 6)
        itself = stemzoo.image(place, (5, 6), "float32")
        model.run(itself, out=itself, mean=3, std=0.5)
        assert place[1] == 7.5
        refused("out is read-only", model.run, frame, stemzoo.image(bytes(120), (5, 6), "float32"))
        wrong = stemzoo.image(bytearray(120), (6, 5), "float32")
        refused("float32 of shape (5, 6)", model.run, frame, out=wrong)
        wrong = stemzoo.image(bytearray(240), (5, 6), "float64")
        refused("out is float64", model.run, frame, out=wrong)
        wide = Interface(values(5, 12), (5, 6), "<f4", (48, 8))
        refused("do not lie side by side", model.run, frame, out=wide)
        wide = Interface(values(5, 12), (5, 6), "<f4", (48, 4))
        model.run(frame, out=wide)
        assert wide.numbers[12:18].tolist() == doubled(5, 6)[1]


def test_masks_go_along():
    with stemzoo.Model(b"ON\0X") as model:
        mask = stemzoo.image(bytes([0, 1, 0, 0, 0, 0]), (2, 3))
        frame = stemzoo.image(values(2, 3), (2, 3), "float32").pixels
        found = model.run(stemzoo.image(frame, mask=mask.pixels)).tolist()
        assert found == [[0, -2, 4], [14, 16, 18]]
        small = stemzoo.image(bytes(4), (2, 2)).pixels
        refused("mask of image", model.run, stemzoo.image(frame, mask=small))


def test_what_cannot_be_read_is_refused_in_words():
    with stemzoo.Model(b"ON\0X") as model:
        refused("give a flat buffer its shape", model.run, bytes(100))
        refused("expected a 2-D array", model.run, [[1, 2], [3, 4]])
        refused("expected a 2-D array", model.run, None)
        numbers = values(4, 4, "d")
        refused("foreign byte order", model.run, Interface(numbers, (4, 4), ">f8"))
        refused("complex: take its real part", model.run, Interface(numbers, (4, 2), "<c16"))
        refused("expected one of uint8", model.run, Interface(numbers, (4, 4), "<f2"))
        refused("no pixels", model.run, Interface(numbers, (0, 4), "<f8"))
        refused("has 100 bytes", stemzoo.image, bytes(100), (5, 6))
        refused("dtype is 'half'", stemzoo.image, bytes(100), (10, 10), "half")
        refused("expected (rows, columns)", stemzoo.image, bytes(100), (100,))
        refused("given together", model.run, stemzoo.image(bytes(4), (2, 2)), mean=1.0)


def test_errors_of_the_library_carry_their_status():
    assert refused("Größe", stemzoo.Model, "/no/such/model.onnx").status == 3
    assert refused("this is no model", stemzoo.Model, b"else").status == 2
    assert refused("there is no model 'denoise-none'", stemzoo.Model, "denoise-none").status == 3
    assert refused("no such runtime", STUB.load_runtime, "/none").status == 4
    assert STUB.load_runtime() == ("1.19.2", "/opt/runtime")
    error = refused("max_shift is too large", stemzoo.Estimator, (64, 64), max_shift=64)
    assert error.status == 1
    assert isinstance(error, ValueError)
    refused("threads is -1", stemzoo.Model, b"ON\0X", threads=-1)
    refused("providers is 'CUDA'", stemzoo.Model, b"ON\0X", providers="CUDA")
    refused("is loaded already", stemzoo.open_library, "/another/libstemzoo.so")


def test_options_arrive():
    providers = ["CPU", ("DML", {"device": 2}), ("CUDA", {"device": 1, "graph": "on"}, "plugin.so")]
    with stemzoo.Model(b"ON\0X", threads=3, providers=providers) as model:
        seen = model.metadata("seen")
        plugin = "CUDA(plugin.so) device=1 graph=on"
        assert seen == f"bytes 4 threads=3 CPU() DML() device=2 {plugin}", seen
        assert (model.name, model.version, model.task) == ("stub", None, None)


def test_progress_is_called_and_what_it_raises_comes_out():
    frame = stemzoo.image(bytes(4), (2, 2))
    with stemzoo.Model(b"ON\0X") as model:
        steps = []
        model.run(frame, progress=lambda done, total: steps.append((done, total)))
        assert steps == [(1, 3), (2, 3), (3, 3)]

        def interrupted(done, total):
            raise KeyboardInterrupt

        try:
            model.run(frame, progress=interrupted)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("it went on")


def test_drift():
    frames = [stemzoo.image(bytes([k] * 12), (3, 4)) for k in (5, 8)]
    found = stemzoo.drift(*frames)
    assert found[:5] == (3.0, 3.0, (0.25, float("inf")), True, 0.5), found
    assert found.candidates == (stemzoo.Candidate(1, 2, 0.75), stemzoo.Candidate(3, 4, 0.125))
    assert found.reason == "3 x 4, classical, max_shift=0, renew=-1, threads=0", found.reason
    estimator = stemzoo.Estimator((3, 4), b"ON\0X", max_shift=2, threads=2)
    assert "bytes 4 threads=2, max_shift=2" in estimator.run(*frames).reason
    estimator.close()
    refused("this estimator is closed", estimator.run, *frames)
    refused("max_shift is 0", stemzoo.drift, *frames, max_shift=0)


def test_tracker():
    frames = [stemzoo.image(bytes([k] * 12), (3, 4)) for k in (5, 8)]
    with stemzoo.DriftTracker(frames[0]) as tracker:
        assert tracker.push(frames[1])[:2] == (2.5, -1.0)
        assert tracker.push(frames[1], time=0.5)[1] == 0.5
        assert tracker.push(frames[1]).score == 3
        assert tracker.push(frames[1]).resolved
        assert tracker.predict() == (4, -1, (0.5, 0.25))
        assert tracker.predict(time=9).dx == 9
    with stemzoo.DriftTracker(frames[0], renew=None) as tracker:
        assert tracker.push(frames[1]).dy == 4
    refused("renew is 2", stemzoo.DriftTracker, frames[0], renew=2)


def test_ncc():
    frames = [stemzoo.image(bytes([k] * 80), (8, 10)) for k in (2, 3)]
    surface = stemzoo.ncc(*frames, max_shift=(1, 2), min_overlap=0.5)
    assert surface.shape == (3, 5)
    assert surface[0, 0] == 7.5
    assert surface[1, 2] == 14.5
    with stemzoo.NccReference(frames[0], 1, threads=1) as reference:
        assert reference.run(frames[1])[0, 0] == 9.75
    refused("max_dy is too large", stemzoo.ncc, *frames, max_shift=8)


def refuse_to_go_on(done, total):
    raise stemzoo.StemzooError("no further than {}".format(done), 6)


def test_rows():
    frame, pilot = stemzoo.image(values(3, 4, "H"), (3, 4), "uint16"), bytes(12)
    pilot = stemzoo.image(pilot, (3, 4))
    rows = stemzoo.find_rows(frame, pilot, reach=(2, 5), threads=1)
    assert rows[2] == (14.0, 25.0, 2.0, 6.0), rows
    assert stemzoo.find_rows(frame, pilot, slow=None)[0].dx == -1
    steps = []
    stemzoo.find_rows(frame, pilot, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 3), (2, 3), (3, 3)]
    refused("no further", stemzoo.find_rows, frame, pilot, progress=refuse_to_go_on)
    assert stemzoo.apply_rows(frame, rows).tolist()[1] == [32.0, 33.0, 34.0, 35.0]
    refused("expected one shape", stemzoo.find_rows, frame, stemzoo.image(bytes(4), (2, 2)))
    refused("2 rows for an image", stemzoo.apply_rows, frame, rows[:2])


def test_whatever_is_not_closed_is_closed_when_it_is_collected():
    gc.collect()
    before = alive()
    model = stemzoo.Model(b"ON\0X")
    estimator = stemzoo.Estimator((3, 4), model)
    model.close()
    model.close()
    refused("this model is closed", model.metadata, "name")
    assert alive() == before + 1
    del estimator
    gc.collect()
    assert alive() == before


def test_closing_does_not_disturb_a_call_that_is_at_work():
    model, inside, go_on = stemzoo.Model(b"ON\0X"), threading.Event(), threading.Event()
    before, results = alive(), []

    def wait(done, total):
        inside.set()
        go_on.wait(30)

    frame = stemzoo.image(bytes([1] * 4), (2, 2))
    thread = threading.Thread(target=lambda: results.append(model.run(frame, progress=wait)))
    if sys.platform == "emscripten":
        return  # which has no threads
    thread.start()
    assert inside.wait(30)
    model.close()
    assert alive() == before
    go_on.set()
    thread.join(30)
    assert results[0].tolist() == [[2, 2], [2, 2]]
    assert alive() == before - 1


def test_numpy_arrays_come_back_as_numpy_arrays(numpy):
    frame = numpy.arange(60, dtype="u2").reshape(6, 10)
    with stemzoo.Model(b"ON\0X") as model:
        clean = model.run(frame)
        assert type(clean) is numpy.ndarray
        assert clean.dtype == "float32"
        for dtype in ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"):
            for view in (frame, frame[::-1], frame[:, ::-2], frame.T, frame[1:4, 2:9:3]):
                typed = numpy.asarray(view).astype(dtype)
                strided = numpy.zeros((12, 24), dtype)[1:13, 1::2][: view.shape[0], : view.shape[1]]
                strided[...] = typed
                assert (model.run(typed) == 2.0 * typed).all(), dtype
                assert (model.run(strided) == 2.0 * typed).all(), dtype
        flat = numpy.broadcast_to(frame[0], (6, 10))
        assert (model.run(flat) == 2.0 * flat).all()
        packed = numpy.zeros((4, 5), [("flag", "u1"), ("count", "f4")])
        packed["count"] = 3
        assert (model.run(packed["count"]) == 6).all()
        masked = numpy.ma.masked_equal(frame, 3)
        assert model.run(masked)[0, 3] == -2
        assert model.run(masked)[0, 4] == 8
        masked = numpy.ma.masked_equal(frame, 3)[:, 1::2]
        assert model.run(masked)[0, 1] == -2
        assert model.run(masked)[0, 2] == 10
        wide = numpy.zeros((6, 20), "f4")
        assert model.run(frame, out=wide[::-1, 5:15]) is not None
        assert (wide[::-1, 5:15] == 2 * frame).all()
        assert wide[:, :5].sum() == 0
        refused("foreign byte order", model.run, frame.astype(">u2"))
        refused("complex: take its real part", model.run, frame.astype("c8"))
        refused("expected one of uint8", model.run, frame.astype("f2"))
        refused("has shape (60,)", model.run, frame.ravel())
        refused("has shape (2, 3, 10)", model.run, frame.reshape(2, 3, 10))
        refused("format 'O'; expected one of uint8", model.run, frame.astype(object))
        refused("format '<M8[s]'; expected one of", model.run, frame.astype("M8[s]"))
        wide.flags.writeable = False
        refused("out is read-only", model.run, frame, out=wide[:, :10])
    assert type(stemzoo.apply_rows(frame, stemzoo.find_rows(frame, frame))) is numpy.ndarray


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    for test in tests[:-1]:
        test()
    assert "numpy" not in sys.modules, "the client imported numpy"
    try:
        import numpy
        import numpy.ma
    except ImportError:
        numpy = None
    else:
        tests[-1](numpy)
    stemzoo.Model(b"ON\0X").left_open = stemzoo.Estimator((3, 4))  # at exit
    print("checked", sys.version.split()[0], "with NumPy", numpy and numpy.__version__)


main()
