"""Benchmark of our denoisers against BM3D, a Gaussian filter and PyTorch in eager mode."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.ndimage
import torch
from numpy.typing import NDArray

import stemzoo
from benchmarks.peers import bm3d_vst
from benchmarks.timing import medians, milliseconds, table
from stemzoo import _core
from stemzoo.cli.demo.phantoms import expose, perovskite, psnr
from stemzoo.inference.model import MAX_TILE
from training.recipe import load_recipe

PEROVSKITE_PEAKS = (5, 20, 100)
IMAGE_SHAPE = (512, 512)
BENCHMARK_SEED = 90_100  # never used in training


def report() -> str:
    ours = [stemzoo.load(name) for name in ("denoise-atomic", "denoise-live")]
    methods: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
        "raw": lambda counts: counts,
        **{f"{model.contract.name} {model.contract.version}": model for model in ours},
        "BM3D + variance stabilisation": bm3d_vst.clean,
        "Gaussian 1.5 px": partial(scipy.ndimage.gaussian_filter, sigma=1.5),
    }
    rows = [_row(name, method) for name, method in methods.items()]
    return "\n".join(
        [
            "## Denoising a perovskite lattice, 512 x 512, period 20 px, Poisson noise\n",
            table(["PSNR, dB", *(f"peak {peak}" for peak in PEROVSKITE_PEAKS), "s"], rows),
            "Time around the network, 2 threads, ms:\n",
            _runtime(),
        ]
    )


def _row(name: str, method: Any) -> list[str]:
    cells, seconds = [], []
    for peak in PEROVSKITE_PEAKS:
        truth = perovskite(IMAGE_SHAPE, BENCHMARK_SEED).image(IMAGE_SHAPE)
        counts = expose(truth, peak, np.random.default_rng(BENCHMARK_SEED + peak))
        started = time.perf_counter()
        result = method(counts)
        seconds.append(time.perf_counter() - started)
        cells.append(f"{psnr(result, truth * (peak / truth.max())):.1f}")
    return [name, *cells, f"{np.median(seconds):.3g}" if name != "raw" else ""]


def _runtime() -> str:
    """The time of `model(image)`, and of the bare ONNX Runtime calls on the same tiles."""
    threads = 2
    torch.set_num_threads(threads)
    model = stemzoo.load("denoise-live", threads=threads)
    network = load_recipe("denoise-live").network().eval()
    rows = []
    for size in (512, 2048):
        image = np.random.default_rng(0).poisson(20, (size, size)).astype(np.float32)
        contract = model.contract
        tiling = _core.plan_tiles(
            image.shape,
            multiple=contract.multiple,
            halo=contract.halo,
            whole=contract.whole,
            max_tile=MAX_TILE,
        )
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
