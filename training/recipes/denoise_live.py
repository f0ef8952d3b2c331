"""denoise-live: the quick denoiser for live viewing.

    python -m training.sprint --minutes 8 denoise-live   # on a rented GPU
    python -m training.train denoise-live                # on whatever there is

The Wiener filter of denoise-atomic with simpler gains, and a U-Net of 13 GMAC per megapixel.
"""

from __future__ import annotations

from typing import Any

from training.recipe import Recipe
from training.recipes.shared.denoise_live_0_1 import first_version
from training.recipes.shared.frame_recipe import FrameRecipe


def recipe(**settings: Any) -> Recipe:
    if settings.get("version") == "0.1.0":
        return first_version(**settings)
    return FrameRecipe(
        **{
            "name": "denoise-live",
            "version": "1.0.0",
            "task": "denoise",
            "summary": "A quick denoiser for live viewing of atomic-resolution STEM images.",
            "limits": (
                "It leaves scan distortions as they are: row jitter and drift need a restoring\n"
                "model. Below about one electron per pixel it smooths faint columns away. A few\n"
                "wrong columns in a perfect crystal at low dose may be pulled towards their\n"
                "neighbours."
            ),
            "minutes": 120.0,
            "learning_rate": 2e-3,
            "widths": (16, 32, 96),
            "blocks": (1, 1),
            "dilations": (1, 2, 4),
            "hidden": 0,
            "trained_for": {
                "dose": "0.5 to 100,000 electrons per pixel at the brightest column",
                "spacing": "columns 4 to 240 px apart",
                "noise": "white, or with afterglow, smoothed, zoomed, turned or re-saved",
            },
            "bars": {
                "perovskite.0.clean": ">= 32.2",
                "perovskite.1.clean": ">= 35.3",
                "perovskite.2.clean": ">= 39.8",
                "lattices.0.clean": ">= 23.5",  # the closest columns at the lowest dose
                "lattices.1.clean": ">= 31.9",
                "blank.clean_std": "<= 0.15",
            },
            **settings,
        }
    )
