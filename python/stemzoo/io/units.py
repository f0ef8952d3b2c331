"""Units as plain text, one spelling each."""

from __future__ import annotations

import math
import re
import unicodedata

_SPELLINGS = {
    "m": "m meter meters metre metres",
    "cm": "cm centimeter centimeters",
    "mm": "mm millimeter millimeters millimetre millimetres",
    "µm": "µm um micron microns micrometer micrometers micrometre micrometres",
    "nm": "nm nanometer nanometers nanometre nanometres",
    "Å": "Å A angstrom angstroms ångström ångströms",
    "pm": "pm picometer picometers picometre picometres",
}
_NAMES = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_NOT_A_UNIT = {"", "none", "px", "pixel", "pixels", "<undefined>", "dimensionless", "unknown"}
_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "Å": 1e-10, "pm": 1e-12}

OME_UNITS = tuple(_METRES)  # lengths; OME-XML has no reciprocal ones


def normalise(unit: str | None) -> str | None:
    """The one spelling of `unit`; None for what is no unit. Unknown units pass as they are."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), unit or "")
    # NFC makes one Å of its three spellings; micro and Greek mu it keeps apart.
    text = unicodedata.normalize("NFC", text).strip(" \t\r\n\0").replace("\u03bc", "µ")
    if text[:1] == "[" and text[-1:] == "]":  # as EMD writes them: [n_m]
        text = text[1:-1].replace("_", "")
    if text.lower() in _NOT_A_UNIT:
        return None
    reciprocal = re.fullmatch(r"1\s*/\s*(\S+)|(\S+?)\s*(?:(?:\^|\*\*)?\(?-1\)?|⁻¹)", text)
    if reciprocal:
        inner = reciprocal[1] or reciprocal[2]
        return f"1/{_spelling(inner)}"
    return _spelling(text)


def _spelling(text: str) -> str:
    # "M" and "Mm" are other units than "m" and "mm": only words are compared in lower case.
    return _NAMES.get(text if len(text) < 3 else text.lower(), text)


def factor(old: str, new: str) -> float | None:
    """How many `new` make one `old`; None where one of them is no length."""
    if old not in _METRES or new not in _METRES:
        return None
    # Dividing powers of ten, not their rounded floats, keeps 1 Å = 0.1 nm exact.
    return float(10.0 ** round(math.log10(_METRES[old] / _METRES[new])))


def calibration(
    y: float | None, x: float | None, y_unit: str | None, x_unit: str | None
) -> tuple[tuple[float, float] | None, str | None]:
    """(pixel size, unit) from the two axes; (None, None) unless both say something usable."""
    y_name, x_name = normalise(y_unit), normalise(x_unit)
    if y is None or x is None or y_name is None or x_name is None:
        return None, None
    if not (math.isfinite(y) and math.isfinite(x) and y != 0 and x != 0):
        return None, None
    ratio = 1.0 if y_name == x_name else factor(y_name, x_name)
    if ratio is None:
        return None, None
    return (abs(float(y)) * ratio, abs(float(x))), x_name
