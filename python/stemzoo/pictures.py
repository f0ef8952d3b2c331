"""Arrays to pictures people look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

GAP, CAPTION = 8, 26  # px between panels, and below each for its caption
PAPER, INK = 255, 30


def grey(
    image: NDArray[Any], limits: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """8-bit grey levels; by default from the 0.1 to the 99.9 percentile."""
    values = np.ma.filled(np.ma.asarray(image, np.float64), np.nan)  # type: ignore[no-untyped-call]
    low, high = limits or np.nanpercentile(values, (0.1, 99.9))
    scaled = (values - low) * (255 / (high - low) if high > low else 0.0)
    return np.nan_to_num(np.clip(scaled, 0, 255)).astype(np.uint8)


def panels(captioned: Sequence[tuple[str, NDArray[np.uint8]]], columns: int) -> Image.Image:
    """Pictures of one size in rows of `columns`, each with its caption below."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = captioned[0][1].shape
    rows = -(-len(captioned) // columns)
    sheet = Image.new(
        "L",
        (columns * (width + GAP) + GAP, rows * (height + CAPTION + GAP) + GAP),
        PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for index, (caption, picture) in enumerate(captioned):
        left = GAP + (index % columns) * (width + GAP)
        top = GAP + (index // columns) * (height + CAPTION + GAP)
        sheet.paste(Image.fromarray(picture), (left, top))
        draw.text((left + 2, top + height + 4), caption, fill=INK, font=font)
    return sheet
