"""restore-scan: denoises a scanned frame and straightens its displaced rows.

    python -m training.sprint --minutes 8 restore-scan   # on a rented GPU
    python -m training.train restore-scan                # on any machine

The network of denoise-atomic, smaller, trained to undo scan errors along x too. Its output is the
pilot estimate: the likelihood of the counts given the pilot locates every row (csrc/scan), and
denoise-atomic then denoises the straightened frame. Version 1.1 has the weights of 1.0;
1.1.1 stores the large ones in half precision; 1.2 to 1.4 denoise with denoise-atomic of that
version.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from training.recipes.shared.frame_recipe import DOSE_AND_SPACING, FrameRecipe


@dataclass
class RestoreScan(FrameRecipe):
    name: str = "restore-scan"
    version: str = "1.4.0"
    task: str = "restore"
    summary: str = "Denoises and straightens frames: finds where every row of a scan lay."
    limits: str = """\
The network alone, in another runtime than stemzoo, leaves part of strong row
jitter in the picture, and the fast direction must then be x. Displacements that
change slowly from row to row cannot be told from the shape of the specimen and
stay, and so does drift."""
    minutes: float = 180.0
    learning_rate: float = 1.5e-3
    widths: tuple[int, ...] = (32, 48, 96)
    blocks: tuple[int, ...] = (1, 2)
    jittered: float = 1.0
    straight: bool = True
    row_jitter: float = 2.0
    denoiser: str = "denoise-atomic@1.4.0"
    evaluation: str = "scan_rows"
    trained_for: dict[str, str] = field(
        default_factory=lambda: {
            **DOSE_AND_SPACING,
            "scan": "row jitter up to {row_jitter:g} px, vibration, flyback, jumps, mains; "
            "fast along x",
        }
    )
    thresholds: dict[str, str] = field(
        default_factory=lambda: {
            "gain": ">= 8.4",
            "row_step.after": "<= 0.15",
            "slopes.0.slope": ">= 0.97",
        }
    )


recipe = RestoreScan
