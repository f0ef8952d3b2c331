"""bmnd 0.3.0 (Duhme et al. 2026): block matching with a Poisson noise model, on one thread."""

from __future__ import annotations

from typing import Any

import numpy as np
from bmnd import BM3DProfile, NoiseModel, bmnd  # type: ignore[import-not-found]

from benchmarks.peers.loop import serve

PROFILE = BM3DProfile(noise_model=NoiseModel.POISSON)


def clean(counts: Any) -> Any:
    return bmnd(np.maximum(counts, 0).astype(np.float32), PROFILE)


if __name__ == "__main__":
    serve(clean)
