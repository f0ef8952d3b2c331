"""Shared by the evaluations of all models: the seed, and gains of PSNR and SSIM."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.cli.demo.phantoms import psnr
from training.evaluation.measures import ssim

Metrics = dict[str, Any]
Image = NDArray[np.floating]

EVALUATION_SEED = 90_000  # training counts its seeds from 1


def gains(triples: Iterable[tuple[Image, Image, Image]]) -> Metrics:
    """Mean PSNR and SSIM of raw and clean images, from (raw, clean, truth)."""
    rows = [
        (psnr(raw, truth), psnr(clean, truth), ssim(raw, truth), ssim(clean, truth))
        for raw, clean, truth in triples
    ]
    names = ("raw", "clean", "raw_ssim", "clean_ssim")
    return dict(zip(names, (rounded(value) for value in np.mean(rows, axis=0)), strict=True))


def rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 3)
