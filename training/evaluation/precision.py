"""What a model loses in less than float32, measured: the gate before `stemzoo.load(precision=...)`.

    python -m training.evaluation.precision NAME --precision tf32

Simulated images with known truth, at several doses, go through the model in float32 and in the
other precision, on the same provider. It passes if no image loses more than MOST_LOSS dB of PSNR,
and the figures go into python/stemzoo/inference/precision.json under the sha256 of the model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stemzoo
from stemzoo.cli.demo.phantoms import expose, perovskite, psnr
from stemzoo.inference.model import Model
from stemzoo.inference.precision import FILE, measured
from stemzoo.inference.providers import PRECISIONS, asked_for

PEAKS = (5, 20, 100, 1000)  # counts
SHAPE = (512, 512)
MOST_LOSS = 0.01  # dB

Denoise = Callable[[NDArray[Any]], NDArray[Any]]


def compare(reference: Denoise, other: Denoise, shape: tuple[int, int] = SHAPE) -> dict[str, Any]:
    """The figures of precision.json, of a denoiser beside the same in float32."""
    losses, differences = [], []
    for seed, peak in enumerate(PEAKS):
        clean = perovskite(shape, seed=seed).image(shape)
        truth = clean * peak / clean.max()
        counts = expose(clean, peak, np.random.default_rng(seed))
        exact, rounded = reference(counts), other(counts)
        losses.append(psnr(exact, truth) - psnr(rounded, truth))
        differences.append(float(np.abs(exact - rounded).max() / np.ptp(exact)))
    worst = max(losses)
    return {
        "passed": bool(worst <= MOST_LOSS),  # not where it is NaN
        "worst_loss_db": round(worst, 5),
        "most_loss_db": MOST_LOSS,
        "largest_difference": max(differences),
        "peaks": list(PEAKS),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="a model, or model@version")
    parser.add_argument("--precision", choices=sorted(PRECISIONS), required=True)
    parser.add_argument("--provider", default="CUDAExecutionProvider")
    given = parser.parse_args()
    exact = stemzoo.load(given.name, providers=[given.provider], strict=True)
    asked = asked_for([given.provider], precision=given.precision, strict=True)
    other = Model(exact.path, asked=asked, sha256=exact.sha256, listed=True)
    figures = compare(exact, other) | {"provider": exact.provider}
    known = measured()
    known.setdefault(exact.sha256, {})[given.precision] = figures
    FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
