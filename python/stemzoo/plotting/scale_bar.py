"""A bar as long as a round number of nanometres, drawn into a picture."""

from __future__ import annotations

import math

import numpy as np

from stemzoo.plotting.pictures import Grey

SHARE = 0.3  # of the picture's width that a bar has at most
LEAST_SIDE = 96  # px: on smaller pictures there is no room for one


def scale_bar(picture: Grey, pixel_size: tuple[float, float] | None, unit: str | None) -> Grey:
    """The picture with a bar in its lower left corner; as it is where nothing is calibrated."""
    if not pixel_size or not unit or min(picture.shape) < LEAST_SIDE:
        return picture
    from PIL import Image, ImageDraw, ImageFont

    height, width = picture.shape
    length = round_length(SHARE * width * pixel_size[1])
    across = max(1, round(length / pixel_size[1]))
    margin, thick = max(4, width // 40), max(2, height // 100)
    font = ImageFont.load_default(max(11, height // 24))
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    text = f"{length:g} {unit}"
    _, top, text_width, text_height = draw.textbbox((0, 0), text, font=font)
    # A dark field, since a lattice is bright and dark by turns.
    field = (0, height - 3 * margin - thick - text_height, across + 2 * margin, height)
    draw.rectangle((*field[:2], max(field[2], text_width + 2 * margin), field[3]), fill=0)
    draw.text((margin, field[1] + margin - top), text, fill=255, font=font)
    bottom = height - margin
    draw.rectangle((margin, bottom - thick, margin + across - 1, bottom - 1), fill=255)
    return np.asarray(image)


def round_length(most: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is no longer than `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return float(next(step * power for step in (5, 2, 1) if step * power <= most * (1 + 1e-9)))
