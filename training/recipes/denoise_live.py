"""denoise-live: the quick denoiser for live viewing.

    python -m training.sprint --minutes 8 denoise-live   # on a rented GPU
    python -m training.train denoise-live                # on any machine
    python -m training.train_detail denoise-live         # the part for high dose

The Wiener filter of denoise-atomic with simpler gains, then a U-Net of 13 GMAC per megapixel.
Version 1.0.1 has the weights of 1.0.0, the large ones stored in half precision. Version 1.1 has the
same weights and a part that tells detail from noise at high dose, as denoise-atomic has.

Tried: the last layer of denoise-atomic (`refines`), trained alone for 15 minutes of one CPU core.
It brings 0.02 to 0.12 dB on specimens and 0.1 dB on large crystals, and costs 2 % of the accuracy
of positions at peak 5 and some more invented spots in pictures without atoms. Noise from four
orientations of the spectrum (`symmetric`), with the filter trained alone for 24 minutes of two CPU
cores: 0.1 dB less on specimens at peak 300 and on large crystals, though small particles at low
dose gain up to 0.9 dB. The U-Net would have to learn with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from training.recipe import Recipe
from training.recipes.shared.denoise_live_0_1 import DenoiseLive01
from training.recipes.shared.frame_recipe import DENOISER_LIMITS, DENOISER_RANGES, FrameRecipe


@dataclass
class DenoiseLive(FrameRecipe):
    name: str = "denoise-live"
    version: str = "1.1.0"
    task: str = "denoise"
    summary: str = "A quick denoiser for live viewing of atomic-resolution STEM images."
    limits: str = DENOISER_LIMITS
    minutes: float = 120.0
    learning_rate: float = 2e-3
    widths: tuple[int, ...] = (16, 32, 96)
    blocks: tuple[int, ...] = (1, 1)
    dilations: tuple[int, ...] = (1, 2, 4)
    hidden: int = 0
    sees_detail: bool = True
    trained_for: dict[str, str] = field(default_factory=lambda: dict(DENOISER_RANGES))
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "perovskite.0.clean": ">= 32.2",
            "perovskite.1.clean": ">= 35.3",
            "perovskite.2.clean": ">= 39.8",
            "lattices.0.clean": ">= 23.5",  # the closest columns at the lowest dose
            "lattices.1.clean": ">= 31.9",
            "blank.clean_std": "<= 0.15",
        }
    )


NO_DETAIL = {"sees_detail": False}
EARLIER = {"1.0.0": NO_DETAIL, "1.0.1": NO_DETAIL}  # versions, and the settings that differ


def recipe(**settings: Any) -> Recipe:
    version = settings.get("version", DenoiseLive.version)
    if version == DenoiseLive01.version:
        return DenoiseLive01(**settings)
    return DenoiseLive(**{**EARLIER.get(version, {}), **settings})
