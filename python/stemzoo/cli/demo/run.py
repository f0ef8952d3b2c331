"""The main job in one command: a noisy, drifting series becomes a clean, still picture."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stemzoo.alignment.align import align
from stemzoo.alignment.denoise import denoise
from stemzoo.cli.demo.phantoms import expose, psnr, ruddlesden_popper
from stemzoo.plotting.pictures import grey, save_panels

SHAPE = (384, 384)
FRAMES = 24
PEAK = 4.0  # electrons per frame in the brightest pixel
DRIFT = (0.9, -0.55)  # px a frame, on which a random walk of WALK px rides
WALK = 0.6


@dataclass(frozen=True)
class Series:
    frames: NDArray[np.float32]
    truth: NDArray[np.float64]  # of the first frame
    path: NDArray[np.float64]


def simulate(seed: int = 0) -> Series:
    """A fast-scan series of SrTiO3 [001] with a Ruddlesden-Popper fault, at low dose, drifting."""
    random = np.random.default_rng(seed)
    steps = np.array(DRIFT) + WALK * random.standard_normal((FRAMES - 1, 2))
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    specimen = ruddlesden_popper(SHAPE, seed)
    clean = np.stack([specimen.image(SHAPE, (dy, dx)) for dy, dx in path])
    brightest = clean[0].max()
    frames = np.stack([expose(frame, PEAK * frame.max() / brightest, random) for frame in clean])
    return Series(frames, clean[0] * (PEAK / brightest), path)


def run(picture: Path) -> str:
    """Write the picture and say, in a few lines, what was gained and how long it took."""
    series = simulate()
    started = time.perf_counter()
    found = align(series.frames)
    aligned = time.perf_counter()
    raw = series.frames[0]
    clean = denoise(raw)
    denoised = time.perf_counter()
    cleanest = denoise(np.ma.masked_invalid(found.average))

    # Edges that left the field during the series are in no average; compare inside them.
    inside = _common(found.shifts)
    truth = series.truth[inside]
    naive = series.frames.mean(axis=0)
    shown = {
        "one raw frame": raw,
        "sum without alignment": naive,
        "aligned sum": found.average,
        "one frame, denoised": clean,
        "aligned and denoised": cleanest,
        "truth": series.truth,
    }
    limits = (0.0, float(series.truth.max()))
    gains = {name: psnr(image[inside], truth) for name, image in shown.items() if name != "truth"}
    captions = [f"{name}: {gains[name]:.1f} dB" if name in gains else name for name in shown]
    pictures = [grey(image, limits) for image in shown.values()]
    save_panels(picture, list(zip(captions, pictures, strict=True)), columns=3)

    def gain(name: str) -> float:
        return gains[name] - gains["one raw frame"]

    error = np.sqrt(np.mean((found.shifts - series.path) ** 2))
    rows = [f"  {name:<24}{value:6.1f} dB" for name, value in gains.items()]
    return "\n".join(
        [
            f"{FRAMES} frames of {SHAPE[0]} x {SHAPE[1]} px, {PEAK:g} electrons at the brightest "
            f"pixel, drifting {np.hypot(*series.path[-1]):.0f} px in all",
            *rows,
            f"gain of one denoised frame {gain('one frame, denoised'):.1f} dB, "
            f"of the series aligned and denoised {gain('aligned and denoised'):.1f} dB",
            f"drift found to {error:.2f} px rms in {aligned - started:.2f} s; "
            f"one frame denoised in {denoised - aligned:.2f} s with the model's loading",
            f"picture: {picture}",
        ]
    )


def _common(path: NDArray[np.float64]) -> tuple[slice, slice]:
    """The part of the first frame that every frame shows."""
    slices = []
    for moved, size in zip(path.T, SHAPE, strict=True):
        slices.append(
            slice(max(0, int(np.ceil(-moved.min()))), size - max(0, int(np.ceil(moved.max()))))
        )
    return slices[0], slices[1]
