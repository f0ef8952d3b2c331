"""How fast the C library is: the tracker alone, and a network beside a bare call of ONNX Runtime.

    python tests/capi/measure.py build/release

`live` measures both together; call it as its own head says. Times are of this machine, at this
moment: run it on an idle one.
"""

from __future__ import annotations

import ctypes
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

MODEL = Path(__file__).parents[2] / "zoo" / "denoise-live" / "denoise-live-1.0.0.onnx"
SIDE = 512


class Image(ctypes.Structure):
    """stemzoo_image"""

    _fields_ = (
        ("pixels", ctypes.c_void_p),
        ("dtype", ctypes.c_int),
        ("rows", ctypes.c_size_t),
        ("cols", ctypes.c_size_t),
        ("row_stride", ctypes.c_ssize_t),
        ("col_stride", ctypes.c_ssize_t),
        ("mask", ctypes.c_void_p),
        ("mask_row_stride", ctypes.c_ssize_t),
    )


def image_of(array: NDArray[np.float32]) -> Image:
    return Image(array.ctypes.data, 8, SIDE, SIDE, SIDE, 1, None, 0)


def specimen() -> NDArray[np.float32]:
    """Columns on a lattice, each of a height of its own, larger than a frame."""
    side = SIDE + 64
    y, x = np.mgrid[:side, :side]
    heights = np.random.default_rng(1).uniform(20, 80, (side // 14 + 1, side // 16 + 1))
    wave = (1 - np.cos(2 * np.pi * y / 14)) * (1 - np.cos(2 * np.pi * x / 16))
    return (heights[y // 14, x // 16] * wave).astype("f4")


def frames(count: int) -> list[NDArray[np.float32]]:
    """A specimen that drifts by (1, 0.5) px a frame, with Poisson noise."""
    whole, noise = specimen(), np.random.default_rng(2)
    made = []
    for number in range(count):
        top, left = 40 - number, 40 - number // 2
        made.append(noise.poisson(whole[top : top + SIDE, left : left + SIDE]).astype("f4"))
    return made


def seconds(call: Callable[..., Any], *arguments: Any) -> float:
    began = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - began


def tracked(library: ctypes.CDLL) -> None:
    tracker, drift = ctypes.c_void_p(), (ctypes.c_double * 128)()
    at, push = ctypes.c_double(float("nan")), library.stemzoo_tracker_push
    series = frames(40)
    images = [image_of(frame) for frame in series]
    took = []
    for _ in range(8):
        create = library.stemzoo_tracker_create
        assert create(ctypes.byref(images[0]), None, ctypes.byref(tracker)) == 0
        for number, image in enumerate(images[1:], 1):
            took.append(seconds(push, tracker, ctypes.byref(image), at, ctypes.byref(drift)))
            assert abs(drift[0] - number) < 0.2, list(drift[:5])
        library.stemzoo_tracker_close(tracker)
    middle, slow = statistics.median(took), sorted(took)[int(0.99 * len(took))]
    print(
        f"tracker alone, {SIDE} x {SIDE}: {len(took) / sum(took):.0f} frames/s, "
        f"median {1e3 * middle:.2f} ms, 99 % {1e3 * slow:.2f} ms, fastest {1e3 * min(took):.2f} ms"
    )


def beside_onnx_runtime(library: ctypes.CDLL) -> None:
    runtime = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    assert library.stemzoo_runtime_load(bytes(runtime)) == 0
    model = ctypes.c_void_p()
    assert library.stemzoo_model_open(bytes(MODEL), None, ctypes.byref(model)) == 0
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
    frame, out = frames(1)[0], np.empty((SIDE, SIDE), "f4")
    batch = ((frame - frame.mean()) / frame.std())[None, None]
    given = image_of(frame)
    image, to = ctypes.byref(given), ctypes.c_void_p(out.ctypes.data)
    stride = ctypes.c_ssize_t(SIDE)
    ours, bare = [], []
    for _ in range(40):
        ours.append(seconds(library.stemzoo_model_run, model, image, None, to, stride))
        bare.append(seconds(session.run, None, {"image": batch}))
    a, b = statistics.median(ours), statistics.median(bare)
    print(
        f"denoise-live, {SIDE} x {SIDE}: median {1e3 * a:.1f} ms, a bare call {1e3 * b:.1f} ms "
        f"({100 * (a / b - 1):+.1f} %); fastest {1e3 * min(ours):.1f} and {1e3 * min(bare):.1f} "
        f"({100 * (min(ours) / min(bare) - 1):+.1f} %)"
    )
    library.stemzoo_model_close(model)


def main() -> None:
    path = Path(sys.argv[1]) / "libstemzoo.so"
    library = ctypes.CDLL(str(path))
    print(f"{path.resolve().name}: {path.stat().st_size} bytes")
    tracked(library)
    beside_onnx_runtime(library)


if __name__ == "__main__":
    main()
