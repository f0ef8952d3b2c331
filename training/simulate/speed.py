"""The speed of the simulator, by stage: python -m training.simulate.speed.

In megapixels per second of processor time on a CPU, which does not depend on other load, and of
elapsed time on a GPU. Training on a CPU uses cached scenes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from training.simulate.acquire import Conditions, acquire
from training.simulate.detector import DETECTOR, record
from training.simulate.draw import draw_mix, log_uniform
from training.simulate.scan import EDGE, SCAN, coefficients, displacements, sample
from training.simulate.scenes import SPACING_BANDS, render_crystals

TIMED_BATCH, TIMED_SIZE = 8, 192
Stage = Callable[[], object]


def megapixels_per_second(stage: Stage, device: torch.device, rounds: int) -> float:
    """The mean over some rounds, because batches differ."""
    stage()
    start = _clock(device)
    for _ in range(rounds):
        stage()
    return rounds * TIMED_BATCH * TIMED_SIZE**2 / 1e6 / (_clock(device) - start)


def _clock(device: torch.device) -> float:
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def rendering(random: torch.Generator) -> dict[str, Stage]:
    """Scenes from nothing, by column spacing."""

    def band(spacing: tuple[float, float]) -> Stage:
        return lambda: render_crystals(TIMED_BATCH, TIMED_SIZE, spacing, random)

    return {
        f"render, {low:g} to {high:g} px": band((low, high)) for (low, high), _ in SPACING_BANDS
    }


def acquisition(random: torch.Generator) -> dict[str, Stage]:
    """From a scene to a noisy picture and its truth, in parts and as a whole."""
    scene = render_crystals(TIMED_BATCH, TIMED_SIZE + 2 * EDGE, SPACING_BANDS[1][0], random)
    ready = scene[:, EDGE:-EDGE, EDGE:-EDGE]
    peak = log_uniform((TIMED_BATCH,), 1, 1000, random)
    spline = coefficients(scene)

    def scan() -> tuple[torch.Tensor, torch.Tensor]:
        return displacements(
            TIMED_BATCH, TIMED_SIZE, TIMED_SIZE, random, draw_mix(SCAN, TIMED_BATCH, random)
        )

    slow, fast = scan()
    everything = Conditions(SCAN, DETECTOR)
    return {
        "scan errors drawn": scan,
        "spline coefficients": lambda: coefficients(scene),
        "sampled along them": lambda: sample(spline, slow + fast),
        "Poisson noise alone": lambda: record(ready, peak, random),
        "every detector effect": lambda: record(
            ready, peak, random, draw_mix(DETECTOR, TIMED_BATCH, random)
        ),
        "cached scene to noisy and true": lambda: acquire(scene, peak, everything, random),
    }


def main() -> None:
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    random = torch.Generator(device).manual_seed(1)
    for stages, rounds in ((rendering(random), 3), (acquisition(random), 20)):
        for name, stage in stages.items():
            speed = megapixels_per_second(stage, device, rounds)
            print(f"{name:32s} {speed:8.1f} Mpx/s", flush=True)


if __name__ == "__main__":
    main()
