"""denoise-atomic: the best denoiser of atomic-resolution images, also under correlated noise.

    python -m training.sprint --minutes 8 denoise-atomic   # on a rented GPU
    python -m training.train denoise-atomic                # on any machine

A windowed Fourier Wiener filter with a learnt noise spectrum and learnt gains, followed by a U-Net
of 60 GMAC per megapixel. Version 1.1 has the weights of 1.0, and returns lattice frequencies that
the network has weakened (training/networks/lattice_residual.py). Version 1.1.1 stores the large
weights in half precision (training/packaging/half_weights.py). Version 1.2 has the same weights and
estimates the noise in four orientations of its spectrum: 0.3 dB more on specimens at peak 300, and
5 dB on small particles in vacuum, whose spectrum 1.1 took for that of noise.

Tried: an hour more of training on two CPU cores, which gives 0.15 dB on specimens at peak 300 and
takes 0.2 dB from large crystals at peak 100; the mean of the whole network over eight orientations,
0.05 dB at eight times the cost; the mean of denoise-live's noise over four, which leaves 8 to 11 dB
more of the noise of smoothed blank fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from training.recipe import Recipe
from training.recipes.shared.frame_recipe import DENOISER_LIMITS, DENOISER_RANGES, FrameRecipe


@dataclass
class DenoiseAtomic(FrameRecipe):
    name: str = "denoise-atomic"
    version: str = "1.2.0"
    task: str = "denoise"
    summary: str = "The best denoiser of atomic-resolution images, of noise of any colour."
    limits: str = DENOISER_LIMITS
    keeps_lattice: bool = True
    symmetric: bool = True
    minutes: float = 240.0
    learning_rate: float = 1.5e-3
    trained_for: dict[str, str] = field(default_factory=lambda: dict(DENOISER_RANGES))
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "perovskite.0.clean": ">= 33.5",
            "perovskite.1.clean": ">= 37.3",
            "perovskite.2.clean": ">= 42.0",
            "blank.clean_std": "<= 0.15",
        }
    )


ONE_ORIENTATION = {"symmetric": False}
EARLIER = {  # versions, and the settings in which their networks differ
    "1.0.0": {**ONE_ORIENTATION, "keeps_lattice": False},
    "1.1.0": ONE_ORIENTATION,
    "1.1.1": ONE_ORIENTATION,
}


def recipe(**settings: Any) -> Recipe:
    version = settings.get("version", DenoiseAtomic.version)
    return DenoiseAtomic(**{**EARLIER.get(version, {}), **settings})
