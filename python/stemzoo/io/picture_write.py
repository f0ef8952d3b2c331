"""PNG out: 8 or 16 bits of grey, for programs that open nothing else.

Calibration, metadata and the scale of the integers stand in the PNG's own text, under `stemzoo`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError
from stemzoo.io.jsonable import dumps
from stemzoo.io.micrograph import Micrograph
from stemzoo.io.own_record import OWN
from stemzoo.io.units import normalise


def write(path: Path, micrograph: Micrograph, metadata: dict[str, Any]) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    if micrograph.data.ndim != 2:
        raise FileError(
            f"{path} cannot hold a stack of shape {micrograph.data.shape}; write .tif or .npy"
        )
    about = PngInfo()
    known = {"pixel_size": micrograph.pixel_size, "unit": normalise(micrograph.unit)}
    about.add_text(OWN, dumps({**known, "metadata": metadata}), zip=True)
    with replacing(path) as file:
        Image.fromarray(micrograph.data).save(file, "PNG", pnginfo=about)
