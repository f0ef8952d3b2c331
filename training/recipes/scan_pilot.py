"""scan-pilot: what `restore-scan` takes for the specimen while it looks for the rows of a scan.

    python -m training.sprint --minutes 8 scan-pilot   # on a rented GPU
    python -m training.train scan-pilot                # on whatever there is

The network of denoise-atomic in a smaller size, taught to undo scan errors along x too. Its
displacements need not be exact: the likelihood of the counts finds them (csrc/scan).
"""

from __future__ import annotations

from typing import Any

from training.frame_recipe import FrameRecipe
from training.recipe import Recipe


def recipe(**settings: Any) -> Recipe:
    return FrameRecipe(
        **{
            "name": "scan-pilot",
            "version": "1.0.0",
            "task": "restore",
            "summary": "Denoises and straightens frames scanned along x, for restore-scan.",
            "limits": (
                "It is one part of restore-scan, which finds where every row lay; alone it leaves\n"
                "much of strong row jitter in the picture. The fast direction must be x."
            ),
            "minutes": 180.0,
            "learning_rate": 1.5e-3,
            "widths": (32, 48, 96),
            "blocks": (1, 2),
            "jittered": 1.0,
            "straight": True,
            "figures": "restoration",
            "trained_for": {
                "dose": "0.5 to 100,000 electrons per pixel at the brightest column",
                "spacing": "columns 4 to 240 px apart",
                "scan": "row jitter up to 1.2 px, vibration, flyback, jumps, mains; fast along x",
            },
            **settings,
        }
    )
