"""denoise-atomic: the best denoiser of atomic-resolution images, also under correlated noise.

    python -m training.sprint --minutes 8 denoise-atomic                   # on a rented GPU
    python -m training.train denoise-atomic                                # on any machine
    python -m training.train_part denoise-atomic refinement --minutes 12   # the last layer alone
    python -m training.train_detail denoise-atomic                         # the part for high dose

A windowed Fourier Wiener filter with a learnt noise spectrum and learnt gains, a U-Net of 60 GMAC
per megapixel, and a layer that returns what both have weakened. Version 1.1 has the weights of 1.0,
and returns lattice frequencies that the network has weakened
(training/networks/lattice_residual.py). Version 1.1.1 stores the large weights in half precision
(training/packaging/half_weights.py). Version 1.2 has the same weights and estimates the noise in
four orientations of its spectrum: 0.3 dB more on specimens at peak 300, and 5 dB on small particles
in vacuum, whose spectrum 1.1 took for that of noise. Version 1.3 has the same weights and a last
layer (training/networks/refinement.py) in place of 1.1's, trained alone for 12 minutes of two CPU
cores: about 0.2 dB more on specimens and 0.3 to 0.6 dB on large crystals. Version 1.4 has the same
weights and a part that tells detail from noise at high dose (training/networks/detail.py), trained
alone on 4,300 frames: 1.3 took detail of coarse lattices for the noise of a smoothed image.

Tried: an hour more of training on two CPU cores, which gives 0.15 dB on specimens at peak 300 and
takes 0.2 dB from large crystals at peak 100; the mean of the whole network over eight orientations,
0.05 dB at eight times the cost; the mean of denoise-live's noise over four, which leaves 8 to 11 dB
more of the noise of smoothed blank fields; gains of the last layer for every window, and
corrections by the removed part itself or by its regression over neighbouring windows, which bring
less than 0.1 dB and invent 20 to 40 spots per megapixel on amorphous films; a second run of the
U-Net on the corrected result, 0.2 dB at peak 300 and a loss at peak 5, for twice the time. For high
dose: training the noise estimate with bright frames for 10 minutes, which gains 7 dB at peak 1e6
and loses 0.1 to 0.3 dB elsewhere, or 1.7 dB under smoothed noise; a convolutional network in place
of the part, or the part trained on the errors of the filter alone, both of which take smoothed
noise for detail. Features and certainty of the part were chosen on specimens at high dose and under
coloured noise, which training never sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from training.recipe import Recipe
from training.recipes.shared.frame_recipe import DENOISER_LIMITS, DENOISER_RANGES, FrameRecipe


@dataclass
class DenoiseAtomic(FrameRecipe):
    name: str = "denoise-atomic"
    version: str = "1.4.0"
    task: str = "denoise"
    summary: str = "The best denoiser of atomic-resolution images, of noise of any colour."
    limits: str = DENOISER_LIMITS
    symmetric: bool = True
    refines: bool = True
    sees_detail: bool = True
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


NO_DETAIL = {"sees_detail": False}
KEEPS_LATTICE = {**NO_DETAIL, "refines": False, "keeps_lattice": True}
EARLIER = {  # versions, and the settings in which their networks differ
    "1.0.0": {**NO_DETAIL, "refines": False, "symmetric": False},
    "1.1.0": {**KEEPS_LATTICE, "symmetric": False},
    "1.1.1": {**KEEPS_LATTICE, "symmetric": False},
    "1.2.0": KEEPS_LATTICE,
    "1.3.0": NO_DETAIL,
}


def recipe(**settings: Any) -> Recipe:
    version = settings.get("version", DenoiseAtomic.version)
    return DenoiseAtomic(**{**EARLIER.get(version, {}), **settings})
