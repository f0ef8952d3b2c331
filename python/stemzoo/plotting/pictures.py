"""Arrays to pictures people look at."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.atomic import replacing

PERCENTILES = (0.1, 99.9)
GAP, CAPTION = 8, 26  # px between panels, and below each for its caption
PAPER, INK = 255, 30
DRAWN_BY = "stemzoo"  # in the PNG's own place for that, by which such pictures are known again

Grey = NDArray[np.uint8]


def grey(image: NDArray[Any], limits: tuple[float, float] | None = None) -> Grey:
    """8-bit grey levels between `limits`, by default the 0.1 and 99.9 percentiles; NaN is black."""
    values = np.ma.filled(np.ma.asarray(image, np.float64), np.nan)
    finite = values[np.isfinite(values)]
    low, high = limits or np.percentile(finite if finite.size else np.zeros(1), PERCENTILES)
    # A constant image has no contrast to stretch: it comes out black, not as noise.
    scale = 255.0 / (high - low) if high > low else 0.0
    scaled = (np.where(np.isnan(values), low, values) - low) * scale
    return np.rint(np.clip(np.nan_to_num(scaled), 0, 255)).astype(np.uint8)


def save_panels(path: Path, captioned: Sequence[tuple[str, Grey]], columns: int) -> None:
    """A PNG of pictures of one size in rows of `columns`, each with its caption below."""
    from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

    height, width = captioned[0][1].shape
    rows = -(-len(captioned) // columns)
    across = columns * (width + GAP) + GAP
    sheet = Image.new("L", (across, rows * (height + CAPTION + GAP) + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for index, (caption, picture) in enumerate(captioned):
        left = GAP + (index % columns) * (width + GAP)
        top = GAP + (index // columns) * (height + CAPTION + GAP)
        sheet.paste(Image.fromarray(picture), (left, top))
        draw.text((left + 2, top + height + 4), caption, fill=INK, font=font)
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", DRAWN_BY)
    with replacing(path) as file:
        sheet.save(file, "PNG", pnginfo=about)


def data_uri(picture: Grey, largest: int) -> str:
    """A PNG as the address of an image in HTML, thinned to at most `largest` px a side."""
    from PIL import Image

    every = -(-max(picture.shape) // largest)
    rows, columns = (max(size // every, 1) for size in picture.shape)
    cut = picture[: rows * every, : columns * every].reshape(rows, every, columns, every)
    with io.BytesIO() as file:
        Image.fromarray(cut.mean((1, 3)).astype(np.uint8)).save(file, "PNG")
        return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
