"""denoise-atomic: the best denoiser of atomic-resolution images, noise of any colour included.

    python -m training.sprint --minutes 8 denoise-atomic   # on a rented GPU
    python -m training.train denoise-atomic                # on whatever there is

A windowed Fourier Wiener filter with a learnt noise spectrum and learnt gains, and a U-Net of
60 GMAC per megapixel behind it.
"""

from __future__ import annotations

from typing import Any

from training.recipe import Recipe
from training.recipes.shared.frame_recipe import FrameRecipe


def recipe(**settings: Any) -> Recipe:
    return FrameRecipe(
        **{
            "name": "denoise-atomic",
            "version": "1.0.0",
            "task": "denoise",
            "summary": "The best denoiser of atomic-resolution images, of noise of any colour.",
            "limits": (
                "It leaves scan distortions as they are: row jitter and drift need a restoring\n"
                "model. Below about one electron per pixel it smooths faint columns away. A few\n"
                "wrong columns in a perfect crystal at low dose may be pulled towards their\n"
                "neighbours."
            ),
            "minutes": 240.0,
            "learning_rate": 1.5e-3,
            "trained_for": {
                "dose": "0.5 to 100,000 electrons per pixel at the brightest column",
                "spacing": "columns 4 to 240 px apart",
                "noise": "white, or with afterglow, smoothed, zoomed, turned or re-saved",
            },
            "bars": {
                "perovskite.0.clean": ">= 33.5",
                "perovskite.1.clean": ">= 36.8",
                "perovskite.2.clean": ">= 41.0",
                "blank.clean_std": "<= 0.15",
            },
            **settings,
        }
    )
