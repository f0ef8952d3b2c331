"""Picture strips: the results of all methods for the same specimen, side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.denoise.peers import Floats, Frame
from stemzoo.plotting.pictures import grey, save_panels
from training.evaluation.cases import Case
from training.evaluation.measures import fidelity

STRIP_SIDE = 176  # px: the middle of the frame
CAPTION_LENGTH = 20  # letters of a method's name that fit below its picture


def save(folder: Path, subject: str, answers: Sequence[tuple[Case, Mapping[str, Floats]]]) -> None:
    """A row of pictures per case: every method's, then the truth under the case's condition, in the
    truth's grey levels."""
    panels = []
    for case, pictures in answers:
        limits = float(case.truth.min()), float(case.truth.max())
        for name, picture in pictures.items():
            caption = f"{shortened(name)} {fidelity(picture, case.truth):.1f} dB"
            panels.append((caption, grey(_middle(picture), limits)))
        panels.append((case.condition, grey(_middle(case.truth), limits)))
    folder.mkdir(parents=True, exist_ok=True)
    save_panels(folder / f"{file_name(subject)}.png", panels, len(answers[0][1]) + 1)


def _middle(picture: Frame) -> Frame:
    top, left = ((length - STRIP_SIDE) // 2 for length in picture.shape)
    return picture[top : top + STRIP_SIDE, left : left + STRIP_SIDE]


def shortened(name: str) -> str:
    """A method's name without version, settings and folder."""
    return re.split(r" \d|, | \+", name)[0][:CAPTION_LENGTH]


def file_name(subject: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", subject.lower()).strip("-")
