"""restore-scan: denoises and straightens frames whose rows lie where they should not.

    python -m training.sprint --minutes 8 restore-scan   # on a rented GPU
    python -m training.train restore-scan                # on whatever there is

The network of denoise-atomic in a smaller size, taught to undo scan errors along x too. It is the
pilot: the likelihood of the counts given its answer finds where every row lay (csrc/scan), and
denoise-atomic has the last word on the straightened frame.
"""

from __future__ import annotations

from typing import Any

from training.recipe import Recipe
from training.recipes.shared.frame_recipe import FrameRecipe


def recipe(**settings: Any) -> Recipe:
    return FrameRecipe(
        **{
            "name": "restore-scan",
            "version": "1.0.0",
            "task": "restore",
            "summary": "Denoises and straightens frames: finds where every row of a scan lay.",
            "limits": (
                "The network alone, in another runtime than stemzoo, leaves part of strong row\n"
                "jitter in the picture, and the fast direction must then be x. Displacements that\n"
                "change slowly from row to row cannot be told from the shape of the specimen and\n"
                "stay, and so does drift."
            ),
            "minutes": 180.0,
            "learning_rate": 1.5e-3,
            "widths": (32, 48, 96),
            "blocks": (1, 2),
            "jittered": 1.0,
            "straight": True,
            "row_jitter": 2.0,
            "denoiser": "denoise-atomic@1.0.0",
            "figures": "scan_rows",
            "trained_for": {
                "dose": "0.5 to 100,000 electrons per pixel at the brightest column",
                "spacing": "columns 4 to 240 px apart",
                "scan": "row jitter up to 2 px, vibration, flyback, jumps, mains; fast along x",
            },
            "bars": {"gain": ">= 8.4", "row_step.after": "<= 0.15", "slopes.0.slope": ">= 0.97"},
            **settings,
        }
    )
