"""An image before and after, and what was taken away between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.io import Micrograph
from stemzoo.plotting.panels import SMALLEST, framed
from stemzoo.plotting.pictures import Grey, grey, save_panels
from stemzoo.plotting.scale_bar import scale_bar

SPREAD = 3.0  # standard deviations of the residual that its grey levels span, to either side


def save_before_and_after(path: Path, before: Micrograph, after: NDArray[Any], task: str) -> None:
    """A PNG of the first frame: structure in the residual is what was taken for noise."""
    raw, clean = (_first(each) for each in (before.data, after))
    left = np.ma.filled(np.ma.asarray(raw, np.float64) - clean, np.nan)
    most = SPREAD * float(np.nanstd(left)) or 1.0
    panels = [
        ("as recorded", _enlarged(grey(raw))),
        (f"{task}d", _enlarged(grey(clean))),
        (f"taken away, up to {most:.3g}", _enlarged(grey(left, (-most, most)))),
    ]
    times = panels[0][1].shape[0] // raw.shape[0]
    size = before.pixel_size and (before.pixel_size[0] / times, before.pixel_size[1] / times)
    caption, shown = panels[0]
    save_panels(path, [(caption, scale_bar(shown, size, before.unit)), *panels[1:]], columns=3)


def _enlarged(picture: Grey) -> Grey:
    """Large ones stay as they are, to be zoomed into."""
    return framed(picture) if min(picture.shape) < SMALLEST else picture


def _first(image: NDArray[Any]) -> NDArray[Any]:
    return image[0] if image.ndim == 3 else image
