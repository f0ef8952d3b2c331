"""TIFF out, as ImageJ and Fiji expect it, or as OME where the name ends in .ome.tif.

ImageJ's description says the unit and the number of frames, the resolution tags say how many
pixels a unit has, and ImageJ's Info text (Image > Show Info...) carries the metadata and the
provenance as JSON; OME-XML has places of its own for all of that. Gatan's tags say the pixel size
to DigitalMicrograph and HyperSpy, which know few units of ImageJ's. The same layout holds every
real dtype; those that ImageJ itself cannot show (64-bit integers) are still read by tifffile and by
stemzoo.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from stemzoo.common.atomic import replacing
from stemzoo.common.errors import FileError
from stemzoo.io.integers import VALUES
from stemzoo.io.jsonable import dumps
from stemzoo.io.micrograph import Micrograph
from stemzoo.io.own_record import OWN
from stemzoo.io.units import OME_UNITS, factor, normalise

_LARGEST = (1 << 32) - 1
# Between these, a fraction of two 32-bit numbers is exact to 1e-8 and better.
_SMALLEST_RESOLUTION, _LARGEST_RESOLUTION = Fraction(1, 10000), Fraction(10**8)
# Classic TIFF ends at 4 GiB, directories included.
_BIG_ABOVE = 4_000_000_000

Resolution = tuple[tuple[int, int], tuple[int, int]]


def write(path: Path, micrograph: Micrograph, metadata: dict[str, Any]) -> None:
    import tifffile

    data = micrograph.data
    resolution, unit = _resolution(micrograph, path)
    layout = _ome if is_ome(path) else _imagej
    options = layout(micrograph, metadata, unit, resolution)
    with replacing(path) as file:
        tifffile.imwrite(
            file,
            data,
            byteorder="<",
            bigtiff=data.nbytes > _BIG_ABOVE,
            photometric="minisblack",
            software="stemzoo",
            resolution=resolution,
            resolutionunit="NONE",
            **options,
        )


def is_ome(path: Path) -> bool:
    return path.name.lower().endswith((".ome.tif", ".ome.tiff"))


def _imagej(
    micrograph: Micrograph, metadata: dict[str, Any], unit: str | None, by: Resolution | None
) -> dict[str, Any]:
    import tifffile

    data, values = micrograph.data, metadata.get(VALUES)
    info = tifffile.imagej_metadata_tag({"Info": dumps({OWN: metadata})}, "<")
    return {
        "description": _description(len(data) if data.ndim == 3 else 1, unit, values),
        "metadata": None,
        "extratags": [*info, *_gatan(unit, by, data.ndim)],
    }


def _ome(
    micrograph: Micrograph, metadata: dict[str, Any], unit: str | None, by: Resolution | None
) -> dict[str, Any]:
    about: dict[str, Any] = {
        "axes": "TYX" if micrograph.data.ndim == 3 else "YX",
        "Name": str(metadata.get("title") or ""),
        "Description": dumps({OWN: metadata}),
    }
    if by is not None and unit in OME_UNITS:
        (x, per_x), (y, per_y) = by
        about |= {"PhysicalSizeX": per_x / x, "PhysicalSizeXUnit": unit}
        about |= {"PhysicalSizeY": per_y / y, "PhysicalSizeYUnit": unit}
    return {"ome": True, "metadata": about, "extratags": _gatan(unit, by, micrograph.data.ndim)}


def _gatan(unit: str | None, by: Resolution | None, ndim: int) -> list[tuple[Any, ...]]:
    """Gatan's private tags, in which HyperSpy finds the unit of a pixel."""
    if unit is None or by is None or not _is_latin(unit):
        return []
    text = unit.encode("latin-1")
    tags: list[tuple[Any, ...]] = [(65003 + n, "s", 0, text, False) for n in range(2)]
    tags += [(65006 + n, "d", 1, 0.0, False) for n in range(2)]
    tags += [(65009 + n, "d", 1, below / above, False) for n, (above, below) in enumerate(by)]
    return tags


def _is_latin(unit: str) -> bool:
    return all(ord(letter) < 256 for letter in unit)


def _description(frames: int, unit: str | None, values: dict[str, float] | None) -> str:
    lines = ["ImageJ=1.54f", f"images={frames}"]
    if frames > 1:
        lines += [f"frames={frames}", "hyperstack=true", "mode=grayscale"]
    if unit:
        # Java's way to write µ and Å, which ImageJ reads and TIFF's ASCII allows.
        lines.append("unit=" + "".join(_escape(letter) for letter in unit))
    if values:  # a straight line from integers to values, which ImageJ applies
        lines += ["cf=0", f"c0={values['offset']!r}", f"c1={values['scale']!r}", "vunit=Gray Value"]
    return "\n".join([*lines, "loop=false", ""])


def _escape(letter: str) -> str:
    return letter if " " <= letter <= "~" else f"\\u{ord(letter):04X}"


def _resolution(micrograph: Micrograph, path: Path) -> tuple[Resolution | None, str | None]:
    """Pixels per unit (x, y), in a unit for which TIFF's 32-bit fractions are exact enough."""
    unit = normalise(micrograph.unit)
    if micrograph.pixel_size is None or unit is None:
        return None, unit
    for other in dict.fromkeys([unit, "nm", "µm", "m"]):
        scale = 1.0 if other == unit else factor(unit, other)
        if scale is None:
            continue
        y, x = (1 / Fraction(size * scale) for size in micrograph.pixel_size)
        if all(_SMALLEST_RESOLUTION <= value <= _LARGEST_RESOLUTION for value in (x, y)):
            return (_ratio(x), _ratio(y)), other
    raise FileError(
        f"{path} cannot hold a pixel size of {micrograph.pixel_size} {unit}: TIFF has 32-bit "
        "fractions; give it in another unit, or write .npy"
    )


def _ratio(value: Fraction) -> tuple[int, int]:
    # The numerator must fit as well as the denominator.
    close = value.limit_denominator(int(_LARGEST / max(value, Fraction(1))))
    return close.numerator, close.denominator
