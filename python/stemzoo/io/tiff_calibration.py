"""The size of a pixel in a TIFF: every program writes it elsewhere.

Looked for in this order: OME-XML, ImageJ, the private tags of Gatan, FEI, Zeiss, Olympus and TVIPS,
and last the resolution tags. Those are a printer's dots per inch in most files, so they count only
where a pixel is smaller than a micrometre, which no printer means.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stemzoo.io.units import calibration

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from tifffile import TiffFile, TiffPage

Calibration = tuple[tuple[float, float] | None, str | None]

_GATAN_UNITS, _GATAN_SCALES = (65004, 65003), (65010, 65009)  # y, x
_OLYMPUS = 33560
_NANOMETRES = {2: 2.54e7, 3: 1e7}  # in an inch, in a centimetre: TIFF's ResolutionUnit
_SMALLER_THAN_PRINT = 1000.0  # nm


def read(tif: TiffFile, page: TiffPage, series: int) -> Calibration:
    """(pixel size (y, x), unit) of one series of images, or (None, None)."""
    sources: list[Callable[[], Calibration]] = [
        lambda: _ome(tif, series),
        lambda: _imagej(tif, page),
        lambda: _gatan(page),
        lambda: _fei(tif),
        lambda: _zeiss(tif),
        lambda: _olympus(tif, page),
        lambda: _tvips(tif),
        lambda: _resolution_unit(page),
    ]
    found = (source() for source in sources)
    return next((answer for answer in found if answer[0]), (None, None))


def beam_energy(tif: TiffFile) -> float | None:
    """In keV, of FEI's metadata and Zeiss'."""
    volts = _number((tif.fei_metadata or {}).get("Beam", {}).get("HV"))
    if volts is not None:
        return volts / 1e3
    _, value, unit = ((tif.sem_metadata or {}).get("ap_manualkv") or ("", None, ""))[:3]
    found = _number(value)
    return None if found is None else found / (1.0 if str(unit).lower() == "kv" else 1e3)


def ome_elements(xml: str | None, name: str) -> list[Element]:
    """Every element of that name in OME-XML, whatever its namespace."""
    if not xml:
        return []
    from xml.etree import ElementTree

    found = ElementTree.fromstring(xml).iter()
    return [element for element in found if element.tag.rpartition("}")[2] == name]


def _ome(tif: TiffFile, series: int) -> Calibration:
    pixels = ome_elements(tif.ome_metadata, "Pixels")
    if series >= len(pixels):
        return None, None
    says = pixels[series].attrib
    y, x = says.get("PhysicalSizeY"), says.get("PhysicalSizeX")
    return calibration(
        float(y) if y else None,
        float(x) if x else None,
        says.get("PhysicalSizeYUnit", "µm"),  # the schema's default
        says.get("PhysicalSizeXUnit", "µm"),
    )


def _imagej(tif: TiffFile, page: TiffPage) -> Calibration:
    says = tif.imagej_metadata
    if not says or "unit" not in says:
        return None, None
    unit = str(says["unit"])
    return calibration(*_pixels(page), str(says.get("yunit", unit)), unit)


def _gatan(page: TiffPage) -> Calibration:
    if not all(code in page.tags for code in (*_GATAN_UNITS, *_GATAN_SCALES)):
        return None, None
    y, x = (float(page.tags[code].value) for code in _GATAN_SCALES)
    return calibration(y, x, *(_text(page.tags[code].value) for code in _GATAN_UNITS))


def _fei(tif: TiffFile) -> Calibration:
    """The scan's pixel, or the width of the field over its pixels; both in metres."""
    says: dict[str, Any] = tif.fei_metadata or {}
    scan, image = (says.get(name, {}) for name in ("Scan", "Image"))
    y, x = _number(scan.get("PixelHeight")), _number(scan.get("PixelWidth"))
    for beam in (says.get(name, {}) for name in ("EBeam", "IBeam", "IRBeam")):
        if y is None or x is None:
            y = _ratio(beam.get("VFW"), image.get("ResolutionY"))
            x = _ratio(beam.get("HFW"), image.get("ResolutionX"))
    if y is None or x is None:
        return None, None
    return calibration(y * 1e9, x * 1e9, "nm", "nm")


def _zeiss(tif: TiffFile) -> Calibration:
    """Of the image as it was saved, which may have fewer pixels than were scanned."""
    says = tif.sem_metadata or {}
    for name in ("ap_image_pixel_size", "ap_pixel_size"):
        found = says.get(name)
        if isinstance(found, tuple) and len(found) == 3:
            size = _number(found[1])
            return calibration(size, size, str(found[2]), str(found[2]))
    return None, None


def _olympus(tif: TiffFile, page: TiffPage) -> Calibration:
    """Of the image, which may follow a colour preview."""
    own = page.tags.get(_OLYMPUS)
    says = own.value if own and isinstance(own.value, dict) else tif.sis_metadata or {}
    y, x = _number(says.get("pixelsizey")), _number(says.get("pixelsizex"))
    if not y or not x:
        return None, None
    return calibration(y * 1e9, x * 1e9, "nm", "nm")  # they are in metres


def _tvips(tif: TiffFile) -> Calibration:
    says = tif.tvips_metadata or {}
    y, x = _number(says.get("PixelSizeY")), _number(says.get("PixelSizeX"))
    return calibration(y, x, "nm", "nm") if y and x else (None, None)


def _resolution_unit(page: TiffPage) -> Calibration:
    tag = page.tags.get("ResolutionUnit")
    length = _NANOMETRES.get(int(tag.value)) if tag else None
    y, x = _pixels(page)
    if length is None or y is None or x is None or max(x, y) * length > _SMALLER_THAN_PRINT:
        return None, None
    return calibration(y * length, x * length, "nm", "nm")


def _number(value: object) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if usable else None  # type: ignore[arg-type]


def _ratio(length: object, pixels: object) -> float | None:
    over, under = _number(length), _number(pixels)
    return over / under if over and under else None


def _pixels(page: TiffPage) -> tuple[float | None, float | None]:
    """Units per pixel (y, x): the tags hold pixels per unit, as fractions."""
    return _inverse(page, "YResolution"), _inverse(page, "XResolution")


def _inverse(page: TiffPage, name: str) -> float | None:
    tag = page.tags.get(name)
    if tag is None:
        return None
    numerator, denominator = tag.value
    return denominator / numerator if numerator else math.nan


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-16-le" if b"\0" in value.rstrip(b"\0") else "latin-1")
    if isinstance(value, tuple):
        return "".join(map(chr, value))
    return str(value)
