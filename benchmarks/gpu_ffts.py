"""The same correlation by plain FFT calls of CuPy, or of PyTorch: python benchmarks/gpu_ffts.py

256 frames of 512 x 512 against one reference, circular and not normalised, which is less than
`stemzoo.ncc` computes. Prints a JSON line; without a GPU or either package, why there is none.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

FRAMES, SIDE, RUNS = 256, 512, 7


def correlation() -> tuple[str, Callable[[], Any], Callable[[], Any]]:
    """The package, one correlation of all frames, and what waits for it."""
    try:
        import cupy

        frames = cupy.random.default_rng(1).random((FRAMES, SIDE, SIDE), dtype="f4")
        transformed = cupy.fft.rfft2(frames[0]).conj()
        return (
            "CuPy",
            lambda: cupy.fft.irfft2(cupy.fft.rfft2(frames) * transformed),
            cupy.cuda.Device().synchronize,
        )
    except ImportError:
        pass
    import torch

    images = torch.rand((FRAMES, SIDE, SIDE), device="cuda")
    reference = torch.fft.rfft2(images[0]).conj()
    return (
        "PyTorch",
        lambda: torch.fft.irfft2(torch.fft.rfft2(images) * reference),
        torch.cuda.synchronize,
    )


def main() -> None:
    try:
        package, run, wait = correlation()
        times = []
        for _ in range(RUNS + 1):
            began = time.perf_counter()
            run()
            wait()
            times.append(time.perf_counter() - began)
    except Exception as error:  # no package, no GPU, no memory: each has its own
        print(f"plain FFT calls were left out: {error}")
        return
    seconds = statistics.median(times[1:])
    print(json.dumps({"name": "plain FFT calls", "package": package, "seconds": seconds}))


if __name__ == "__main__":
    main()
