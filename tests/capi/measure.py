"""How fast the C library is: the tracker alone, and a network beside a bare call of ONNX Runtime.

    python tests/capi/measure.py build/release

The Python client calls it, whose own time is in the figures. `live` measures both together; call it
as its own head says. Times are of this machine, at this moment: run it on an idle one.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients" / "python"))
import stemzoo_client  # noqa: E402

MODEL = ROOT / "zoo" / "denoise-live" / "denoise-live-1.0.0.onnx"
SIDE = 512


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


def tracked() -> None:
    series = frames(40)
    took = []
    for _ in range(8):
        with stemzoo_client.DriftTracker(series[0]) as tracker:
            for frame in series[1:]:
                took.append(seconds(tracker.push, frame))
            assert math.isclose(tracker.predict().dy, len(series), abs_tol=0.2)
    middle, slow = statistics.median(took), sorted(took)[int(0.99 * len(took))]
    print(
        f"tracker alone, {SIDE} x {SIDE}: {len(took) / sum(took):.0f} frames/s, "
        f"median {1e3 * middle:.2f} ms, 99 % {1e3 * slow:.2f} ms, fastest {1e3 * min(took):.2f} ms"
    )


def beside_onnx_runtime() -> None:
    runtime = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.*"))
    stemzoo_client.open_library().load_runtime(str(runtime))
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(MODEL, options, providers=["CPUExecutionProvider"])
    frame, out = frames(1)[0], np.empty((SIDE, SIDE), "f4")
    batch = ((frame - frame.mean()) / frame.std())[None, None]
    ours, bare = [], []
    with stemzoo_client.Model(MODEL) as model:
        for _ in range(40):
            ours.append(seconds(model.run, frame, out))
            bare.append(seconds(session.run, None, {"image": batch}))
    a, b = statistics.median(ours), statistics.median(bare)
    print(
        f"denoise-live, {SIDE} x {SIDE}: median {1e3 * a:.1f} ms, a bare call {1e3 * b:.1f} ms "
        f"({100 * (a / b - 1):+.1f} %); fastest {1e3 * min(ours):.1f} and {1e3 * min(bare):.1f} "
        f"({100 * (min(ours) / min(bare) - 1):+.1f} %)"
    )


def main() -> None:
    path = Path(sys.argv[1]) / "libstemzoo.so"
    stemzoo_client.open_library(str(path))
    print(f"{path.resolve().name}: {path.stat().st_size} bytes")
    tracked()
    beside_onnx_runtime()


if __name__ == "__main__":
    main()
