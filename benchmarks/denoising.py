"""denoise-live beside BM3D with variance stabilisation, plain filters and PyTorch eager."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import bm3d
import numpy as np
import scipy.ndimage
import torch
from numpy.typing import NDArray

import stemzoo
from benchmarks.timing import medians, milliseconds, table
from stemzoo import _core
from stemzoo.demo.phantoms import expose, perovskite, psnr
from stemzoo.inference.model import MAX_TILE
from training.recipe import load_recipe

PEAKS = (5, 20, 100)
SHAPE = (512, 512)
SEED = 90_100  # never used in training


def report() -> str:
    model = stemzoo.load("denoise-live")
    methods = {
        "raw": lambda counts: counts,
        f"denoise-live {model.contract.version}": model,
        "BM3D + variance stabilisation": _bm3d,
        "Gaussian 1.5 px": partial(scipy.ndimage.gaussian_filter, sigma=1.5),
    }
    rows = [_row(name, method) for name, method in methods.items()]
    return "\n".join(
        [
            "## Denoising a perovskite lattice, 512 x 512, period 20 px, Poisson noise\n",
            table(["PSNR, dB", *(f"peak {peak}" for peak in PEAKS), "s"], rows),
            "Time around the network, 2 threads, ms:\n",
            _runtime(),
        ]
    )


def _row(name: str, method: Any) -> list[str]:
    cells, seconds = [], []
    for peak in PEAKS:
        truth = perovskite(SHAPE, SEED).image(SHAPE)
        counts = expose(truth, peak, np.random.default_rng(SEED + peak))
        started = time.perf_counter()
        result = method(counts)
        seconds.append(time.perf_counter() - started)
        cells.append(f"{psnr(result, truth * (peak / truth.max())):.1f}")
    return [name, *cells, f"{np.median(seconds):.3g}" if name != "raw" else ""]


def _bm3d(counts: NDArray[np.float32]) -> NDArray[np.float64]:
    """The Anscombe transform, BM3D at unit noise, and the exact unbiased inverse's closed form."""
    stabilised = 2 * np.sqrt(counts.astype(np.float64) + 3 / 8)
    low, high = stabilised.min(), stabilised.max()
    clean = bm3d.bm3d((stabilised - low) / (high - low), 1 / (high - low))
    d = np.maximum(np.asarray(clean, np.float64) * (high - low) + low, 2 * np.sqrt(3 / 8))
    root = np.sqrt(3 / 2)
    inverse = d**2 / 4 + root / (4 * d) - 11 / (8 * d**2) + 5 * root / (8 * d**3) - 1 / 8
    return np.asarray(inverse, np.float64)


def _runtime() -> str:
    """The whole of `model(image)`, beside the bare ONNX Runtime call on the same tiles."""
    threads = 2
    torch.set_num_threads(threads)
    model = stemzoo.load("denoise-live", threads=threads)
    network = load_recipe("denoise-live").network().eval()
    rows = []
    for size in (512, 2048):
        image = np.random.default_rng(0).poisson(20, (size, size)).astype(np.float32)
        contract = model.contract
        tiling = _core.Tiling.for_model(image.shape, contract.multiple, contract.halo, MAX_TILE)
        tiles = tiling.split(image, 0, len(tiling), 20.0, 0.2)[:, None]
        times = medians(
            {
                "whole": partial(model, image),
                "bare": partial(_bare, model, tiles),
                "eager": partial(_eager, network, tiles),
            },
            rounds=41,
            budget=30,
        )
        rows.append(
            [
                f"{size} x {size}",
                milliseconds(times["bare"]),
                f"{milliseconds(times['whole'])} ({times['whole'] / times['bare']:.3f}x)",
                f"{milliseconds(times['eager'])} ({times['eager'] / times['bare']:.2f}x)",
            ]
        )
    return table(["", "bare ONNX Runtime", "stemzoo, whole runtime", "PyTorch eager"], rows)


def _bare(model: stemzoo.Model, tiles: NDArray[np.float32]) -> None:
    for tile in tiles:
        model.infer(tile[None])


def _eager(network: torch.nn.Module, tiles: NDArray[np.float32]) -> None:
    with torch.no_grad():
        for tile in tiles:
            network(torch.from_numpy(tile[None]))
