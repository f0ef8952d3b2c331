"""Pictures (PNG, BMP, JPEG): what some detectors save; calibrated only where stemzoo wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stemzoo.common.errors import FileError
from stemzoo.io import picture_structure
from stemzoo.io.bounds import require_plausible
from stemzoo.io.datasets import Dataset
from stemzoo.io.image import Judged, grey, judged
from stemzoo.io.integers import restored
from stemzoo.io.own_record import OWN, said
from stemzoo.io.units import normalise

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg")

_GREY = {"1", "L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"}


def read(path: Path) -> list[Dataset]:
    from PIL import Image

    try:
        opened = Image.open(path)
    except Image.DecompressionBombError as error:
        raise FileError(
            f"{path} has more pixels than Pillow opens: {error}; save it as TIFF or .npy"
        ) from error
    with opened as picture:
        width, height = picture.size
        require_plausible(width * height * len(picture.getbands()), path)
        picture_structure.check(picture, path)
        data, problem = _levels(picture, path)
        known = said(getattr(picture, "text", {}).get(OWN)) or {}
    metadata = known.get("metadata") or {}
    pixel_size = known.get("pixel_size")
    return [
        Dataset(
            restored(data, metadata),
            pixel_size=(float(pixel_size[0]), float(pixel_size[1])) if pixel_size else None,
            unit=normalise(known.get("unit")),
            metadata=metadata,
            problem=problem,
        )
    ]


def _levels(picture: Image, path: Path) -> Judged:
    if _of_16_bits(picture):
        return grey(_decoded(path))
    see_through = picture.has_transparency_data
    if picture.mode not in _GREY:
        return grey(np.asarray(picture.convert("RGBA" if see_through else "RGB")))
    data = np.asarray(picture)
    if not see_through:
        return judged(data)
    alpha = (data != picture.info["transparency"]) * np.iinfo(data.dtype).max
    return grey(np.stack([data, alpha.astype(data.dtype)], -1))


def _of_16_bits(picture: Image) -> bool:
    """A PNG of more than one channel, of which Pillow would keep the upper 8 bits."""
    modes = [tile[3] for tile in getattr(picture, "tile", [])]
    return picture.mode not in _GREY and any(str(mode).endswith(";16B") for mode in modes)


def _decoded(path: Path) -> NDArray[Any]:
    try:
        import imagecodecs
    except ImportError as error:
        raise FileError(
            f"{path} has several channels of 16 bits, which needs the package imagecodecs, and "
            "that is not installed; install it with: pip install 'stemzoo[io]', or save the "
            "picture as 16-bit grey"
        ) from error
    return np.asarray(imagecodecs.png_decode(path.read_bytes()))
