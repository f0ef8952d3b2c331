"""Models on a GPU beside plain ONNX Runtime calls: python benchmarks/gpu_models.py

Device to device. Needs stemzoo, onnxruntime-gpu and PyTorch for arrays on the GPU. Prints a JSON
line a model; without a GPU, why there is none.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

MODELS, SIDE, RUNS = ("denoise-live", "denoise-atomic"), 1024, 11


def seconds(run: Callable[[], Any]) -> float:
    times = []
    for _ in range(RUNS + 2):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times[2:])


def measured(name: str) -> dict[str, Any]:
    import numpy as np
    import onnxruntime
    import torch

    import stemzoo

    image = np.random.default_rng(1).poisson(20, (SIDE, SIDE)).astype(np.float32)
    model = stemzoo.load(name, device="cuda", strict=True)
    there = torch.from_numpy(image).cuda()
    result: Any = model(there)
    plain = onnxruntime.InferenceSession(
        model.path, providers=["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    (given,) = plain.get_inputs()
    batch = ((image - image.mean()) / image.std())[None, None]
    cpu = stemzoo.load(name, device="cpu")(image)
    error = float(np.abs(result.cpu().numpy() - cpu).max() / np.ptp(cpu))
    return {
        "name": f"model {name}",
        "seconds": seconds(lambda: model(there)),
        "plain": seconds(lambda: plain.run(None, {given.name: batch})),
        "error": error,
    }


def main() -> None:
    for name in MODELS:
        try:
            print(json.dumps(measured(name)))
        except Exception as error:  # no package, no GPU, no memory: each has its own
            print(f"{name} was left out: {error}")


if __name__ == "__main__":
    main()
